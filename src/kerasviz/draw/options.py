"""The keywords that every plot of tiles shares, and their checks."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, Literal, NamedTuple, TypedDict, get_args

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure, FigureBase, SubFigure

Sort = Literal["norm", "mean"]
Scale = Literal["layer", "tile", "figure"]
Tiles = int | slice | Sequence[int]

MAX_COLUMNS = 10_000
MAX_RUNS = 6
"""How many runs of indices, such as 0-15, a title lists; of more it lists the first ones."""


class TileOptions(TypedDict, total=False):
    """Keywords of every function that draws tiles; each has one meaning everywhere.

    Attributes:
        tiles: Which tiles to draw, by index: an int, a slice or a list; negative indices count from
            the end. `None` is all of them. The title says which.
        sort: The order of the tiles that are drawn. "norm": the strongest first, by Euclidean norm.
            "mean": the largest mean first. `None`: as they are chosen. Every tile that was chosen
            is drawn, and keeps its index.
        top: How many to draw, the strongest of those that `tiles` chooses, strongest first:
            `top=16` draws the 16 strongest. The strength is the Euclidean norm, or with
            `sort="mean"` the mean.
        scale: What shares a colour scale. "layer", the default: the tiles of a panel. "tile": each
            tile has its own, and there is no colour bar. "figure": all panels.
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
        labels: Whether to write its index above each tile.
        title: A title of your own, `False` for none. `True`, the default, says what is drawn.
        colorbar: Whether there is a colour bar.
        ax: The Axes to draw into, for one panel.
        figure: The Figure or SubFigure to draw into, for one panel or several. With neither, a new
            pyplot figure is made.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> kerasviz.plot_kernels(model, "conv2d", top=8, vmax=0.5)
        Plot(conv2d: 8 strongest of 32 kernels, 3×3)
    """

    tiles: Tiles | None
    sort: Sort | None
    top: int | None
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
    top=None,
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
    """Merge the caller's keywords over the defaults, and refuse what cannot be used.

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
    if merged["top"] is not None:
        check_count("top", merged["top"])
    if merged["columns"] is not None:
        check_count("columns", merged["columns"], MAX_COLUMNS)
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


def check_count(name: str, value: object, largest: int | None = None) -> None:
    """Raise `ValueError` unless `value` is a positive integer, of at most `largest`."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    if largest is not None and value > largest:
        raise ValueError(f"`{name}` must be at most {largest}. Received: {name}={value!r}")


def _check_colors(options: Mapping[str, Any]) -> None:
    given = [name for name in ("vmin", "vmax") if options[name] is not None]
    for name in given:
        value = options[name]
        if not _is_finite_number(value):
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


def _is_finite_number(value: Any) -> bool:
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        return False
    try:
        return bool(np.isfinite(float(value)))
    except OverflowError:  # of an int with hundreds of digits
        return False


def select_tiles(tiles: Tiles | None, count: int, name: str = "tiles", of: str = "") -> np.ndarray:
    """Return the indices of the chosen tiles.

    Args:
        tiles: The caller's `tiles`; negative indices count from the end.
        count: How many there are.
        name: What the keyword is called.
        of: What they belong to, for an error.

    Returns:
        Integer array `(n,)` with `n >= 1`, in the caller's order.

    Raises:
        TypeError: Not an int, a slice or a list of ints.
        ValueError: An index out of range, a slice with the step 0, or no tile at all.
    """
    every = np.arange(count)
    if tiles is None:
        return every
    if isinstance(tiles, slice):
        try:
            chosen = every[tiles]
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"`{name}` must be a slice of ints whose step is not 0. Received: {name}={tiles!r}"
            ) from error
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


class TileSelection(NamedTuple):
    """Which tiles are drawn.

    Args:
        indices: The index of each, in the order in which they are drawn.
        words: Which these are, for the title; "" where it is all of them.
    """

    indices: np.ndarray
    words: str


def choose_tiles(
    tiles: np.ndarray, options: TileOptions, noun: str, name: str = "", of: str = ""
) -> TileSelection:
    """Choose and order tiles as `tiles`, `sort` and `top` say.

    Args:
        tiles: All there are, `(n, ...)`.
        options: The caller's keywords, checked and complete.
        noun: What a tile is, in the plural.
        name: What an index is the index of, in the plural, where that has another name.
        of: What they belong to, for an error.
    """
    count, sort, top = len(tiles), options["sort"], options["top"]
    indices = select_tiles(options["tiles"], count, of=of)
    words = _list_indices(indices, count, name or noun)
    if sort is not None or top is not None:
        chosen = tiles if options["tiles"] is None else tiles[indices]
        strength = tile_strength(chosen, sort or "norm")
        if top is not None and top < len(indices):
            words = f"{top} strongest of {words or f'{count} {noun}'}"
            words += ", by mean" if sort == "mean" else ""
        indices = indices[order_tiles(indices, strength)[:top]]
    return TileSelection(indices, words)


def _list_indices(indices: np.ndarray, count: int, noun: str) -> str:
    """Return which of `count` tiles these are: "filters 0–15 of 64"; "" for all."""
    unique = np.unique(indices)
    if len(unique) == count:
        return ""
    starts = np.flatnonzero(np.diff(unique, prepend=unique[0] - 2) > 1)
    runs = [_write_run(run) for run in np.split(unique, starts[1:])]
    if len(runs) > MAX_RUNS:
        return f"{len(unique)} of {count} {noun} ({', '.join(runs[:MAX_RUNS])}, …)"
    word = noun.removesuffix("s") if len(unique) == 1 else noun
    return f"{word} {', '.join(runs)} of {count}"


def _write_run(run: np.ndarray) -> str:
    first, last = int(run[0]), int(run[-1])
    if last - first < 2:
        return ", ".join(map(str, run))
    return f"{first}–{last}"
