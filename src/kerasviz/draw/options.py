"""The keywords that every plot of tiles shares, and their checks."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict, cast, get_args

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure, FigureBase, SubFigure

Sort = Literal["norm", "mean"]
Scale = Literal["layer", "tile", "figure"]
Tiles = int | slice | Sequence[int]


class TileOptions(TypedDict, total=False):
    """Keywords of every function that draws tiles; each has one meaning everywhere.

    Attributes:
        tiles: Which tiles to draw, by number: an int, a slice or a list; negative numbers count
            from the end. `None` is all of them. The title says how many of how many.
        sort: The order of the tiles that are drawn. "norm": the strongest first, by Euclidean norm.
            "mean": the largest mean first. `None`: as they are chosen. The numbers stay those of
            the layer.
        scale: What shares a colour scale. "layer", the default: the tiles of a panel. "tile": each
            tile has its own, and there is no colour bar. "figure": all panels.
        cmap: A Matplotlib colormap. `None`: red and blue around white for signed values, "viridis"
            for values that are never negative, and of its own where maps lie over a picture.
        vmin: The lower limit of the colours, as in Matplotlib. One limit is enough for signed
            values, which keep 0 in the middle. The colour bar ends in an arrow where values lie
            beyond.
        vmax: The upper limit, likewise.
        norm: A Matplotlib norm, or the name of a scale such as "log" or "symlog", in place of
            `vmin` and `vmax`.
        columns: Tiles in a row.
        labels: Whether to write its number above each tile.
        title: A title of your own, `False` for none. `True`, the default, says what is drawn.
        colorbar: Whether there is a colour bar.
        ax: The Axes to draw into, for one panel.
        figure: The Figure or SubFigure to draw into, for one panel or several. With neither, a new
            pyplot figure is made.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> kerasviz.plot_kernels(model, "conv2d", sort="norm", tiles=slice(8), vmax=0.5)
        Plot(conv2d: 8 of 32 kernels, 3×3)
    """

    tiles: Tiles | None
    sort: Sort | None
    scale: Scale
    cmap: str | Colormap | None
    vmin: float | None
    vmax: float | None
    norm: Normalize | str | None
    columns: int | None
    labels: bool
    title: str | bool | None
    colorbar: bool
    ax: Axes | None
    figure: Figure | SubFigure | None


DEFAULTS = TileOptions(
    tiles=None,
    sort=None,
    scale="layer",
    cmap=None,
    vmin=None,
    vmax=None,
    norm=None,
    columns=None,
    labels=False,
    title=True,
    colorbar=True,
    ax=None,
    figure=None,
)


def suggest(word: object, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest known words, or nothing."""
    close = difflib.get_close_matches(str(word), list(known), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def check_choice(name: str, value: object, known: Sequence[str], otherwise: str = "") -> None:
    """Raise `ValueError` unless `value` is one of the known words.

    Args:
        name: The keyword's name.
        value: What the caller gave.
        known: The words that it may be.
        otherwise: What else it may be, for the message alone.
    """
    if not isinstance(value, str) or value not in known:
        words = f"{', '.join(map(repr, known))}{f' or {otherwise}' if otherwise else ''}"
        raise ValueError(
            f"`{name}` must be one of {words}.{suggest(value, known)} Received: {name}={value!r}"
        )


def check_options(options: TileOptions, *own: str) -> TileOptions:
    """Merge the caller's keywords over the defaults, and refuse what has no meaning.

    Args:
        options: What the caller gave.
        own: Further keywords of the function that was called, to be suggested for a typo.

    Raises:
        TypeError: A keyword that does not exist, or a value of the wrong type.
        ValueError: A value that does not exist, or two keywords that contradict each other.
    """
    for name in options:
        if name not in DEFAULTS:
            raise TypeError(
                f"Unexpected keyword argument `{name}`.{suggest(name, [*DEFAULTS, *own])}"
            )
    merged = TileOptions(**{**DEFAULTS, **options})
    if merged["sort"] is not None:
        check_choice("sort", merged["sort"], get_args(Sort), "None")
    check_choice("scale", merged["scale"], get_args(Scale))
    _check_colors(merged)
    if merged["columns"] is not None:
        check_count("columns", merged["columns"])
    check_type("title", merged["title"], (str, bool, type(None)), "a string or a bool")
    check_type("labels", merged["labels"], (bool, np.bool_), "a bool")
    check_type("colorbar", merged["colorbar"], (bool, np.bool_), "a bool")
    check_place(merged["ax"], merged["figure"])
    return merged


def check_place(ax: object, figure: object) -> None:
    """Refuse an `ax` or a `figure` that cannot be drawn into, and both together."""
    check_type("ax", ax, (Axes, type(None)), "a Matplotlib Axes")
    if isinstance(ax, Axes) and ax.name != "rectilinear":
        raise TypeError(f"`ax` must be a plain Axes. Received: ax={ax!r}")
    check_type("figure", figure, (FigureBase, type(None)), "a Matplotlib figure")
    if ax is not None and figure is not None:
        raise ValueError("`ax` and `figure` cannot both be given: an Axes has a figure already.")


def check_type(name: str, value: object, types: tuple[type, ...], wanted: str) -> None:
    """Raise `TypeError` unless `value` is of one of the types, which `wanted` says in words."""
    if not isinstance(value, types):
        raise TypeError(f"`{name}` must be {wanted}. Received: {name}={value!r}")


def check_count(name: str, value: object) -> None:
    """Raise `ValueError` unless `value` is a positive integer."""
    is_count = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 1
    if not is_count:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")


def _check_colors(options: Mapping[str, Any]) -> None:
    given = [name for name in ("vmin", "vmax") if options[name] is not None]
    for name in given:
        value = options[name]
        if isinstance(value, str) or not (np.isscalar(value) and np.isfinite(cast(float, value))):
            raise TypeError(f"`{name}` must be a finite number. Received: {name}={value!r}")
    if len(given) == 2 and not options["vmin"] < options["vmax"]:
        raise ValueError(
            "`vmin` must be less than `vmax`. "
            f"Received: vmin={options['vmin']!r}, vmax={options['vmax']!r}"
        )
    norm, cmap = options["norm"], options["cmap"]
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
        given.append("norm")
        if len(given) > 1:
            raise ValueError(
                f"`norm` and `{given[0]}` cannot both be given: put the limit into the norm. "
                f"Received: norm={norm!r}, {given[0]}={options[given[0]]!r}"
            )
    if given and options["scale"] == "tile":
        raise ValueError(
            f"`{given[0]}` cannot be given with scale='tile', where each tile has limits of its "
            f"own. Received: {given[0]}={options[given[0]]!r}"
        )


def select_tiles(tiles: Tiles | None, count: int, name: str = "tiles", of: str = "") -> np.ndarray:
    """Return the numbers of the chosen tiles.

    Args:
        tiles: The caller's `tiles`; negative numbers count from the end.
        count: How many there are.
        name: What the keyword is called.
        of: What they belong to, for an error.

    Returns:
        Integer array `(n,)` with `n >= 1`, in the caller's order.

    Raises:
        TypeError: Not an int, a slice or a list of ints.
        ValueError: A number out of range, or no tile at all.
    """
    every = np.arange(count)
    if tiles is None:
        return every
    if isinstance(tiles, slice):
        chosen = every[tiles]
    else:
        wanted: Any = np.atleast_1d(np.asarray(tiles))
        if wanted.ndim != 1 or (wanted.size and not np.issubdtype(wanted.dtype, np.integer)):
            raise TypeError(
                f"`{name}` must be an int, a slice or a list of ints. Received: {name}={tiles!r}"
            )
        outside = wanted[(wanted < -count) | (wanted >= count)]
        if outside.size:
            raise ValueError(
                f"`{name}` must be between {-count} and {count - 1}, since {of or 'the array'} "
                f"has {count}. Received: {', '.join(map(str, outside))}"
            )
        chosen = every[wanted.astype(int)]
    if not chosen.size:
        raise ValueError(
            f"`{name}` must select at least one of {count}. Received: {name}={tiles!r}"
        )
    return chosen


def tile_strength(tiles: np.ndarray, sort: Sort) -> np.ndarray:
    """Return the Euclidean norm or the mean of each tile `(n, ...)`; NaN counts as 0."""
    flat = np.nan_to_num(tiles.reshape(len(tiles), -1).astype("float64"), posinf=0, neginf=0)
    return np.asarray(flat.mean(axis=1) if sort == "mean" else np.linalg.norm(flat, axis=1))


def order_tiles(numbers: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Return positions that put the strongest first; equals keep the order of their numbers."""
    return np.lexsort([numbers, -strength])
