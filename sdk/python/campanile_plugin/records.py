"""What is to be kept for years, each kind declared by a `[[record]]` of the manifest."""

import json

from wit_world.imports import records as _records
from wit_world.imports.records import Kept

from .denial import ask

__all__ = ["Kept", "append", "keep", "last", "newest"]


def append(kind, body):
    """Keeps a record: JSON as a str."""
    ask(_records.append, kind, body)


def newest(kind, limit):
    """The newest records, newest first: a list of `Kept` with `time` and `body`."""
    return ask(_records.newest, kind, limit)


def keep(kind, body):
    """Keeps a dict as a record."""
    append(kind, json.dumps(body, ensure_ascii=False, separators=(",", ":")))


def last(kind, limit):
    """The newest records as pairs of time and dict."""
    return [(kept.time, json.loads(kept.body)) for kept in newest(kind, limit)]
