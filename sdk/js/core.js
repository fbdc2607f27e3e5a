// What every world has.
import * as hubClock from "campanile:plugin/clock@0.1.0";
import * as hubLog from "campanile:plugin/log@0.1.0";
import * as hubPanels from "campanile:plugin/panels@0.1.0";
import * as hubPoints from "campanile:plugin/points@0.1.0";
import * as hubStore from "campanile:plugin/store@0.1.0";

import { ask } from "./denial.js";
import { samples, value, words } from "./values.js";

export { Denial, Failure } from "./denial.js";
export { Choice, Sample, choice, words } from "./values.js";

const text = (given) => (typeof given === "string" ? given : JSON.stringify(given) ?? String(given));
const line = (level) => (...parts) => hubLog.write(level, parts.map(text).join(" "));

/** A log that people read with `campanile plugin logs`. */
export const log = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };

/** The time of the world, in microseconds since 1970 UTC. It stands still within a call. */
export const clock = {
  SECOND: 1e6,
  MINUTE: 60e6,
  HOUR: 3600e6,
  DAY: 86400e6,
  now: () => Number(hubClock.now()),
  /** By the clock of the campus: year, month, day, weekday (1 is Monday), hour, minute, second, offsetS. */
  local: (at) => hubClock.local(BigInt(at)),
};

/** The points of the campus. Find once, in `start`; read in batches. */
export const points = {
  /** The points whose paths match: `*` is one part, `**` any number. */
  find: (glob) => ask(hubPoints.find, glob),
  byPath: (path) => ask(hubPoints.byPath, path),
  /** The newest samples of handles, in their order; undefined where a point has none. */
  read: (handles) => samples(ask(hubPoints.read, handles)),
  /** A value of a `[[derived]]` of the manifest, for one of the entities of its `each` where it has that. */
  derived: (id, given, { entity = "", quality = "good" } = {}) => ({ id, entity, value: value(given), quality }),
  publish: (values) => ask(hubPoints.publish, values),
};

const utf8 = { write: new TextEncoder(), read: new TextDecoder() };

/** What the plugin remembers. Instances come and go; what is not here is forgotten. */
export const store = {
  /** The bytes of a key. */
  get: (key) => ask(hubStore.get, key),
  set: (key, bytes) => ask(hubStore.set, key, bytes),
  delete: (key) => ask(hubStore.delete, key),
  keys: (prefix = "") => ask(hubStore.keys, prefix),
  /** What was saved under a key, else `otherwise`. */
  load(key, otherwise) {
    const bytes = store.get(key);
    return bytes === undefined ? otherwise : JSON.parse(utf8.read.decode(bytes));
  },
  /** Saves what JSON can hold. */
  save: (key, given) => store.set(key, utf8.write.encode(JSON.stringify(given))),
};

const node = (id, tag, val, children = []) => ({ id, content: { tag, val }, children });
const field = (id, names, tag, val) => ({ id, names, kind: { tag, val } });
const cell = (given) => (given?.zhCn === undefined ? words(String(given), String(given)) : given);

function flat({ id, content, children }, parent, nodes) {
  const place = nodes.length;
  nodes.push({ id, parent, content });
  for (const child of children) flat(child, place, nodes);
  return nodes;
}

/**
 * What the plugin shows: nodes within nodes, drawn by the hub. Tones: plain, accent, good, caution, danger.
 *
 *     panels.show("savings", panels.column("all", [
 *       panels.text("title", words("节能", "Savings"), "accent"),
 *       panels.gauge("today", words("今天", "Today"), 12.5, 0, 50, "kWh"),
 *     ]));
 */
export const panels = {
  column: (id, children) => node(id, "column", undefined, children),
  row: (id, children) => node(id, "row", undefined, children),
  text: (id, said, tone = "plain") => node(id, "text", [said, tone]),
  /** A point's value, alive. */
  value: (id, point) => node(id, "value", point),
  gauge: (id, said, value, low, high, unit) => node(id, "gauge", [said, value, low, high, unit]),
  /** A line of a chart: pairs of time and value. */
  line: (names, dots) => ({ names, dots: dots.map(([time, value]) => [BigInt(time), value]) }),
  chart: (id, lines, unit) => node(id, "chart", [lines, unit]),
  /** A head of words and rows; what is no words is the same in both languages. */
  table: (id, head, rows) => node(id, "table", [head, rows.map((row) => row.map(cell))]),
  button: (id, said, tone = "plain") => node(id, "button", [said, tone]),
  /** Colours entities: path, tone, words. */
  mapLayer: (id, marks) => node(id, "map-layer", marks),
  quiz: (id, question, answers) => node(id, "quiz", [question, answers]),
  form: (id, fields, button) => node(id, "form", [fields, button]),
  numberField: (id, names, low, high, first) => field(id, names, "number", [low, high, first]),
  textField: (id, names, bytes) => field(id, names, "text", bytes),
  choiceField: (id, names, choices) => field(id, names, "choice", choices),
  toggleField: (id, names, first) => field(id, names, "toggle", first),
  /** Shows a panel anew to all. */
  show: (panel, root) => ask(hubPanels.show, panel, flat(root, undefined, [])),
  /** Shows one person a panel of the person's own; without a root: what all others see. */
  showTo: (panel, person, root) => ask(hubPanels.showTo, panel, person, root ? flat(root, undefined, []) : []),
};
