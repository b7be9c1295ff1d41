"""The error of a command that cannot do what was asked."""


class CommandError(Exception):
    """A failure that is told in one line, without a traceback."""
