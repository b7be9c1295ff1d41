"""The keywords that every plot of tiles shares, and their checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, get_args

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure, SubFigure
from typing_extensions import Unpack

from kerasviz._checks import (
    check_choice,
    check_count,
    check_names,
    check_type,
    is_finite_number,
    suggest,
)
from kerasviz._selection import Sort, TileChoice, Tiles
from kerasviz.draw.color import ColorChoice, Robust, Scale
from kerasviz.draw.figure import Placement, check_placement

MAX_COLUMNS = 10_000


class TileOptions(TypedDict, total=False):
    """Keywords of every function that draws tiles; each has one meaning everywhere.

    Attributes:
        tiles: Which tiles to draw, by index: an int, a slice or a list; negative indices count from
            the end. "all" is all of them. `None` too, up to 128; of more it is the 64 strongest,
            which are numbered. The title says which.
        sort: The order of the tiles that are drawn. "norm": the strongest first, by Euclidean norm.
            "mean": the largest mean first. `None`: as they are chosen. Every tile that was chosen
            is drawn, and keeps its index.
        top: How many to draw, the strongest of those that `tiles` chooses, strongest first:
            `top=16` draws the 16 strongest. The strength is the Euclidean norm, or with
            `sort="mean"` the mean.
        tile_names: A name for each tile that exists, in place of its index.
        scale: What shares a colour scale. "layer", the default: the tiles of a panel. "tile": each
            tile has its own, and there is no colour bar. "figure": all panels.
        robust: Whether the limits of the colours leave out the most extreme 2 % of the values that
            are not 0, as in seaborn. "auto": where the largest value would wash out the rest, since
            it is more than 2.5 times as large as these limits. The title then counts what is beyond
            them. `vmin`, `vmax` and `norm` take precedence; tiles with a scale of their own always
            show their largest value.
        cmap: A Matplotlib colormap. `None`: red and blue around white for signed values, "viridis"
            for values that are never negative, and one of its own where maps are drawn over a
            picture. Kernels are always red and blue, since weights have a sign.
        vmin: The lower limit of the colours, as in Matplotlib. One limit is enough for signed
            values, which keep 0 in the middle. The colour bar ends in an arrow where values lie
            beyond.
        vmax: The upper limit, likewise.
        norm: A Matplotlib norm, or the name of a scale such as "log" or "symlog", in place of
            `vmin` and `vmax`.
        columns: Tiles in a row, at most 10,000. A matrix has one column per filter.
        labels: Whether to write its index, or its name, above each tile. `None`: where these are
            the 64 strongest of many, or there are `tile_names`.
        title: A title of your own, `False` for none. `True`, the default, says what is drawn.
        colorbar: Whether there is a colour bar.
        figsize: Width and height of a new figure in inches; `None` for as large as the tiles need.
        ax: The Axes to draw into, for one panel.
        figure: The Figure or SubFigure to draw into, for one panel or several. With neither, a new
            pyplot figure is made.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> kerasviz.plot_kernels(model, "conv2d", top=8)
        Plot(conv2d: 8 strongest of 32 kernels, 3×3)
    """

    tiles: Tiles | None
    sort: Sort | None
    top: int | None
    tile_names: Sequence[str] | None
    scale: Scale
    robust: Robust
    cmap: str | Colormap | None
    vmin: float | None
    vmax: float | None
    norm: Normalize | str | None
    columns: int | None
    labels: bool | None
    title: str | bool | None
    colorbar: bool
    figsize: tuple[float, float] | None
    ax: Axes | None
    figure: Figure | SubFigure | None


DEFAULTS = TileOptions(
    tiles=None,
    sort=None,
    top=None,
    tile_names=None,
    scale="layer",
    robust="auto",
    cmap=None,
    vmin=None,
    vmax=None,
    norm=None,
    columns=None,
    labels=None,
    title=True,
    colorbar=True,
    figsize=None,
    ax=None,
    figure=None,
)


@dataclass(frozen=True, kw_only=True)
class TileLayout:
    """How the tiles of a panel are laid out; see `TileOptions`."""

    columns: int | None = None
    labels: bool | None = None
    colorbar: bool = True
    tile_names: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class TileStyle:
    """The keywords that every plot of tiles shares, checked; a record for each who needs them."""

    choice: TileChoice
    colors: ColorChoice
    layout: TileLayout
    place: Placement


def check_style(*own: str, **options: Unpack[TileOptions]) -> TileStyle:
    """Return the caller's keywords over the defaults, and refuse what cannot be used.

    Args:
        *own: Further keywords of the function that was called, to be suggested for a typo.
        **options: What the caller gave.

    Raises:
        TypeError: A keyword that does not exist, or a value of the wrong type.
        ValueError: A value that does not exist, or two keywords that contradict each other.
    """
    check_names(options, [*DEFAULTS, *own])
    merged = TileOptions(**{**DEFAULTS, **options})
    style = TileStyle(
        choice=TileChoice(tiles=merged["tiles"], sort=merged["sort"], top=merged["top"]),
        colors=ColorChoice(
            scale=merged["scale"],
            cmap=merged["cmap"],
            vmin=merged["vmin"],
            vmax=merged["vmax"],
            norm=merged["norm"],
            robust=_as_bool(merged["robust"]),
        ),
        layout=TileLayout(
            columns=merged["columns"],
            labels=merged["labels"],
            colorbar=merged["colorbar"],
            tile_names=merged["tile_names"],
        ),
        place=check_placement(
            title=merged["title"],
            figsize=merged["figsize"],
            ax=merged["ax"],
            figure=merged["figure"],
        ),
    )
    _check_choice(style.choice)
    _check_colors(style.colors)
    _check_layout(style.layout)
    return style


def _as_bool(robust: Robust) -> Robust:
    """Return NumPy's booleans as Python's, and words as they are."""
    return bool(robust) if isinstance(robust, np.bool_) else robust


def _check_choice(choice: TileChoice) -> None:
    if choice.sort is not None:
        check_choice("sort", choice.sort, get_args(Sort), "None")
    if choice.top is not None:
        check_count("top", choice.top)


def _check_layout(layout: TileLayout) -> None:
    if layout.columns is not None:
        check_count("columns", layout.columns, MAX_COLUMNS)
    check_type("labels", layout.labels, (bool, np.bool_, type(None)), "a bool")
    check_type("colorbar", layout.colorbar, (bool, np.bool_), "a bool")
    names = layout.tile_names
    if names is not None and (
        isinstance(names, str) or not isinstance(names, (Sequence, np.ndarray))
    ):
        raise TypeError(
            f"`tile_names` must be a list with a name for each tile. Received: tile_names={names!r}"
        )


def _check_colors(colors: ColorChoice) -> None:
    check_choice("scale", colors.scale, get_args(Scale))
    if not isinstance(colors.robust, (bool, np.bool_)):
        check_choice("robust", colors.robust, ("auto",), "a bool")
    both = {"vmin": colors.vmin, "vmax": colors.vmax}
    limits = {name: value for name, value in both.items() if value is not None}
    names = list(limits)
    for name, value in limits.items():
        if not is_finite_number(value):
            raise TypeError(f"`{name}` must be a finite number. Received: {name}={value!r}")
    if len(limits) == 2 and not limits["vmin"] < limits["vmax"]:
        raise ValueError(
            f"`vmin` must be less than `vmax`. Received: vmin={colors.vmin!r}, vmax={colors.vmax!r}"
        )
    norm, cmap = colors.norm, colors.cmap
    check_type("norm", norm, (Normalize, str, type(None)), "a Matplotlib norm or a scale's name")
    check_type("cmap", cmap, (Colormap, str, type(None)), "a Matplotlib colormap or its name")
    if isinstance(cmap, str) and cmap not in matplotlib.colormaps:
        raise ValueError(
            "`cmap` must be the name of a Matplotlib colormap."
            f"{suggest(cmap, matplotlib.colormaps)} Received: cmap={cmap!r}"
        )
    if isinstance(norm, str):
        scales = matplotlib.scale.get_scale_names()
        check_choice("norm", norm, [s for s in scales if not s.startswith("function")])
    if norm is not None:
        names.append("norm")
        if len(names) > 1:
            raise ValueError(
                f"`norm` and `{names[0]}` cannot both be given: put the limit into the norm. "
                f"Received: norm={norm!r}, {names[0]}={getattr(colors, names[0])!r}"
            )
    if names and colors.scale == "tile":
        raise ValueError(
            f"`{names[0]}` cannot be given with scale='tile', where each tile has limits of its "
            f"own. Received: {names[0]}={getattr(colors, names[0])!r}"
        )
