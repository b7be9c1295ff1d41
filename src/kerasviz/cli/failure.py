"""What a command says when it cannot do what was asked."""


class Failure(Exception):  # noqa: N818 - it ends a command as expected, and is no bug
    """A failure that is told in one line, without a traceback."""
