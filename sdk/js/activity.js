// Activities: eco-education. `import { activity, activities } from "./sdk/activity.js";`
import * as hubActivities from "campanile:plugin/activities@0.1.0";

import { ask } from "./denial.js";
import { handler, learning } from "./guest.js";

export * from "./core.js";
export * from "./keeping.js";

/** Missions, scores, and proposals that are tried in a rehearsal. `capability.activities` grants it. */
export const activities = {
  /** Offers missions: id, names, task, points. Those offered before and not here end. */
  offer: (missions) => ask(hubActivities.offer, missions),
  /** Gives a person points for a mission, once. */
  award: (mission, person, points) => ask(hubActivities.award, mission, person, points),
  /** Tries changes (glob, value, fromH, toH) for so many days; `onOutcome` is told. */
  propose: (id, names, changes, days) =>
    ask(hubActivities.propose, id, names, changes.map((change) => ({ fromH: 0, toH: 24, ...change })), days),
  /** The classes by points. */
  league: () => ask(hubActivities.league),
};

/** As `rule`, and hears `onOutcome`: `export const { handler, learning } = activity({…})`. */
export const activity = (plugin) => ({ handler: handler(plugin), learning: learning(plugin) });
