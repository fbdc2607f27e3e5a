"""Values between the contract and Python: numbers, `bool`, `Choice`, `str`."""

from wit_world.imports import types
from wit_world.imports.types import Quality, Sample, Words

from .denial import Denial

__all__ = ["Choice", "Quality", "Sample", "Words", "plain", "value"]


class Choice(int):
    """The index of one of a point's choices, from 0."""


def value(given):
    """A value as the contract has it."""
    if isinstance(given, bool):
        return types.Value_Boolean(given)
    if isinstance(given, Choice):
        return types.Value_Choice(given)
    if isinstance(given, (int, float)):
        return types.Value_Number(float(given))
    if isinstance(given, str):
        return types.Value_Text(given)
    raise Denial("invalid", f"a value is a number, a bool, a Choice or a str, not {type(given).__name__}")


def plain(variant):
    """A value of the contract as Python has it."""
    return Choice(variant.value) if type(variant) is types.Value_Choice else variant.value


_QUALITIES = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.STALE)


def samples(batch):
    """The samples of a batch, in their order."""
    texts = batch.texts
    kinds = (
        types.Value_Number,
        lambda number: types.Value_Boolean(number != 0.0),
        lambda number: types.Value_Choice(int(number)),
        lambda number: types.Value_Text(texts[int(number)]),
    )
    parts = zip(batch.points, batch.times, batch.qualities, batch.kinds, batch.numbers)
    return [
        Sample(point, time, _QUALITIES[quality], kinds[kind](number)) for point, time, quality, kind, number in parts
    ]


def _relied_on(kind):
    def of(sample):
        if type(sample.value) is kind and sample.quality.value <= Quality.UNCERTAIN.value:
            return sample.value.value
        return None

    return of


# The generated class itself, so that a batch costs nothing to look at.
Sample.number = property(
    _relied_on(types.Value_Number), doc="Its number where it may be relied upon (good or uncertain), else None."
)
Sample.truth = property(
    _relied_on(types.Value_Boolean),
    doc="Whether it is so where it may be relied upon (good or uncertain), else None: a silent sensor has not said no.",
)
Sample.plain = property(lambda sample: plain(sample.value), doc="Its value: a float, bool, Choice or str.")
