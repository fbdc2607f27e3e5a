// The probe of drills: does one thing as it is told, so that a test of the host can drive what only drills have.
// `sdk/probe/README.md` lists the modes; the probes in the other languages have the same, with the same words.
import { Denial, Failure, drill, drills, log, panels, points, store, words } from "./sdk/drill.js";

const FLOOD = 10000; // far more than any quota: a flood ends with the first denial, or here

/** Logs what the hub answered, with what the call gives where that is a count or a text. */
function asked(mode, call) {
  try {
    const said = call();
    log.info(`probe: ${mode}: ${typeof said === "string" ? said : typeof said === "number" ? `ok ${said}` : "ok"}`);
  } catch (error) {
    if (!(error instanceof Denial)) throw error;
    log.info(`probe: ${mode}: ${error.kind}`);
  }
}

function now() {
  const { atS, rainHourMm, rainSixHoursMm, riverM, warned } = drills.now();
  return `${atS} ${rainHourMm} ${rainSixHoursMm} ${riverM ?? 0} ${warned ?? "-"}`;
}

const tell = (zhCn, en) => drills.tell(words("保安", "Guard"), words(zhCn, en));
const ask = (answers) =>
  drills.ask("evacuate", words("疏散吗？", "Evacuate?"), new Array(answers).fill(words("是", "Yes")));

const MODES = {
  "find": () => points.find("**").length,
  "store": () => store.set("key", new TextEncoder().encode("value")),
  "panel": () => panels.show("probe", panels.column("all", [panels.text("text", words("探针", "Probe"))])),

  "now": now,
  "depth": () => String(drills.depth("canteen/**")),
  "depth-bad": () => String(drills.depth("a//b")),
  "tell": () => tell("有积水", "Water"),
  "tell-nothing": () => tell("", "Water"),
  "flood-told": () => {
    for (let n = 0; n < FLOOD; n++) tell("有积水", "Water");
  },
  "progress": () => drills.progress("barrier"),
  "progress-unknown": () => drills.progress("other"),
  "begin-done": () => drills.begin("siren"),
  "begin-unknown": () => drills.begin("other"),
  "ask": () => ask(2),
  "ask-nothing": () => ask(0),
  "ask-much": () => ask(9),
};

export const { handler, directing } = drill({
  start(settings) {
    this.mode = settings.get("mode") ?? "";
  },
  onTick() {
    if (this.mode === "") return;
    if (this.mode === "begin") {
      asked(this.mode, () => drills.begin("barrier"));
      asked(this.mode, () => drills.begin("barrier"));
      asked(this.mode, () => drills.progress("barrier"));
      return;
    }
    const call = MODES[this.mode];
    if (!call) throw new Failure("probe: no such mode");
    asked(this.mode, call);
  },
  onDecision({ id, answer, person }) {
    log.info(`probe: decision: ${id} ${answer} ${person}`);
  },
});
