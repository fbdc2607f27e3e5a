"""A log that people read with `campanile plugin logs`. `print` writes into it as well."""

from wit_world.imports.log import Level, write

__all__ = ["Level", "debug", "error", "info", "warn", "write"]


def debug(line):
    """For who looks for a fault."""
    write(Level.DEBUG, str(line))


def info(line):
    """What the plugin does."""
    write(Level.INFO, str(line))


def warn(line):
    """Somebody should look at it some day."""
    write(Level.WARN, str(line))


def error(line):
    """Somebody should look at it now."""
    write(Level.ERROR, str(line))
