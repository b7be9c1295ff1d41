"""Words for titles: names drawn letter by letter, and which sample of a batch is shown."""

from __future__ import annotations


def escape(text: str) -> str:
    r"""Return text that Matplotlib draws letter by letter, where "$" would begin a formula.

    Matplotlib reads a text as a formula if it holds an even number of "$" that have no backslash
    before them, and of any other text it draws "\$" as "$". With a backslash before each "$" there
    is no formula, and the text is drawn as it was, its own backslashes too. Escape a name once,
    where it is put into a text: a `title` of the caller's may hold formulas beside it.
    """
    return text.replace("$", r"\$")


def sample_of(index: int, total: int) -> str:
    """Return "sample 7 of 10" for a title; nothing where there is one sample only."""
    return f"sample {index} of {total}" if total > 1 else ""
