"""What was. `capability.history` grants it. At most 10 calls a second."""

from wit_world.imports import history as _history
from wit_world.imports.history import Bucket

from .denial import ask

__all__ = ["Bucket", "buckets", "range"]


def range(point, start, end, limit):
    """Samples from `start` to before `end`, oldest first."""
    return ask(_history.range, point, start, end, limit)


def buckets(point, start, end, width_s):
    """Count, min, mean, max and sum by stretches of so many seconds, at least 60."""
    return ask(_history.buckets, point, start, end, float(width_s))
