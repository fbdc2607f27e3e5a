"""The probe of drills: does one thing as it is told, so that a test of the host can drive what only drills have.
`sdk/probe/README.md` lists the modes; the probes in the other languages have the same, with the same words."""

from campanile_plugin import Denial, Failure, Plugin, Words, drills, log, panels, points, store

FLOOD = 10_000  # far more than any quota: a flood ends with the first denial, or here


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


def now():
    s = drills.now()
    return f"{s.at_s:g} {s.rain_hour_mm:g} {s.rain_six_hours_mm:g} {s.river_m or 0:g} {s.warned or '-'}"


def tell(zh_cn, en):
    drills.tell(Words("保安", "Guard"), Words(zh_cn, en))


def ask(answers):
    drills.ask_trainees("evacuate", Words("疏散吗？", "Evacuate?"), [Words("是", "Yes")] * answers)


def flood_told():
    for _ in range(FLOOD):
        tell("有积水", "Water")


def progress(action):
    return drills.progress(action).name.lower().replace("_", "-")


class Probe(Plugin):
    def start(self, settings):
        self.mode = settings.get("mode", "")

    def on_tick(self, now):
        self.act(self.mode)

    def on_decision(self, decision):
        log.info(f"probe: decision: {decision.id} {decision.answer} {decision.person}")

    def act(self, mode):
        match mode:
            case "":
                pass
            case "find":
                asked(mode, lambda: len(points.find("**")))
            case "store":
                asked(mode, store.set, "key", b"value")
            case "panel":
                asked(mode, panels.show, "probe", panels.column("all", [panels.text("text", Words("探针", "Probe"))]))
            case "now":
                asked(mode, now)
            case "depth":
                asked(mode, lambda: f"{drills.depth('canteen/**'):g}")
            case "depth-bad":
                asked(mode, lambda: f"{drills.depth('a//b'):g}")
            case "tell":
                asked(mode, tell, "有积水", "Water")
            case "tell-nothing":
                asked(mode, tell, "", "Water")
            case "flood-told":
                asked(mode, flood_told)
            case "progress":
                asked(mode, progress, "barrier")
            case "progress-unknown":
                asked(mode, progress, "other")
            case "begin":
                asked(mode, drills.begin, "barrier")
                asked(mode, drills.begin, "barrier")
                asked(mode, progress, "barrier")
            case "begin-done":
                asked(mode, drills.begin, "siren")
            case "begin-unknown":
                asked(mode, drills.begin, "other")
            case "ask":
                asked(mode, ask, 2)
            case "ask-nothing":
                asked(mode, ask, 0)
            case "ask-much":
                asked(mode, ask, 9)
            case _:
                raise Failure("probe: no such mode")
