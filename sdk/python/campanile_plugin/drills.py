"""A drill that runs in a rehearsal. `capability.drill` grants it."""

from wit_world.imports import drills as _drills
from wit_world.imports.drills import Situation, Stage

from .denial import ask

__all__ = ["Situation", "Stage", "ask_trainees", "begin", "depth", "now", "progress", "tell"]


def now():
    """How the drill stands."""
    return ask(_drills.now)


def depth(glob):
    """The greatest depth of water in the spaces that a glob matches, m."""
    return ask(_drills.depth, glob)


def tell(from_, message):
    """Tells the trainees something; both are `Words`."""
    ask(_drills.tell, from_, message)


def progress(action):
    """How far an action is: a `Stage`."""
    return ask(_drills.progress, action)


def begin(action):
    """Begins an action, as its role would."""
    ask(_drills.begin, action)


def ask_trainees(id, question, answers):
    """Asks for a decision; `on_decision` is told."""
    ask(_drills.ask, id, question, answers)
