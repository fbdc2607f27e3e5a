"""The points of the campus. Find once, in `start`; read in batches."""

from wit_world.imports import points as _points
from wit_world.imports.points import Info

from .denial import ask
from .values import Quality, value

__all__ = ["Derived", "Info", "by_path", "find", "publish", "read"]


def find(glob):
    """The points whose paths match (`*` is one part, `**` any number): a list of `Info`."""
    return ask(_points.find, glob)


def by_path(path):
    """The point of a path."""
    return ask(_points.by_path, path)


def read(points):
    """The newest samples of handles, in their order; None where a point has none."""
    return ask(_points.read, points)


def Derived(id, given, entity="", quality=Quality.GOOD):
    """A value of a `[[derived]]` of the manifest, for one of the entities of its `each` where it has that."""
    return _points.Derived(id, entity, value(given), quality)


def publish(values):
    """Gives values of derived points: a list of `Derived`."""
    ask(_points.publish, values)
