// An activity: a mission and a quiz. Who answers right earns the mission's points, once.
import { Denial, activities, activity, log, panels, records, words } from "./sdk/activity.js";

const RIGHT = 1; // the index of the right answer
const POINTS = 10;

export const { handler, learning } = activity({
  onTick() {
    // Offering and showing the same again changes nothing.
    const names = words("合理用空调", "Cool, not cold");
    const task = words("答对空调温度题", "Answer the question on air-conditioning");
    activities.offer([{ id: "cool", names, task, points: POINTS }]);
    panels.show("quiz", quiz());
  },

  onPanel({ person, fields }) {
    if (fields.answer === undefined) return;
    const right = fields.answer === RIGHT;
    records.append("answer", { person, right });
    if (right) {
      try {
        activities.award("cool", person, POINTS);
      } catch (error) {
        if (!(error instanceof Denial)) throw error;
        log.info(`${person}: ${error.message}`); // it has been earned before
      }
    }
    // Only the person who answered sees it.
    const said = right
      ? panels.text("said", words("答对了！", "Right!"), "good")
      : panels.text("said", words("再想想：每调高一度都省电。", "Think again: each degree saves."), "caution");
    panels.showTo("quiz", person, quiz(said));
  },
});

function quiz(...below) {
  const question = words("夏季空调设定多少度合适？", "Which setpoint is right in summer?");
  const answers = ["20 °C", "26 °C", "30 °C"].map((answer) => words(answer, answer));
  return panels.column("all", [panels.quiz("question", question, answers), ...below]);
}
