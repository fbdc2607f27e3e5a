// The probe of activities: does one thing as it is told, so that a test of the host can drive what only activities have.
// `sdk/probe/README.md` lists the modes; the probes in the other languages have the same, with the same words.
import {
  Denial, Failure, activities, activity, clock, history, log, networks, panels, points, records, store, words,
} from "./sdk/activity.js";

const PERSON = "7-2/Swift";

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

function lastHour() {
  const now = clock.now();
  return history.range(points.byPath("teaching-a/2f/203/ac/setpoint").point, now - clock.HOUR, now, 100).length;
}

const tree = () =>
  panels.column("all", [
    panels.text("text", words("探针", "Probe")),
    panels.table("table", [words("甲", "A")], [[words("乙", "B")]]),
  ]);

const missions = (count) =>
  Array.from({ length: count }, (_, n) => ({
    id: `m${n}`,
    names: words("任务", "Mission"),
    task: words("关灯", "Lights out"),
    points: 10,
  }));

/** Offered and given in one call; a second time is too much. */
function awardBoth() {
  activities.offer(missions(2));
  activities.award("m1", "teacher", 10);
  activities.award("m1", "teacher", 10);
}

const league = () => activities.league().map(({ group, points }) => `${group} ${points}`).join(", ");

const propose = (glob, value, fromH, days) =>
  activities.propose("warmer", words("调高空调", "Warmer rooms"), [{ glob, value, fromH, toH: 17 }], days);

const MODES = {
  "find": () => points.find("**").length,
  "networks": () => networks.nodes("water").length,
  "history": lastHour,
  "record": () => records.append("probe", { n: 1 }),
  "records": () => records.newest("probe", 10).length,
  "store": () => store.set("key", new TextEncoder().encode("value")),
  "panel": () => panels.show("probe", tree()),
  "show-to": () => panels.showTo("probe", PERSON, tree()),
  "show-to-nobody": () => panels.showTo("probe", "", tree()),
  "show-to-all": () => panels.showTo("probe", PERSON),
  "derived": () => points.publish([points.derived("rooms", 1, { entity: "teaching-a/2f" })]),
  "derived-elsewhere": () => points.publish([points.derived("rooms", 1, { entity: "labs/2f" })]),

  "offer": () => activities.offer(missions(2)),
  "offer-twice": () => activities.offer([...missions(1), ...missions(1)]),
  "offer-many": () => activities.offer(missions(101)),
  "offer-nothing": () => activities.offer([]),
  "award": () => activities.award("m0", PERSON, 10),
  "award-both": awardBoth,
  "award-unknown": () => activities.award("other", PERSON, 1),
  "award-much": () => activities.award("m0", "teacher", 11),
  "league": league,
  "propose": () => propose("**/ac/setpoint", 26, 12, 3),
  "propose-switch": () => propose("**/ac/on", 0, 12, 1),
  "propose-half": () => propose("**/ac/on", 0.5, 12, 1),
  "propose-sensor": () => propose("**/co2", 400, 12, 1),
  "propose-hours": () => propose("**/ac/setpoint", 26, 18, 3),
  "propose-nan": () => propose("**/ac/setpoint", NaN, 12, 3),
  "propose-long": () => propose("**/ac/setpoint", 26, 12, 8),
};

export const { handler, learning } = activity({
  start(settings) {
    this.mode = settings.get("mode") ?? "";
  },
  onTick() {
    this.act();
  },
  onPanel() {
    this.act();
  },
  onOutcome({ id, energyKwh, failed }) {
    log.info(`probe: outcome: ${id} ${energyKwh.with} ${failed ?? "-"}`);
  },
  act() {
    if (this.mode === "") return;
    const call = MODES[this.mode];
    if (!call) throw new Failure("probe: no such mode");
    asked(this.mode, call);
  },
});
