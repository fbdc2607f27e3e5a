// Rules: automation. `import { rule, points, commands } from "./sdk/rule.js";`
import * as hubAlarms from "campanile:plugin/alarms@0.1.0";
import * as hubCommands from "campanile:plugin/commands@0.1.0";

import { Denial, ask } from "./denial.js";
import { handler } from "./guest.js";
import { plain, value } from "./values.js";

export * from "./core.js";
export * from "./keeping.js";

/** Commands to the field. `capability.command` grants globs of points and a band of the priority array. */
export const commands = {
  /** A wish: the value, the slot from 1 (strongest) to 16, and the seconds until it lets go by itself. */
  command: (point, given, reason, { priority = 16, expiresS = 900 } = {}) => ({
    point,
    value: value(given),
    priority,
    expiresS,
    reason,
  }),
  /** Writes many in one call; an answer each, undefined or a `Denial`. */
  write: (wishes) =>
    hubCommands.write(wishes).map((answer) => (answer.tag === "err" ? new Denial(answer.val) : undefined)),
  /** Writes one. */
  one(wish) {
    const [denial] = commands.write([wish]);
    if (denial) throw denial;
  },
  /** Holds a point for as long as this is called every so many seconds: the command outlives two calls that fail. */
  hold: (everyS, wish) => commands.one({ ...wish, expiresS: Math.min(3 * everyS, 86400) }),
  relinquish: (points) => ask(hubCommands.relinquish, points),
  /** What holds a point now: value, priority, mine; undefined where nothing was ever commanded. */
  holds(point) {
    const held = ask(hubCommands.holds, point);
    return held && { ...held, value: plain(held.value) };
  },
};

/** Alarms of the plugin's own, each declared by an `[[alarm]]` of the manifest. */
export const alarms = {
  /** Raises one for an entity (its path; empty: the campus) with what people have to know. */
  raise: (id, entity, detail) => ask(hubAlarms.raise, id, entity, detail),
  clear: (id, entity) => ask(hubAlarms.clear, id, entity),
};

/**
 * Makes a plugin the rule that a component is: `export const { handler } = rule({ start(settings) {…}, onTick(now) {…} })`.
 * It hears `start`, `onSamples`, `onTick`, `onAlarms`, `onPanel`, of which it has those that it needs; `this` is the plugin.
 */
export const rule = (plugin) => ({ handler: handler(plugin) });
