// What the hub calls, over a plugin.
import { write } from "campanile:plugin/log@0.1.0";

import { Failure } from "./denial.js";
import { log } from "./core.js";
import { batch } from "./values.js";

// Where its lines would go nobody reads.
globalThis.console = { ...log, log: log.info, trace: log.debug };

/** Settings by name, as text. */
export class Settings extends Map {
  /** A setting as a number. */
  number(name, otherwise = 0) {
    return this.#read(name, otherwise, "a number", (text) => (text === "" ? NaN : Number(text)), Number.isNaN);
  }

  /** A setting that is `true` or `false`. */
  truth(name, otherwise = false) {
    return this.#read(name, otherwise, "true or false", (text) => ({ true: true, false: false })[text], (read) => read === undefined);
  }

  #read(name, otherwise, what, read, isWrong) {
    if (!this.has(name)) return otherwise;
    const found = read(this.get(name).trim());
    if (isWrong(found)) throw new Failure(`setting ${name} = "${this.get(name)}" is not ${what}`);
    return found;
  }
}

/** Where it was thrown, the innermost first, without this folder's own functions. */
function way(error) {
  const calls = String(error?.stack ?? "").split("\n").filter((call) => call && !/\/sdk\/|initializer|^@?sdk\//.test(call));
  return calls.slice(0, 6).map((call) => call.replace(/^(.*)@/, (_, name) => (name ? `${name} ` : ""))).join(", ");
}

const told = (error) => `${error?.message ?? error} (${way(error)})`;

function call(plugin, name, ...given) {
  try {
    return plugin[name]?.(...given);
  } catch (error) {
    // Of what is thrown, what is no Error is the error that the hub is told.
    if (error instanceof Failure) throw told(error);
    // A trap has no words: they are logged before.
    write("error", `${error?.name ?? "Error"}: ${told(error)}`);
    throw error instanceof Error ? error : new Error(String(error));
  }
}

/** The handler of any world. */
export const handler = (plugin) => ({
  start(settings) {
    try {
      call(plugin, "start", new Settings(settings));
    } catch (error) {
      throw error instanceof Error ? `${error.name}: ${told(error)}` : error;
    }
  },
  // What nobody hears is not made ready either.
  onSamples(given) {
    if (plugin.onSamples) call(plugin, "onSamples", batch(given));
  },
  onTick: (now) => call(plugin, "onTick", Number(now)),
  onAlarms: (changes) => call(plugin, "onAlarms", changes.map((change) => ({ ...change, at: Number(change.at) }))),
  onPanel: (event) =>
    call(plugin, "onPanel", { ...event, fields: Object.fromEntries(event.fields.map(([id, { val }]) => [id, val])) }),
});

/** What an activity hears beside. */
export const learning = (plugin) => ({
  onOutcome: ({ energyKwh, comfortShare, ...outcome }) => {
    const pair = ([changed, unchanged]) => ({ with: changed, without: unchanged });
    call(plugin, "onOutcome", { ...outcome, energyKwh: pair(energyKwh), comfortShare: pair(comfortShare) });
  },
});

/** What a drill hears beside. */
export const directing = (plugin) => ({ onDecision: (decision) => call(plugin, "onDecision", decision) });
