"""Commands to the field. `capability.command` grants globs of points and a band of the priority array."""

from componentize_py_types import Err
from wit_world.imports import commands as _commands
from wit_world.imports.commands import Holding

from .denial import ask, denial
from .values import value

__all__ = ["Command", "Holding", "hold", "holds", "one", "relinquish", "write"]


def Command(point, given, reason, priority=16, expires_s=900):
    """A wish: the value, the slot from 1 (strongest) to 16, and the seconds until it lets go by itself."""
    return _commands.Command(point, value(given), priority, float(expires_s), reason)


def write(commands):
    """Writes many in one call; an answer each, None or a `Denial`."""
    return [denial(answer.value) if isinstance(answer, Err) else None for answer in _commands.write(commands)]


def one(command):
    """Writes one."""
    for answer in write([command]):
        if answer:
            raise answer


def hold(every_s, command):
    """Holds a point for as long as this is called every so many seconds: the command outlives two calls that fail."""
    command.expires_s = min(3.0 * every_s, 86_400.0)
    one(command)


def relinquish(points):
    """Lets go of points."""
    ask(_commands.relinquish, points)


def holds(point):
    """What holds a point now, or None."""
    return ask(_commands.holds, point)
