"""A rule for rooms: where CO₂ stays high for three ticks it raises an alarm. Where the setting `act` says so, it also
raises the setpoint of the air conditioning, so that windows can be opened without cooling the yard."""

from campanile_plugin import Denial, Plugin, alarms, commands, log, points, store

TICK_S = 60  # seconds between ticks, as in plugin.toml
TICKS = 3  # so many in a row make an alarm
REASON = "空气不新鲜，需要开窗 / the air is stale: windows are to be opened"  # one text, shown to all


class StaleAir(Plugin):
    def start(self, settings):
        self.limit_ppm = settings.number("limit_ppm", 1000)
        # What to command, °C; None where the rule only watches.
        self.setpoint_c = settings.number("setpoint_c", 28) if settings.truth("act") else None
        # Looked up once: handles stay good for as long as this instance lives.
        setpoints = {info.path: info.point for info in points.find("**/ac/setpoint")}
        sensors = points.find("**/co2")
        self.handles = [info.point for info in sensors]
        self.rooms = [info.path.removesuffix("/co2") for info in sensors]
        self.setpoints = [setpoints.get(f"{room}/ac/setpoint") for room in self.rooms]

    def on_tick(self, now):
        # Ticks in a row that a room has been stale. In the store, since this instance may be gone at the next tick.
        before = store.load("stale", {})
        stale, wanted = {}, []

        # One call for all rooms: batches are what keeps a plugin cheap.
        for room, setpoint, sample in zip(self.rooms, self.setpoints, points.read(self.handles)):
            was = before.get(room, 0)
            ppm = sample.number if sample else None
            if ppm is None:
                ticks = was  # a silent sensor says neither yes nor no
            else:
                ticks = min(TICKS, was + 1) if ppm > self.limit_ppm else 0
            if was < TICKS and ticks == TICKS:
                detail = ("二氧化碳浓度偏高，请开窗", "CO₂ is high: open a window")
                refused("the alarm", alarms.raise_, "stale-air", room, *detail)
            elif was == TICKS and ticks == 0:
                refused("the end of the alarm", alarms.clear, "stale-air", room)
            if ticks == TICKS and setpoint is not None and self.setpoint_c is not None:
                # It lets go by itself when two ticks fail to renew it, and at once when people command it (slot 8).
                wanted.append(commands.Command(setpoint, self.setpoint_c, REASON, priority=12, expires_s=3 * TICK_S))
            if ticks:
                stale[room] = ticks

        for denial in commands.write(wanted):
            if denial:
                log.warn(f"a setpoint was refused: {denial}")
        store.save("stale", stale)


def refused(what, call, *given):
    """One refusal is not to keep the other rooms from being looked after."""
    try:
        call(*given)
    except Denial as denial:
        log.warn(f"{what} was refused: {denial}")
