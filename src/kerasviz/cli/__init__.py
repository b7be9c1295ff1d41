"""The command `kerasviz`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence

from kerasviz.cli.errors import CommandError
from kerasviz.cli.parser import make_parser
from kerasviz.cli.terminal import plain_warnings, remark


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, or 1 for a failure that is not a bug."""
    options = make_parser().parse_args(
        _join_values(sys.argv[1:] if arguments is None else arguments)
    )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up chatter
    os.environ["MPLBACKEND"] = "Agg"
    try:
        with plain_warnings():
            options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # as with `| head`: nobody reads on, which is not worth a message
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        remark(f"{error.strerror}: {error.filename}" if error.filename else error)
        return 1
    except CommandError as error:
        remark(error)
        return 1
    except KeyboardInterrupt:
        remark("interrupted")
        return 1
    return 0


def _join_values(arguments: Sequence[str]) -> list[str]:
    """Return arguments in which a value such as -1-1 or -3: is joined to its option by "=".

    Alone, argparse takes it for an option, unless it is a plain number.
    """
    joined: list[str] = []
    for argument in arguments:
        is_value = bool(joined) and re.fullmatch(r"-\d.*", argument)
        if is_value and re.fullmatch(r"--[\w-]+", joined[-1]):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined
