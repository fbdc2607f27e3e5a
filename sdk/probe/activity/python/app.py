"""The probe of activities: does one thing as it is told, so that a test of the host can drive what only activities have.
`sdk/probe/README.md` lists the modes; the probes in the other languages have the same, with the same words."""

import math

from campanile_plugin import (
    Denial, Failure, Plugin, Words, activities, clock, history, log, networks, panels, points, records, store,
)
from campanile_plugin.networks import NetworkKind

PERSON = "7-2/Swift"


def asked(mode, call, *given):
    """Logs what the hub answered, with what the call gives where that is a count or a text."""
    try:
        said = call(*given)
        if isinstance(said, str):
            log.info(f"probe: {mode}: {said}")
        else:
            log.info(f"probe: {mode}: ok" + (f" {said}" if type(said) is int else ""))
    except Denial as denial:
        log.info(f"probe: {mode}: {denial.kind}")


def last_hour():
    now = clock.now()
    return len(history.range(points.by_path("teaching-a/2f/203/ac/setpoint").point, now - clock.HOUR, now, 100))


def tree():
    return panels.column("all", [
        panels.text("text", Words("探针", "Probe")),
        panels.table("table", [Words("甲", "A")], [[Words("乙", "B")]]),
    ])


def missions(count):
    names, task = Words("任务", "Mission"), Words("关灯", "Lights out")
    return [activities.Mission(f"m{n}", names, task, 10) for n in range(count)]


def award_both():
    """Offered and given in one call; a second time is too much."""
    activities.offer(missions(2))
    activities.award("m1", "teacher", 10)
    activities.award("m1", "teacher", 10)


def league():
    return ", ".join(f"{standing.group} {standing.points}" for standing in activities.league())


def propose(glob, value, from_h, days):
    activities.propose("warmer", "调高空调", "Warmer rooms", [activities.Change(glob, value, from_h, 17.0)], days)


class Probe(Plugin):
    def start(self, settings):
        self.mode = settings.get("mode", "")

    def on_tick(self, now):
        self.act(self.mode)

    def on_panel(self, event):
        self.act(self.mode)

    def on_outcome(self, outcome):
        log.info(f"probe: outcome: {outcome.id} {outcome.energy_kwh[0]:g} {outcome.failed or '-'}")

    def act(self, mode):
        match mode:
            case "":
                pass
            case "find":
                asked(mode, lambda: len(points.find("**")))
            case "networks":
                asked(mode, lambda: len(networks.nodes(NetworkKind.WATER)))
            case "history":
                asked(mode, last_hour)
            case "record":
                asked(mode, records.keep, "probe", {"n": 1})
            case "records":
                asked(mode, lambda: len(records.newest("probe", 10)))
            case "store":
                asked(mode, store.set, "key", b"value")
            case "panel":
                asked(mode, panels.show, "probe", tree())
            case "show-to":
                asked(mode, panels.show_to, "probe", PERSON, tree())
            case "show-to-nobody":
                asked(mode, panels.show_to, "probe", "", tree())
            case "show-to-all":
                asked(mode, panels.show_to, "probe", PERSON, None)
            case "derived":
                asked(mode, points.publish, [points.Derived("rooms", 1, entity="teaching-a/2f")])
            case "derived-elsewhere":
                asked(mode, points.publish, [points.Derived("rooms", 1, entity="labs/2f")])
            case "offer":
                asked(mode, activities.offer, missions(2))
            case "offer-twice":
                asked(mode, activities.offer, missions(1) + missions(1))
            case "offer-many":
                asked(mode, activities.offer, missions(101))
            case "offer-nothing":
                asked(mode, activities.offer, [])
            case "award":
                asked(mode, activities.award, "m0", PERSON, 10)
            case "award-both":
                asked(mode, award_both)
            case "award-unknown":
                asked(mode, activities.award, "other", PERSON, 1)
            case "award-much":
                asked(mode, activities.award, "m0", "teacher", 11)
            case "league":
                asked(mode, league)
            case "propose":
                asked(mode, propose, "**/ac/setpoint", 26.0, 12.0, 3)
            case "propose-switch":
                asked(mode, propose, "**/ac/on", 0.0, 12.0, 1)
            case "propose-half":
                asked(mode, propose, "**/ac/on", 0.5, 12.0, 1)
            case "propose-sensor":
                asked(mode, propose, "**/co2", 400.0, 12.0, 1)
            case "propose-hours":
                asked(mode, propose, "**/ac/setpoint", 26.0, 18.0, 3)
            case "propose-nan":
                asked(mode, propose, "**/ac/setpoint", math.nan, 12.0, 3)
            case "propose-long":
                asked(mode, propose, "**/ac/setpoint", 26.0, 12.0, 8)
            case _:
                raise Failure("probe: no such mode")
