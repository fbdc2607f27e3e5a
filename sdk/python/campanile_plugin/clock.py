"""The time of the world, in microseconds since 1970 UTC. It stands still within a call."""

from wit_world.imports.clock import LocalTime, local, now

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "LocalTime", "local", "now"]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
