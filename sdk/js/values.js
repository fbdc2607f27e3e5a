import { invalid } from "./denial.js";

/** A text for people, in both languages. */
export const words = (zhCn, en) => ({ zhCn, en });

/** The index of one of a point's choices, from 0. */
export class Choice {
  constructor(index) {
    this.index = index;
  }

  valueOf() {
    return this.index;
  }
}

/** A choice to be written: `choice(1)`. */
export const choice = (index) => new Choice(index);

/** A value as the contract has it, of a number, a boolean, a choice or a string. */
export function value(given) {
  if (typeof given === "number") return { tag: "number", val: given };
  if (typeof given === "boolean") return { tag: "boolean", val: given };
  if (typeof given === "string") return { tag: "text", val: given };
  if (given instanceof Choice) return { tag: "choice", val: given.index };
  throw invalid(`a value is a number, a boolean, choice(INDEX) or a string, not ${typeof given}`);
}

/** A value of the contract as JavaScript has it. */
export const plain = ({ tag, val }) => (tag === "choice" ? new Choice(val) : val);

/** A sample. Times are microseconds since 1970 UTC, as numbers. */
export class Sample {
  #given;

  constructor(given) {
    this.#given = given;
  }

  /** The handle of its point. */
  get point() {
    return this.#given.point;
  }

  /** When it was measured. */
  get time() {
    return Number(this.#given.time);
  }

  /** `good`, `uncertain`, `bad` or `stale`. */
  get quality() {
    return this.#given.quality;
  }

  /** A number, a boolean, a `Choice` or a string. */
  get value() {
    return plain(this.#given.value);
  }

  /** Its number where it may be relied upon (good or uncertain), else undefined. */
  get number() {
    return this.#reliedOn("number");
  }

  /** Whether it is so where it may be relied upon (good or uncertain), else undefined: a silent sensor has not said no. */
  get truth() {
    return this.#reliedOn("boolean");
  }

  #reliedOn(tag) {
    const { quality, value } = this.#given;
    return value.tag === tag && (quality === "good" || quality === "uncertain") ? value.val : undefined;
  }
}

const QUALITIES = ["good", "uncertain", "bad", "stale"];

const VALUES = [
  (number) => ({ tag: "number", val: number }),
  (number) => ({ tag: "boolean", val: number !== 0 }),
  (number) => ({ tag: "choice", val: number }),
  (number, texts) => ({ tag: "text", val: texts[number] }),
];

/** The samples of a batch, in their order. */
export const batch = ({ points, times, qualities, kinds, numbers, texts }) =>
  Array.from(points, (point, i) => {
    const value = VALUES[kinds[i]](numbers[i], texts);
    return new Sample({ point, time: times[i], quality: QUALITIES[qualities[i]], value });
  });

/** Samples of the contract. */
export const samples = (given) => given.map((sample) => sample && new Sample(sample));
