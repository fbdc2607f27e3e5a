"""Learning: missions, scores, and proposals that are tried in a rehearsal. `capability.activities` grants it."""

from wit_world.imports import activities as _activities
from wit_world.imports.activities import Change, Mission, Standing

from .denial import ask
from .values import Words

__all__ = ["Change", "Mission", "Standing", "award", "league", "offer", "propose"]


def offer(missions):
    """Offers missions; those offered before and not here end."""
    ask(_activities.offer, missions)


def award(mission, person, points):
    """Gives a person points for a mission, once."""
    ask(_activities.award, mission, person, points)


def propose(id, zh_cn, en, changes, days):
    """Tries changes in a rehearsal of so many days; `on_outcome` is told."""
    ask(_activities.propose, id, Words(zh_cn, en), changes, days)


def league():
    """The classes by points."""
    return ask(_activities.league)
