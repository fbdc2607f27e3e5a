// What rules and activities have beside.
import * as hubHistory from "campanile:plugin/history@0.1.0";
import * as hubNetworks from "campanile:plugin/networks@0.1.0";
import * as hubRecords from "campanile:plugin/records@0.1.0";

import { ask } from "./denial.js";
import { samples } from "./values.js";

/** What was. `capability.history` grants it. At most 10 calls a second. */
export const history = {
  /** Samples from `start` to before `end`, oldest first. */
  range: (point, start, end, limit) => samples(ask(hubHistory.range, point, BigInt(start), BigInt(end), limit)),
  /** Count, min, mean, max and sum by stretches of so many seconds, at least 60. */
  buckets: (point, start, end, widthS) =>
    ask(hubHistory.buckets, point, BigInt(start), BigInt(end), widthS).map((bucket) => ({
      ...bucket,
      start: Number(bucket.start),
      count: Number(bucket.count),
    })),
};

/** What feeds what. `nodes("water")`: parents before what hangs on them; `parent` is an index in the list. */
export const networks = { nodes: (kind) => ask(hubNetworks.nodes, kind) };

/** What is to be kept for years, each kind declared by a `[[record]]` of the manifest. */
export const records = {
  append: (kind, body) => ask(hubRecords.append, kind, JSON.stringify(body)),
  /** The newest records, newest first: time and body. */
  newest: (kind, limit) =>
    ask(hubRecords.newest, kind, limit).map(({ time, body }) => ({ time: Number(time), body: JSON.parse(body) })),
};
