"""Why the hub did not do it."""

from componentize_py_types import Err


def _words(kind, value):
    match kind:
        case "not-granted":
            return f"not granted: {value}"
        case "unknown-point":
            return "no such point, or not one that this plugin may see"
        case "invalid":
            return f"cannot be used: {value}"
        case "out-of-limits":
            return f"outside the limits of the point, {value[0]:g} to {value[1]:g}"
        case "too-strong":
            return f"priority too strong; the strongest granted is {value}"
        case "too-soon":
            return f"too soon; wait {value:g} s"
        case "interlocked":
            return f"forbidden by the interlock {value}"
        case "quota":
            return f"more than the quota of {value}"
        case _:
            return f"not available now: {value}"


class Failure(Exception):
    """Raised by a plugin that gives up: the call ends with an error, and what it did stands."""


class Denial(Failure):
    """The hub did not do it, and nothing has changed."""

    def __init__(self, kind, value=None):
        super().__init__(_words(kind, value))
        #: As the contract spells it, such as `too-strong`.
        self.kind = kind
        #: What goes with it: the limits, the seconds to wait, the reason.
        self.value = value


def denial(variant):
    """A denial of the contract as an exception."""
    name = type(variant).__name__.removeprefix("Denial_")
    kind = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).strip("-")
    return Denial(kind, getattr(variant, "value", None))


def ask(call, *given):
    """Calls the hub."""
    try:
        return call(*given)
    except Err as err:
        raise denial(err.value) from None
