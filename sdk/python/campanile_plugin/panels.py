"""What the plugin shows: nodes within nodes, drawn by the hub.

    panels.show("savings", panels.column("all", [
        panels.text("title", Words("节能", "Savings"), Tone.ACCENT),
        panels.gauge("today", Words("今天", "Today"), 12.5, 0, 50, "kWh"),
        panels.button("more", Words("更多", "More")),
    ]))
"""

from wit_world.imports import panels as _panels
from wit_world.imports import types as _types
from wit_world.imports.panels import Tone

from .denial import ask
from .values import Words

__all__ = [
    "Tone", "button", "chart", "choice_field", "column", "form", "gauge", "line", "map_layer", "number_field", "quiz",
    "row", "show", "show_to", "table", "text", "text_field", "toggle_field", "value",
]


class Node:
    """A node with those in it."""

    def __init__(self, id, content, children=()):
        self.id, self.content, self.children = id, content, children


def column(id, children):
    """Below each other."""
    return Node(id, _panels.Content_Column(), children)


def row(id, children):
    """Beside each other."""
    return Node(id, _panels.Content_Row(), children)


def text(id, words, tone=Tone.PLAIN):
    """A text."""
    return Node(id, _panels.Content_Text((words, tone)))


def value(id, point):
    """A point's value, alive."""
    return Node(id, _panels.Content_Value(point))


def gauge(id, words, value, low, high, unit):
    """A number with its range."""
    return Node(id, _panels.Content_Gauge((words, float(value), float(low), float(high), unit)))


def line(names, dots):
    """A line of a chart: pairs of time and value."""
    return _panels.Line(names, [(time, float(value)) for time, value in dots])


def chart(id, lines, unit):
    """Lines over time."""
    return Node(id, _panels.Content_Chart((lines, unit)))


def table(id, head, rows):
    """A head of words, and rows of words; what is no words is the same in both languages."""
    return Node(id, _panels.Content_Table((head, [[_cell(cell) for cell in row] for row in rows])))


def _cell(given):
    return given if isinstance(given, Words) else Words(str(given), str(given))


def button(id, words, tone=Tone.PLAIN):
    """Sends an event."""
    return Node(id, _panels.Content_Button((words, tone)))


def map_layer(id, marks):
    """Colours entities: path, tone, words."""
    return Node(id, _panels.Content_MapLayer(marks))


def quiz(id, question, answers):
    """A question with answers."""
    return Node(id, _panels.Content_Quiz((question, answers)))


def form(id, fields, button):
    """Fields, sent as one event by its button."""
    return Node(id, _panels.Content_Form((fields, button)))


def number_field(id, names, low, high, first):
    """A number."""
    return _panels.Field(id, names, _panels.FieldKind_Number((float(low), float(high), float(first))))


def text_field(id, names, bytes):
    """A text of at most so many bytes."""
    return _panels.Field(id, names, _panels.FieldKind_Text(bytes))


def choice_field(id, names, choices):
    """One of some words."""
    return _panels.Field(id, names, _panels.FieldKind_Choice(choices))


def toggle_field(id, names, first):
    """Yes or no."""
    return _panels.Field(id, names, _panels.FieldKind_Toggle(first))


def show(panel, root):
    """Shows a panel anew to all: one node that holds all others."""
    ask(_panels.show, panel, _flat(root, None, []))


def show_to(panel, person, root):
    """Shows one person a panel of the person's own; None: what all others see."""
    ask(_panels.show_to, panel, person, [] if root is None else _flat(root, None, []))


def _flat(node, parent, nodes):
    place = len(nodes)
    nodes.append(_panels.Node(node.id, parent, node.content))
    for child in node.children:
        _flat(child, place, nodes)
    return nodes


# What was entered, as Python has it.
_types.PanelEvent.entered = property(
    lambda event: {id: entered.value for id, entered in event.fields}, doc="What was entered, by field."
)
