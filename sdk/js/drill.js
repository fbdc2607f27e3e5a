// Directors of drills. `import { drill, drills } from "./sdk/drill.js";`
import * as hubDrills from "campanile:plugin/drills@0.1.0";

import { ask } from "./denial.js";
import { directing, handler } from "./guest.js";

export * from "./core.js";

/** A drill that runs in a rehearsal. `capability.drill` grants it. */
export const drills = {
  /** How it stands: atS, rainHourMm, rainSixHoursMm, riverM, warned. */
  now: () => ask(hubDrills.now),
  /** The greatest depth of water in the spaces that a glob matches, m. */
  depth: (glob) => ask(hubDrills.depth, glob),
  /** Tells the trainees something: from whom, and what, in words. */
  tell: (from, message) => ask(hubDrills.tell, from, message),
  /** How far an action is: `not-begun`, `begun` or `done`. */
  progress: (action) => ask(hubDrills.progress, action),
  /** Begins an action, as its role would. */
  begin: (action) => ask(hubDrills.begin, action),
  /** Asks for a decision; `onDecision` is told. */
  ask: (id, question, answers) => ask(hubDrills.ask, id, question, answers),
};

/** As `rule`, and hears `onDecision`: `export const { handler, directing } = drill({…})`. */
export const drill = (plugin) => ({ handler: handler(plugin), directing: directing(plugin) });
