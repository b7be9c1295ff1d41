"""Draw the evidence for an attribution: curves of deletion and insertion beside a random order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FormatStrFormatter, MaxNLocator

from kerasviz.draw.color import OKABE_ITO, ground_color, readable_color
from kerasviz.draw.text import LINE_HEIGHT, font_size, screen_width, text_height, wrap_text

COLORS = (OKABE_ITO[1], OKABE_ITO[0])
"""Orange for deletion and blue for insertion, as in other charts."""
CONTRAST = 3.8
"""The least contrast of a curve: on white both have more, and on a dark ground blue has less."""
NAMES = ("deletion", "insertion")
DASHES = (0, (3, 2))
"""Of a random order."""
HANDLE, HANDLE_PAD = 1.2, 0.4
"""Length of a line in the legend, and its distance from the words, in font sizes."""
PAD = 4.0
"""Distance between the panel and what is written above it, in points."""


@dataclass(frozen=True, kw_only=True)
class EvidenceCurves:
    """The probability or score of a sample while its pixels are erased, or put into the baseline.

    Args:
        fractions: Shares of the pixels, `(fractions,)`.
        values: Deletion and insertion, the strongest pixels first, `(2, fractions)`.
        random: The same in a random order.
        areas: The area below each of `values`, `(2,)`.
        random_areas: The area below each of `random`.
        is_probability: Whether the values are probabilities, and not scores.
        part: What is erased, in the plural.
    """

    fractions: np.ndarray
    values: np.ndarray
    random: np.ndarray
    areas: np.ndarray
    random_areas: np.ndarray
    is_probability: bool = True
    part: str = "pixels"

    @property
    def lines(self) -> list[str]:
        """The areas in words, those of deletion first."""
        facts = zip(NAMES, self.areas, self.random_areas, strict=True)
        lines = [f"{name} {area:.2f}, random {other:.2f}" for name, area, other in facts]
        return [line.replace("-", "\N{MINUS SIGN}") for line in lines]

    def wrap(self, width: float, size: float) -> list[str]:
        """Return the lines broken to fit a legend of `width` points."""
        return [wrap_text(line, width - (HANDLE + HANDLE_PAD) * size, size) for line in self.lines]

    def legend_height(self, width: float, size: float) -> float:
        """Return the height of the legend, with its distance from the panel, in inches."""
        return text_height("\n".join(self.wrap(width, size)), size) + PAD / 72


def draw_evidence(ax: Axes, curves: EvidenceCurves) -> None:
    """Draw the curves into an Axes."""
    for color, values, random in zip(_colors(ax), curves.values, curves.random, strict=True):
        ax.plot(curves.fractions, values, color=color, linewidth=1.6)
        ax.plot(curves.fractions, random, color=color, linewidth=1.1, linestyle=DASHES)
    if curves.is_probability:
        ax.set_ylim(-0.03, 1.03)
        ax.yaxis.set_major_locator(FixedLocator([0, 1]))
        ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    else:
        ax.yaxis.set_major_locator(MaxNLocator(2))
    ax.set_xlim(0, 1)
    zero, one = ax.set_xticks([0, 1], labels=["0", "1"])
    zero.label1.set_horizontalalignment("left")  # away from the numbers at the left
    one.label1.set_horizontalalignment("right")
    ax.tick_params(labelsize="small", length=2, pad=2)
    ax.grid(False)
    ax.spines[["top", "right"]].set_visible(False)


def _colors(ax: Axes) -> list[str]:
    return [readable_color(color, ground_color(ax), CONTRAST) for color in COLORS]


def label_evidence(
    ax: Axes, curves: EvidenceCurves, width: float, *, x_label: bool, y_label: bool
) -> None:
    """Write the areas under curves above them, and the names of the axes where they have room.

    Args:
        ax: Where the curves are, at the size that it has.
        curves: The curves.
        width: How wide the lines above may be, in points.
        x_label: Whether the horizontal axis has its numbers and its name here.
        y_label: Whether the vertical axis has its name here.
    """
    ax.tick_params(labelbottom=x_label)
    box, dpi = ax.get_window_extent(), ax.figure.dpi
    name = "probability" if curves.is_probability else "score"
    y_label = y_label and _is_between_numbers(name, box.height / dpi)
    pad = -4 if curves.is_probability else 1
    ax.set_ylabel(name if y_label else "", fontsize="small", labelpad=pad)
    name = f"share of {curves.part}"
    x_label = x_label and _is_between_numbers(name, box.width / dpi)
    ax.set_xlabel(name if x_label else "", fontsize="small", labelpad=-4)
    size = font_size("small")
    _write_legend(ax, curves.wrap(width, size), size)


def _is_between_numbers(name: str, inches: float) -> bool:
    """Whether the name of an axis has room between the numbers at its ends."""
    size = font_size("small")
    return screen_width(name, size) + 2.5 * size < 72 * inches


def _write_legend(ax: Axes, lines: Sequence[str], size: float) -> None:
    handles = [
        Line2D([], [], color=color, linewidth=1.6, label=line)
        for color, line in zip(_colors(ax), lines, strict=True)
    ]
    legend = ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        fontsize=size,
        frameon=False,
        borderpad=0,
        borderaxespad=PAD / 2 / size,
        handlelength=HANDLE,
        handletextpad=HANDLE_PAD,
        labelspacing=LINE_HEIGHT - 1.17,
    )
    legend.set_in_layout(False)
