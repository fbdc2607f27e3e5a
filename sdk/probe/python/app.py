"""The probe: does one thing as it is told, so that a test of the host can drive every capability, every denial and every
failure. `sdk/probe/README.md` lists the modes; the probes in the other languages have the same, with the same words."""

import math

from campanile_plugin import (
    Choice, Denial, Failure, Plugin, Words, alarms, clock, commands, history, log, panels, points, records, store,
)
from campanile_plugin.panels import Tone

FORGED = 4_000_000  # a handle that no host has given
FLOOD = 10_000  # far more than any quota: a flood ends with the first denial, or here
MIB = 1 << 20


def asked(mode, call, *given):
    """Logs what the hub answered, with what the call gives where that is a count."""
    try:
        count = call(*given)
        log.info(f"probe: {mode}: ok" + (f" {count}" if type(count) is int else ""))
    except Denial as denial:
        log.info(f"probe: {mode}: {denial.kind}")


def command(point, value, priority=12):
    return commands.Command(point, value, "probe", priority, expires_s=60)


def write_all(wishes):
    """The first denial among the answers, else nothing."""
    for denial in commands.write(wishes):
        if denial:
            raise denial


def numbers(samples):
    return [(s, s.plain) for s in samples if type(s.plain) is float]


def sum_of(samples):
    """What samples are, each by its place, as one number."""
    def one(sample):
        match sample.plain:
            case bool(yes):
                given = 10 + yes
            case Choice() as index:
                given = 20 + index
            case str(text):
                given = 30 + len(text)
            case number:
                given = int(number)
        return 1 + sample.quality.value + given
    return sum(place * one(sample) for place, sample in enumerate(samples, 1))


def flood(turn):
    for n in range(FLOOD):
        turn(n)


def count_calls():
    calls = store.load("calls", 0) + 1
    store.save("calls", calls)
    return calls


def show_panel():
    panels.show("probe", panels.column("all", [
        panels.text("text", Words("探针", "Probe")),
        panels.button("button", Words("按钮", "Button"), Tone.ACCENT),
    ]))


def fill_memory(mode):
    taken = []
    try:
        while True:
            taken.append(bytearray(MIB))
    except MemoryError:
        # Given back first: the line needs some itself.
        taken.clear()
    log.info(f"probe: {mode}: refused")


def deeper(depth):
    return deeper(depth + 1) + 1


class Probe(Plugin):
    def start(self, settings):
        self.mode = settings.get("mode", "")
        self.wanted = settings.get("target", "")  # a handle, or a path; may be empty
        if self.mode == "trap-start":
            raise SystemError("probe: trap-start")

    def on_samples(self, samples):
        if self.mode:
            self.act(self.mode, samples)
            return
        for sample in samples:
            if isinstance(sample.plain, str):
                self.act(sample.plain, samples)

    def on_tick(self, now):
        self.act(self.mode, [])

    def on_alarms(self, changes):
        self.act(self.mode, [])

    def on_panel(self, event):
        self.act(self.mode, [])

    def target(self, samples):
        """The point to act upon: the setting's, else that of the first number among the samples."""
        if self.wanted.isdigit():
            return int(self.wanted)
        if self.wanted:
            return points.by_path(self.wanted).point
        for sample, _ in numbers(samples):
            return sample.point
        raise Denial("unknown-point")

    def command_target(self, samples, value, priority):
        commands.one(command(self.target(samples), value, priority))

    def flood_commands(self, samples):
        batch = [command(self.target(samples), 24)] * 1000
        for _ in range(5):
            write_all(batch)

    def last_hour(self, samples, ask, *more):
        now = clock.now()
        return len(ask(self.target(samples), now - clock.HOUR, now, *more))

    def act(self, mode, samples):
        match mode:
            case "" | "trap-start":
                pass
            case "echo":
                values = [points.Derived("echo", number, quality=s.quality) for s, number in numbers(samples)]
                asked(mode, points.publish, values)
            case "sum":
                asked(mode, sum_of, samples)
            case "command" | "trap-mid-command":
                asked(mode, write_all, [command(s.point, number) for s, number in numbers(samples)])
                if mode == "trap-mid-command":
                    raise SystemError("probe: trap")
            case "find":
                asked(mode, lambda: len(points.find("**")))
            case "by-path":
                asked(mode, lambda: len([points.by_path(self.wanted)]))
            case "read":
                asked(mode, lambda: len(points.read([self.target(samples)])))
            case "history":
                asked(mode, self.last_hour, samples, history.range, 100)
            case "buckets":
                asked(mode, self.last_hour, samples, history.buckets, 600)
            case "holds":
                asked(mode, lambda: int(commands.holds(self.target(samples)) is not None))
            case "relinquish":
                asked(mode, lambda: commands.relinquish([self.target(samples)]))
            case "alarm":
                asked(mode, alarms.raise_, "probe", "", "探针", "Probe")
            case "clear":
                asked(mode, alarms.clear, "probe", "")
            case "record":
                asked(mode, records.keep, "probe", {"n": 1})
            case "records":
                asked(mode, lambda: len(records.newest("probe", 1000)))
            case "store":
                asked(mode, count_calls)
            case "panel":
                asked(mode, show_panel)
            case "clock":
                now = clock.now()
                log.info(f"probe: {mode}: ok {now} {clock.local(now).hour}")
            case "log":
                for write in (log.debug, log.info, log.warn, log.error):
                    write(f"probe: {mode}: ok")
            case "loop":
                while True:
                    pass
            case "host-loop":
                while True:
                    clock.now()
            case "memory":
                fill_memory(mode)
            case "recursion":
                deeper(1)
            case "trap":
                raise SystemError("probe: trap")
            case "panic":
                raise RuntimeError("probe: panic")
            case "error":
                raise Failure("probe: error")
            case "forged-handle":
                asked(mode, lambda: None if points.read([FORGED]) else None)
                asked(mode, commands.one, command(FORGED, 1))
            case "outside-globs":
                asked(mode, self.command_target, samples, 1, 12)
            case "too-strong":
                asked(mode, self.command_target, samples, 1, 1)
            case "out-of-limits":
                asked(mode, self.command_target, samples, 1e9, 12)
            case "nan":
                asked(mode, points.publish, [points.Derived("echo", math.nan)])
            case "huge-batch":
                asked(mode, points.publish, [points.Derived("echo", 1)] * 100_000)
            case "store-full":
                asked(mode, flood, lambda n: store.set(f"full-{n}", bytes(1024)))
            case "flood-commands":
                asked(mode, self.flood_commands, samples)
            case "flood-alarms":
                asked(mode, flood, lambda n: alarms.raise_("probe", "", "告警", f"flood {n}"))
            case "flood-records":
                asked(mode, flood, lambda n: records.append("probe", '{"n":1}'))
            case "flood-logs":
                flood(lambda n: log.info(f"probe: {mode}: ok"))
            case _:
                raise Failure("probe: no such mode")
