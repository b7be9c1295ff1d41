"""The content of cards of filters, before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

CellKind = Literal["kernel", "preferred", "examples", "classes"]
PatternKind = Literal["weights", "colors", "stems", "picture", "curves"]


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A kernel, or an input that was made, as it is drawn.

    Args:
        values: The values themselves, for `Panel.values`.
        view: What is drawn of them: signed weights `(height, width)`; colours from 0 to 1
            `(height, width, 3)`; stems `(n,)`; or curves `(steps, channels)`.
        kind: How it is drawn.
        caption: What is written below it.
    """

    values: np.ndarray
    view: np.ndarray
    kind: PatternKind
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A place to which a filter responds strongly.

    Args:
        view: Colours of the image, or of one slice of it, from 0 to 1, `(height, width, 3)`; of a
            signal the window that the unit sees, `(steps, channels)`.
        box: What the unit sees of it, `((top, bottom), (left, right))`; `None` where this is all.
        lines: What is written below it: the value, and the class.
    """

    view: np.ndarray
    box: tuple[tuple[int, int], tuple[int, int]] | None
    lines: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class FilterCard:
    """A row of a picture: one filter with all that is known of it.

    Args:
        index: The filter.
        notes: What is written below its name.
        remark: What is odd about it, "" for nothing.
        kernel: Its kernel, `None` where the layer has none.
        preferred: The input that drives one unit most.
        examples: The places of its strongest responses.
        class_means: The mean of its strongest response in each image of a class, `(classes,)`.
        images: The images or windows of the examples, for `Panel.values`; `None` where they differ
            in shape.
        words: The examples in words, for `Panel.title`.
    """

    index: int
    notes: Sequence[str]
    remark: str = ""
    kernel: Pattern | None = None
    preferred: Pattern | None = None
    examples: Sequence[Example] = ()
    class_means: np.ndarray | None = None
    images: np.ndarray | None = None
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class CardTable:
    """Cards of filters, one per row.

    Args:
        address: The layer.
        cards: The cards.
        headings: What is written above each column; those without a heading are left out.
        title: The title of the whole picture, letter by letter.
        class_names: The name of each class.
        is_flat: Whether the inputs are signals, drawn as curves.
        limits: The lowest and highest value of curves.
        noun: What a card is of.
    """

    address: str
    cards: Sequence[FilterCard]
    headings: dict[CellKind, str]
    title: str
    class_names: Sequence[str] = ()
    is_flat: bool = False
    limits: tuple[float, float] = (0.0, 1.0)
    noun: str = "filter"

    @property
    def kinds(self) -> tuple[CellKind, ...]:
        """The columns, from left to right."""
        return tuple(self.headings)

    @property
    def places(self) -> int:
        """The number of examples of a card."""
        return max((len(card.examples) for card in self.cards), default=0)

    @property
    def largest_mean(self) -> float:
        """The largest mean of a class on any card."""
        means = [c.class_means.max() for c in self.cards if c.class_means is not None]
        return max([0.0, *map(float, means)])
