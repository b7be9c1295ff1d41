"""Names that other people chose, as text that Matplotlib draws letter by letter."""

from __future__ import annotations


def escape(text: str) -> str:
    r"""Return text that Matplotlib draws letter by letter, where "$" would begin a formula.

    Matplotlib reads a text as a formula if it holds an even number of "$" that have no backslash
    before them, and of any other text it draws "\$" as "$". With a backslash before each "$" there
    is no formula, and the text is drawn as it was, its own backslashes too. Escape a name once,
    where it is put into a text: a `title` of the caller's may hold formulas beside it.
    """
    return text.replace("$", r"\$")
