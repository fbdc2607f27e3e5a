"""What feeds what: the networks of the campus as trees, as far as the plugin sees their meters."""

from wit_world.imports import networks as _networks
from wit_world.imports.networks import NetworkKind, Node

from .denial import ask

__all__ = ["NetworkKind", "Node", "nodes"]


def nodes(kind):
    """The nodes of a kind, parents before what hangs on them; `parent` is an index in the list."""
    return ask(_networks.nodes, kind)
