/** Thrown by a plugin that gives up: the call ends with an error, and what it did stands. */
export class Failure extends Error {
  name = "Failure";
}

/** The hub did not do it, and nothing has changed. */
export class Denial extends Failure {
  name = "Denial";

  /** @param {{tag: string, val?: any}} variant as the contract has it */
  constructor({ tag, val }) {
    super(words(tag, val));
    /** As the contract spells it, such as `too-strong`. */
    this.kind = tag;
    /** What goes with it: the limits, the seconds to wait, the reason. */
    this.value = val;
  }
}

function words(tag, val) {
  switch (tag) {
    case "not-granted":
      return `not granted: ${val}`;
    case "unknown-point":
      return "no such point, or not one that this plugin may see";
    case "invalid":
      return `cannot be used: ${val}`;
    case "out-of-limits":
      return `outside the limits of the point, ${val[0]} to ${val[1]}`;
    case "too-strong":
      return `priority too strong; the strongest granted is ${val}`;
    case "too-soon":
      return `too soon; wait ${val} s`;
    case "interlocked":
      return `forbidden by the interlock ${val}`;
    case "quota":
      return `more than the quota of ${val}`;
    default:
      return `not available now: ${val}`;
  }
}

/** What is wrong with what a plugin gave, in the hub's own way. */
export const invalid = (why) => new Denial({ tag: "invalid", val: why });

/** Calls the hub; what it denies is thrown. */
export function ask(call, ...given) {
  try {
    return call(...given);
  } catch (error) {
    throw error?.payload?.tag === undefined ? error : new Denial(error.payload);
  }
}
