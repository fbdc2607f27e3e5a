"""Alarms of the plugin's own, each declared by an `[[alarm]]` of the manifest."""

from wit_world.imports import alarms as _alarms

from .denial import ask
from .values import Words

__all__ = ["clear", "raise_"]


def raise_(id, entity, zh_cn, en):
    """Raises an alarm for an entity (its path; empty: the campus) with what people have to know, in both languages."""
    ask(_alarms.raise_, id, entity, Words(zh_cn, en))


def clear(id, entity):
    """It is over."""
    ask(_alarms.clear, id, entity)
