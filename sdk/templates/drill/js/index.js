// The director of a drill: where it rains hard the guard reports, and the trainees are asked whether the barrier at the
// canteen goes up. Each is said once.
import { drill, drills, store, words } from "./sdk/drill.js";

const ACTION = "barrier-canteen"; // what a yes begins

export const { handler, directing } = drill({
  start(settings) {
    this.rainMm = settings.number("rain_mm", 20);
  },

  onTick() {
    if (drills.now().rainHourMm < this.rainMm || store.load("asked", false)) return;
    drills.tell(words("保安", "Guard"), words("雨很大，食堂门口开始积水", "It pours, and water stands at the canteen"));
    const question = words("食堂门口上挡水板吗？", "Does the barrier at the canteen go up?");
    drills.ask("barrier", question, [words("上", "Yes"), words("再等等", "Not yet")]);
    store.save("asked", true);
  },

  onDecision({ id, answer }) {
    if (id === "barrier" && answer === 0 && drills.progress(ACTION) === "not-begun") drills.begin(ACTION);
  },
});
