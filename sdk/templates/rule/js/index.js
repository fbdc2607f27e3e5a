// A rule for rooms: where CO₂ stays high for three ticks it raises an alarm. Where the setting `act` says so, it also
// raises the setpoint of the air conditioning, so that windows can be opened without cooling the yard.
import { Denial, alarms, commands, log, points, rule, store, words } from "./sdk/rule.js";

const TICK_S = 60; // seconds between ticks, as in plugin.toml
const TICKS = 3; // so many in a row make an alarm
const REASON = "空气不新鲜，需要开窗 / the air is stale: windows are to be opened"; // one text, shown to all

export const { handler } = rule({
  start(settings) {
    this.limitPpm = settings.number("limit_ppm", 1000);
    // What to command, °C; undefined where the rule only watches.
    this.setpointC = settings.truth("act") ? settings.number("setpoint_c", 28) : undefined;
    // Looked up once: handles stay good for as long as this instance lives.
    const setpoints = new Map(points.find("**/ac/setpoint").map(({ path, point }) => [path, point]));
    this.rooms = points.find("**/co2").map(({ path, point }) => {
      const room = path.slice(0, -"/co2".length);
      return { path: room, co2: point, setpoint: setpoints.get(`${room}/ac/setpoint`) };
    });
  },

  onTick() {
    // Ticks in a row that a room has been stale. In the store, since this instance may be gone at the next tick.
    const before = store.load("stale", {});
    const stale = {};
    const wanted = [];

    // One call for all rooms: batches are what keeps a plugin cheap.
    const samples = points.read(this.rooms.map(({ co2 }) => co2));
    for (const [i, room] of this.rooms.entries()) {
      const was = before[room.path] ?? 0;
      const ppm = samples[i]?.number;
      // A silent sensor says neither yes nor no.
      const ticks = ppm === undefined ? was : ppm > this.limitPpm ? Math.min(TICKS, was + 1) : 0;
      if (was < TICKS && ticks === TICKS) {
        const detail = words("二氧化碳浓度偏高，请开窗", "CO₂ is high: open a window");
        refused("the alarm", () => alarms.raise("stale-air", room.path, detail));
      } else if (was === TICKS && ticks === 0) {
        refused("the end of the alarm", () => alarms.clear("stale-air", room.path));
      }
      if (ticks === TICKS && room.setpoint !== undefined && this.setpointC !== undefined) {
        // It lets go by itself when two ticks fail to renew it, and at once when people command it (slot 8).
        wanted.push(commands.command(room.setpoint, this.setpointC, REASON, { priority: 12, expiresS: 3 * TICK_S }));
      }
      if (ticks) stale[room.path] = ticks;
    }

    for (const denial of commands.write(wanted)) {
      if (denial) log.warn(`a setpoint was refused: ${denial.message}`);
    }
    store.save("stale", stale);
  },
});

/** One refusal is not to keep the other rooms from being looked after. */
function refused(what, call) {
  try {
    call();
  } catch (error) {
    if (!(error instanceof Denial)) throw error;
    log.warn(`${what} was refused: ${error.message}`);
  }
}
