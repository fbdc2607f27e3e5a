"""Plugins for the campus hub Campanile, in Python.

A plugin is one subclass of `Plugin` in `app.py`; the hub calls its methods, and it answers by calling the modules here,
one for each capability of the contract:

    from campanile_plugin import Plugin, points, log

    class Stuffy(Plugin):
        def start(self, settings):
            self.limit_ppm = settings.number("limit_ppm", 1000)

        def on_samples(self, samples):
            stuffy = sum(1 for s in samples if s.number is not None and s.number > self.limit_ppm)
            log.info(f"{stuffy} of {len(samples)} readings are stuffy")

There is no file, socket, clock of the machine or random number. Modules have to be imported at the top of a file: later
they can't be found. What is not granted is raised as a `Denial`. A `Denial` or `Failure` that nobody catches ends the call
with an error, and what it did stands; any other exception undoes the call. Either is logged with its lines.

Instances come and go: what an object holds is for speed, what must last is in the `store`.
"""

from . import clock, log, panels, points, store
from .denial import Denial, Failure
from .guest import Plugin, Settings
from .values import Choice, Quality, Sample, Words

__all__ = [
    "Choice", "Denial", "Failure", "Plugin", "Quality", "Sample", "Settings", "Words",
    "clock", "log", "panels", "points", "store",
]

# Each world has what it has: a rule no drills, a drill no commands.
for _name in ("history", "networks", "records", "commands", "alarms", "activities", "drills"):
    try:
        globals()[_name] = __import__(f"campanile_plugin.{_name}", fromlist=[_name])
        __all__.append(_name)
    except ImportError as _why:
        if not (_why.name or "").startswith("wit_world"):
            raise
