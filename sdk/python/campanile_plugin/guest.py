"""What the hub calls, over a `Plugin`."""

import sys

from componentize_py_types import Err
from wit_world.imports.log import Level, write

from .denial import Failure
from .values import samples

__all__ = ["Plugin", "Settings"]


class Settings(dict):
    """Settings by name, as text."""

    def number(self, name, default=0.0):
        """A setting as a float."""
        return self._read(name, default, float)

    def truth(self, name, default=False):
        """A setting that is `true` or `false`."""
        return self._read(name, default, {"true": True, "false": False}.__getitem__)

    def _read(self, name, default, read):
        if name not in self:
            return default
        try:
            return read(self[name].strip())
        except (KeyError, ValueError):
            kind = "true or false" if isinstance(default, bool) else "a number"
            raise Failure(f'setting {name} = "{self[name]}" is not {kind}') from None


class Plugin:
    """What a plugin is. Every method does nothing unless it is written."""

    _made = None

    def __init_subclass__(cls):
        Plugin._made = cls

    def start(self, settings):
        """Before anything else in each new instance. It may read; nothing that it does to the campus is taken."""

    def on_samples(self, samples):
        """New values of the points of `subscribe.points`, oldest first: a list of `Sample`."""

    def on_tick(self, now):
        """Every `subscribe.tick_s` seconds of the world."""

    def on_alarms(self, changes):
        """Alarms of the entities of `subscribe.alarms` have changed."""

    def on_panel(self, event):
        """Somebody used one of the plugin's panels."""

    def on_outcome(self, outcome):
        """Activities: what became of a proposal."""

    def on_decision(self, decision):
        """Drills: what trainees decided."""


class _Lines:
    """Where `print` goes: whole lines, into the log."""

    def __init__(self, level):
        self.level, self.begun = level, ""

    def write(self, text):
        *lines, self.begun = (self.begun + text).split("\n")
        for line in lines:
            write(self.level, line)
        return len(text)

    def flush(self):
        if self.begun:
            write(self.level, self.begun)
            self.begun = ""


def _way(error):
    """Where it came from, the innermost first: `app.py:12 in on_tick`. The lines themselves are not in the component."""
    places, trace = [], error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        if "campanile_plugin" not in code.co_filename:
            places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return ", called by ".join(reversed(places))


_plugin = None


def _call(method, *given):
    try:
        method(*given)
        sys.stdout.flush()
        sys.stderr.flush()
    except Failure as why:
        raise Err(f"{why} ({_way(why)})") from None
    except BaseException as bug:
        # A trap has no words: they are logged before.
        write(Level.ERROR, f"{type(bug).__name__}: {bug} ({_way(bug)})")
        raise


class Handler:
    """What every world exports."""

    def start(self, settings):
        global _plugin
        sys.stdout, sys.stderr = _Lines(Level.INFO), _Lines(Level.ERROR)
        if Plugin._made is None:
            raise Err("app.py has no subclass of campanile_plugin.Plugin")
        _plugin = Plugin._made()
        try:
            _call(_plugin.start, Settings(settings))
        except Err:
            raise
        except Exception as bug:
            # It has been logged; the hub is told in words as well.
            raise Err(f"{type(bug).__name__}: {bug} ({_way(bug)})") from None

    def on_samples(self, batch):
        # What nobody hears is not made ready either.
        if getattr(_plugin.on_samples, "__func__", None) is not Plugin.on_samples:
            _call(_plugin.on_samples, samples(batch))

    def on_tick(self, now):
        _call(_plugin.on_tick, now)

    def on_alarms(self, changes):
        _call(_plugin.on_alarms, changes)

    def on_panel(self, event):
        _call(_plugin.on_panel, event)


class Learning:
    """What an activity exports beside."""

    def on_outcome(self, outcome):
        _call(_plugin.on_outcome, outcome)


class Directing:
    """What a drill exports beside."""

    def on_decision(self, decision):
        _call(_plugin.on_decision, decision)
