"""What the plugin remembers. Instances come and go; what is not here is forgotten."""

import json

from wit_world.imports import store as _store

from .denial import ask

__all__ = ["delete", "get", "keys", "load", "save", "set"]


def get(key):
    """The bytes of a key, or None."""
    return ask(_store.get, key)


def set(key, given):
    """Sets the bytes of a key of at most 128 bytes."""
    ask(_store.set, key, given)


def delete(key):
    """Forgets a key."""
    ask(_store.delete, key)


def keys(prefix=""):
    """The keys that begin so."""
    return ask(_store.keys, prefix)


def load(key, default=None):
    """What was saved under a key."""
    kept = get(key)
    return default if kept is None else json.loads(kept)


def save(key, given):
    """Saves what JSON can hold."""
    set(key, json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode())
