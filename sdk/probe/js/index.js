// The probe: does one thing as it is told, so that a test of the host can drive every capability, every denial and every
// failure. `sdk/probe/README.md` lists the modes; the probes in the other languages have the same, with the same words.
import {
  Denial, Failure, alarms, clock, commands, history, log, panels, points, records, rule, store, words,
} from "./sdk/rule.js";

const FORGED = 4000000; // a handle that no host has given
const FLOOD = 10000; // far more than any quota: a flood ends with the first denial, or here
const MIB = 1 << 20;

/** Logs what the hub answered, with what the call gives where that is a count. */
function asked(mode, call) {
  try {
    const count = call();
    log.info(`probe: ${mode}: ok${typeof count === "number" ? ` ${count}` : ""}`);
  } catch (error) {
    if (!(error instanceof Denial)) throw error;
    log.info(`probe: ${mode}: ${error.kind}`);
  }
}

const command = (point, value, priority = 12) => commands.command(point, value, "probe", { priority, expiresS: 60 });

/** The first denial among the answers, else nothing. */
function writeAll(wishes) {
  const denial = commands.write(wishes).find(Boolean);
  if (denial) throw denial;
}

const numbers = (samples) => samples.filter((sample) => typeof sample.value === "number");

/** What samples are, each by its place, as one number. */
function sum(samples) {
  const qualities = ["good", "uncertain", "bad", "stale"];
  const given = ({ value }) => {
    if (typeof value === "boolean") return 10 + value;
    if (typeof value === "string") return 30 + value.length;
    return typeof value === "number" ? value : 20 + value.index;
  };
  const one = (sample) => 1 + qualities.indexOf(sample.quality) + given(sample);
  return samples.reduce((all, sample, i) => all + (i + 1) * one(sample), 0);
}

function flood(turn) {
  for (let n = 0; n < FLOOD; n++) turn(n);
}

function countCalls() {
  const calls = store.load("calls", 0) + 1;
  store.save("calls", calls);
  return calls;
}

const showPanel = () =>
  panels.show("probe", panels.column("all", [
    panels.text("text", words("探针", "Probe")),
    panels.button("button", words("按钮", "Button"), "accent"),
  ]));

function fillMemory(mode) {
  let taken = [];
  try {
    for (;;) taken.push(new Uint8Array(MIB));
  } catch {
    // Given back first: the line needs some itself.
    taken = undefined;
  }
  log.info(`probe: ${mode}: refused`);
}

const deeper = (depth) => deeper(depth + 1) + 1;

export const { handler } = rule({
  start(settings) {
    this.mode = settings.get("mode") ?? "";
    this.wanted = settings.get("target") ?? ""; // a handle, or a path; may be empty
    if (this.mode === "trap-start") throw new Error("probe: trap-start");
  },

  onSamples(samples) {
    if (this.mode) return this.act(this.mode, samples);
    for (const { value } of samples) if (typeof value === "string") this.act(value, samples);
  },
  onTick() {
    this.act(this.mode, []);
  },
  onAlarms() {
    this.act(this.mode, []);
  },
  onPanel() {
    this.act(this.mode, []);
  },

  /** The point to act upon: the setting's, else that of the first number among the samples. */
  target(samples) {
    if (/^\d+$/.test(this.wanted)) return Number(this.wanted);
    if (this.wanted) return points.byPath(this.wanted).point;
    const [sample] = numbers(samples);
    if (!sample) throw new Denial({ tag: "unknown-point" });
    return sample.point;
  },

  commandTarget(samples, value, priority) {
    commands.one(command(this.target(samples), value, priority));
  },

  floodCommands(samples) {
    const batch = new Array(1000).fill(command(this.target(samples), 24));
    for (let turn = 0; turn < 5; turn++) writeAll(batch);
  },

  lastHour(samples, ask, more) {
    const now = clock.now();
    return ask(this.target(samples), now - clock.HOUR, now, more).length;
  },

  act(mode, samples) {
    switch (mode) {
      case "":
      case "trap-start":
        break;
      case "echo":
        asked(mode, () =>
          points.publish(numbers(samples).map(({ value, quality }) => points.derived("echo", value, { quality }))));
        break;
      case "sum":
        asked(mode, () => sum(samples));
        break;
      case "command":
      case "trap-mid-command":
        asked(mode, () => writeAll(numbers(samples).map(({ point, value }) => command(point, value))));
        if (mode === "trap-mid-command") throw new Error("probe: trap");
        break;
      case "find":
        asked(mode, () => points.find("**").length);
        break;
      case "by-path":
        asked(mode, () => [points.byPath(this.wanted)].length);
        break;
      case "read":
        asked(mode, () => points.read([this.target(samples)]).length);
        break;
      case "history":
        asked(mode, () => this.lastHour(samples, history.range, 100));
        break;
      case "buckets":
        asked(mode, () => this.lastHour(samples, history.buckets, 600));
        break;
      case "holds":
        asked(mode, () => (commands.holds(this.target(samples)) ? 1 : 0));
        break;
      case "relinquish":
        asked(mode, () => commands.relinquish([this.target(samples)]));
        break;
      case "alarm":
        asked(mode, () => alarms.raise("probe", "", words("探针", "Probe")));
        break;
      case "clear":
        asked(mode, () => alarms.clear("probe", ""));
        break;
      case "record":
        asked(mode, () => records.append("probe", { n: 1 }));
        break;
      case "records":
        asked(mode, () => records.newest("probe", 1000).length);
        break;
      case "store":
        asked(mode, countCalls);
        break;
      case "panel":
        asked(mode, showPanel);
        break;
      case "clock": {
        const now = clock.now();
        log.info(`probe: ${mode}: ok ${now} ${clock.local(now).hour}`);
        break;
      }
      case "log":
        for (const write of [log.debug, log.info, log.warn, log.error]) write(`probe: ${mode}: ok`);
        break;

      case "loop":
        for (;;);
      case "host-loop":
        for (;;) clock.now();
      case "memory":
        fillMemory(mode);
        break;
      case "recursion":
        deeper(1);
        break;
      case "trap":
        throw new Error("probe: trap");
      case "panic":
        throw new Error("probe: panic");
      case "error":
        throw new Failure("probe: error");
      case "forged-handle":
        asked(mode, () => void points.read([FORGED]));
        asked(mode, () => commands.one(command(FORGED, 1)));
        break;
      case "outside-globs":
        asked(mode, () => this.commandTarget(samples, 1, 12));
        break;
      case "too-strong":
        asked(mode, () => this.commandTarget(samples, 1, 1));
        break;
      case "out-of-limits":
        asked(mode, () => this.commandTarget(samples, 1e9, 12));
        break;
      case "nan":
        asked(mode, () => points.publish([points.derived("echo", NaN)]));
        break;
      case "huge-batch":
        asked(mode, () => points.publish(new Array(100000).fill(points.derived("echo", 1))));
        break;
      case "store-full":
        asked(mode, () => flood((n) => store.set(`full-${n}`, new Uint8Array(1024))));
        break;
      case "flood-commands":
        asked(mode, () => this.floodCommands(samples));
        break;
      case "flood-alarms":
        asked(mode, () => flood((n) => alarms.raise("probe", "", words("告警", `flood ${n}`))));
        break;
      case "flood-records":
        asked(mode, () => flood(() => records.append("probe", { n: 1 })));
        break;
      case "flood-logs":
        flood(() => log.info(`probe: ${mode}: ok`));
        break;
      default:
        throw new Failure("probe: no such mode");
    }
  },
});
