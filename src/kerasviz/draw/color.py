"""Choose colours: of values (limits, norm and colormap), of series, of text; nothing is drawn."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from matplotlib import colormaps, rcParams, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colorizer import Colorizer
from matplotlib.colors import (
    BoundaryNorm,
    Colormap,
    LinearSegmentedColormap,
    Normalize,
    to_hex,
    to_rgba,
    to_rgba_array,
)
from matplotlib.figure import FigureBase, SubFigure

DIVERGING = "RdBu_r"
SEQUENTIAL = "viridis"
INVALID = "magenta"
"""The colour of NaN and infinite values: in neither of the two colormaps."""
TINY, HUGE = 1e-30, 1e30
"""Between these magnitudes float32 is precise enough for colours."""


OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours that everybody can tell apart, from Okabe and Ito, "Color Universal Design", 2008
(https://jfly.uni-koeln.de/color/), also "Points of view: Color blindness", Nature Methods 8, 2011.
Their yellow is left out, which is hardly seen on white; their black is the colour of the text."""
MIN_CONTRAST = 4.5
"""Of text and what is behind it, as WCAG 2 asks (https://www.w3.org/TR/WCAG21/#contrast-minimum)."""
LOST = 1.5
"""Below this contrast, a colour is not told from its ground."""
MUTED, PALE, FAINT = 0.6, 0.4, 0.15
"""How much of the text's colour is in that of what belongs to no series, in that of series that are
there for comparison only, and in that of a grid."""

Scale = Literal["layer", "tile", "figure"]
Robust = bool | Literal["auto"]

ROBUST_SHARE = 0.98
"""The share of the values, zeros left out, that robust limits hold, as in seaborn and xarray."""
WASHED_OUT = 2.5
"""The largest magnitude washes out the rest from this multiple of the robust limit on. Normal
values stay below it: of a million the largest is 2.1 times as large as their 98th percentile."""
MAX_RANKED = 100_000
"""Of more values than these, a part tells first whether all need to be ranked."""


@dataclass(frozen=True, kw_only=True)
class ColorChoice:
    """How values become colours; see `TileOptions`."""

    scale: Scale = "layer"
    cmap: str | Colormap | None = None
    vmin: float | None = None
    vmax: float | None = None
    norm: Normalize | str | None = None
    robust: Robust = False

    @property
    def may_be_robust(self) -> bool:
        """Whether limits may leave out extreme values: the caller's own never do."""
        limits = (self.vmin, self.vmax, self.norm)
        return self.robust is not False and self.scale != "tile" and limits == (None, None, None)

    def limited(self, values: np.ndarray, *, signed: bool = False) -> ColorChoice:
        """Return the choice with robust limits for an array, where these are to be used.

        Limits and norms of the caller's take precedence.
        """
        if not self.may_be_robust:
            return replace(self, robust=False)
        low, high = value_range(values)
        reach, largest = robust_reach(values, is_exact=self.robust is True), max(-low, high)
        if self.robust == "auto" and WASHED_OUT * reach < largest:
            reach = robust_reach(values)
        if not 0 < reach * (WASHED_OUT if self.robust == "auto" else 1) < largest:
            return replace(self, robust=False)
        lowest = -reach if signed or low < 0 else 0.0
        return replace(self, robust=True, vmin=lowest, vmax=reach)

    def of(self, values: np.ndarray, *, signed: bool = False) -> ColorScale:
        """Choose norm and colormap for an array, see `color_scale`."""
        return color_scale(
            values, cmap=self.cmap, vmin=self.vmin, vmax=self.vmax, norm=self.norm, signed=signed
        )

    def of_chart(self, values: np.ndarray, *, signed: bool = False) -> ColorScale:
        """Choose the limits of a chart, with 0 between them.

        Colours of signed values need 0 in the middle. On an axis of values that would leave room
        empty, unless the values are `signed` by nature.
        """
        scale = self.of(values, signed=signed)
        if signed or self.norm is not None or self.vmin is not None or self.vmax is not None:
            return scale
        low, high = value_range(values)
        low, high = min(low, 0.0), max(high, 0.0)
        return ColorScale(Normalize(low, high if low < high else low + 1.0), scale.cmap)

    def of_picture(self, values: np.ndarray) -> ColorScale:
        """Choose the greys of a picture: from black to white, as `rgb_limits` chooses them."""
        if self.norm is None:
            low, high, _ = rgb_limits(values, self.vmin, self.vmax)
            return color_scale(values, cmap=self.cmap or "gray", vmin=low, vmax=high)
        return color_scale(values, cmap=self.cmap or "gray", norm=self.norm)


class Limits(NamedTuple):
    """Colour limits and whether the data has a sign."""

    vmin: float
    vmax: float
    signed: bool


class ColorScale(NamedTuple):
    """Norm and colormap, with which `imshow` turns values into colours."""

    norm: Normalize
    cmap: Colormap


def warn_invalid(count: int, stacklevel: int) -> None:
    """Warn of values that no colormap has a place for.

    Args:
        count: How many are NaN or infinite, perhaps none.
        stacklevel: As for `warnings.warn`, seen from the function that calls this one.
    """
    if count:
        they = "is NaN or infinite; it is" if count == 1 else "are NaN or infinite; they are"
        message = f"{count} of the values drawn {they} shown in {INVALID}."
        warnings.warn(message, stacklevel=stacklevel + 1)


def value_range(values: np.ndarray) -> tuple[float, float]:
    """Return the lowest and highest finite value, `(0.0, 0.0)` where there is none."""
    if not values.size:
        return 0.0, 0.0
    lowest, highest = values.min(), values.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        finite = values[np.isfinite(values)]
        if not finite.size:
            return 0.0, 0.0
        lowest, highest = finite.min(), finite.max()
    return float(lowest), float(highest)


def robust_reach(values: np.ndarray, *, is_exact: bool = True) -> float:
    """Return the magnitude that 98 % of the values stay below, zeros and NaN left out.

    Zeros say where nothing is, as after a ReLU, and would make the strong values look rare. If it
    need not be exact, an evenly spaced part of many values is ranked, which is much faster.
    """
    flat = values.ravel()
    step = 1 if is_exact else max(1, flat.size // MAX_RANKED)
    flat = np.abs(flat[::step].astype("float64"))
    flat = flat[np.isfinite(flat) & (flat > 0)]
    return float(np.quantile(flat, ROBUST_SHARE)) if flat.size else 0.0


def is_small_float(dtype: np.dtype[Any]) -> bool:
    """Whether values are floats that NumPy or Matplotlib computes with less well than float32.

    These are float16, and bfloat16 and the kinds of float8, which NumPy knows from `ml_dtypes`
    alone. Most of these are of a kind that it calls void, as records are, but become float32
    without loss.
    """
    return dtype.kind in "fV" and dtype.itemsize < 4 and np.can_cast(dtype, "float32")


def resolve_limits(
    values: np.ndarray,
    vmin: float | None = None,
    vmax: float | None = None,
    *,
    signed: bool = False,
) -> Limits:
    """Choose colour limits: symmetric about 0 for signed data, from 0 for non-negative data.

    Args:
        values: Array of any shape; values that are not finite are left out.
        vmin: The caller's lower limit. Where it is given alone and is below 0, signed data stays
            symmetric.
        vmax: The caller's upper limit, likewise above 0.
        signed: Whether the data is signed even if no value is negative.

    Returns:
        The limits, always with `vmin < vmax` unless both were given.
    """
    lowest, highest = value_range(values)
    signed = signed or lowest < 0
    if vmin is not None and vmin >= 0:
        low, high = vmin, highest
    elif vmax is not None and vmax <= 0:
        low, high = lowest, vmax
    elif signed:
        limit = vmin if vmax is None else vmax
        reach = (max(-lowest, highest) or 1.0) if limit is None else abs(limit)
        low, high = -reach, reach
    else:
        low, high = 0.0, highest
    low = low if vmin is None else vmin
    high = high if vmax is None else vmax
    if low >= high and (vmin is None or vmax is None):
        low, high = (high - 1.0, high) if vmin is None and vmax is not None else (low, low + 1.0)
    return Limits(low, high, signed)


def color_scale(
    values: np.ndarray,
    *,
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    norm: Normalize | str | None = None,
    signed: bool = False,
) -> ColorScale:
    """Choose norm and colormap for an array.

    Signed data gets a diverging colormap whose neutral colour is at 0, whatever the limits;
    non-negative data gets a sequential one. What the caller gives takes precedence. A norm that
    the caller gives is copied before its missing limits are filled in. It decides where the middle
    of the colormap is, so with a norm the values alone tell whether they are `signed`.
    """
    limits = resolve_limits(values, vmin, vmax, signed=signed and norm is None)
    if cmap is None:
        cmap = DIVERGING if limits.signed else SEQUENTIAL
        if limits.signed and norm is None and limits.vmin != -limits.vmax:
            cmap = _centered(colormaps[DIVERGING], limits)
    colormap = colormaps[cmap] if isinstance(cmap, str) else cmap
    if norm is None:
        return ColorScale(Normalize(limits.vmin, limits.vmax), colormap)
    return ColorScale(_fill_norm(norm, values), colormap)


def _fill_norm(norm: Normalize | str, values: np.ndarray) -> Normalize:
    """Return a norm with limits; refuse one that cannot show the values, such as log of zeros."""
    filled: Any = Colorizer(norm=copy.deepcopy(norm)).norm
    try:
        filled.autoscale_None(values[np.isfinite(values)])
        filled(np.array(value_range(values)))
        if not isinstance(filled, BoundaryNorm):  # which has no inverse, and needs none
            filled.inverse(0.5)  # log of nothing but zeros fails here alone
    except ValueError as error:
        lowest, highest = value_range(values)
        raise ValueError(
            f"`norm` cannot show values from {lowest:.4g} to {highest:.4g}. Received: norm={norm!r}"
        ) from error
    return cast(Normalize, filled)


def _centered(cmap: Colormap, limits: Limits) -> Colormap:
    """Cut from a diverging colormap the part that keeps its middle at 0 within the limits."""
    reach = max(abs(limits.vmin), abs(limits.vmax))
    positions = 0.5 + np.linspace(limits.vmin, limits.vmax, 256) / (2 * reach)
    colors = cmap(positions)
    return LinearSegmentedColormap.from_list(f"{cmap.name}_centered", colors)


def normalize_tiles(tiles: np.ndarray) -> np.ndarray:
    """Put each tile on its own scale, 0 staying 0.

    Args:
        tiles: Array `(n, ...)`.

    Returns:
        A new float array in -1 to 1, or in 0 to 1 for non-negative data: each tile divided by its
        largest finite magnitude. A tile of zeros stays zero.
    """
    if not np.issubdtype(tiles.dtype, np.floating):
        tiles = tiles.astype("float64")  # the smallest integer of a type has no magnitude in it
    magnitude = np.where(np.isfinite(tiles), np.abs(tiles), 0)
    reach = magnitude.max(axis=tuple(range(1, tiles.ndim)), keepdims=True)
    return np.asarray(tiles / np.where(reach > 0, reach, 1))


def rgb_limits(
    values: np.ndarray,
    vmin: float | None = None,
    vmax: float | None = None,
    *,
    signed: bool = False,
) -> Limits:
    """Choose the values that become black and full colour.

    Integers up to 255 are taken as 0 to 255 and floats in 0 to 1 as they are. Other non-negative
    values end at the largest, and signed values are centred, so that 0 becomes middle grey.

    Args:
        values: Array of any shape; values that are not finite are left out.
        vmin: The caller's lower limit.
        vmax: The caller's upper limit.
        signed: Whether the data is signed even if no value is negative.
    """
    limits = resolve_limits(values, vmin, vmax, signed=signed)
    if vmin is None and vmax is None and not limits.signed:
        if np.issubdtype(values.dtype, np.integer) and limits.vmax <= 255:
            return Limits(0.0, 255.0, signed=False)
        if limits.vmax <= 1:
            return Limits(0.0, 1.0, signed=False)
    return limits


def rgb_values(tiles: np.ndarray, limits: Limits) -> np.ndarray:
    """Map values linearly from the limits to 0 to 1, as a new float32 array.

    Infinite values become NaN, since they are in no colour.
    """
    vmin, vmax = limits.vmin, limits.vmax
    reach = max(abs(vmin), abs(vmax))
    kind = "float32" if tiles.dtype in ("float32", "float16", "uint8") else "float64"
    if not TINY < reach < HUGE:  # whose range, or whose smallest difference, float32 cannot hold
        tiles, vmin, vmax = tiles.astype("float64") / reach, vmin / reach, vmax / reach
        kind = "float64"
    with np.errstate(over="ignore"):  # values far beyond the limits, which are clipped
        values = np.clip((tiles.astype(kind) - vmin) / (vmax - vmin), 0, 1).astype("float32")
    return np.where(np.isfinite(tiles), values, np.float32("nan"))


def ground_color(artist: Axes | FigureBase) -> str:
    """Return the colour behind what is drawn in an Axes or a figure, over white paper."""
    colors = [artist.get_facecolor()]
    while isinstance(artist, (Axes, SubFigure)):
        artist = artist.figure if isinstance(artist, Axes) else artist.get_figure()
        colors.append(artist.get_facecolor())
    ground = np.ones(3)
    for *rgb, alpha in map(to_rgba, reversed(colors)):
        ground = alpha * np.array(rgb) + (1 - alpha) * ground
    return _hex(ground)


def ink_on(ground: str) -> str:
    """Return black or white, whichever is seen better on a ground."""
    return max("#000000", "#ffffff", key=lambda ink: color_contrast(ink, ground))


def is_dark_ground(ground: str) -> bool:
    """Tell whether white is seen better on a ground than black."""
    return ink_on(ground) == "#ffffff"


def _hex(rgb: np.ndarray) -> str:
    red, green, blue = rgb.tolist()
    return to_hex((red, green, blue))


def outline_colorbar(bar: Colorbar) -> None:
    """Draw a line around a colour bar if an end of it, or its arrow, is lost in a dark ground."""
    ground = ground_color(bar.ax.figure)
    ends = [to_hex(color) for color in bar.cmap([0.0, 1.0])]
    is_lost = any(color_contrast(end, ground) < LOST for end in ends)
    is_seen = is_lost and is_dark_ground(ground)
    bar.outline.set(visible=is_seen, edgecolor=muted_color(ground), linewidth=0.6)


def ink_color() -> str:
    """Return the colour of the text."""
    return to_hex(rcParams["text.color"])


def mix_colors(color: str, ground: str, share: float) -> str:
    """Return a colour with this share of `color`; the rest is the ground."""
    first, second = (np.array(to_rgba(each)[:3]) for each in (color, ground))
    return _hex(share * first + (1 - share) * second)


def muted_color(ground: str) -> str:
    """Return the grey of what belongs to no single series, on this ground."""
    return mix_colors(ink_color(), ground, MUTED)


def pale_color(ground: str) -> str:
    """Return the grey of series that are there for comparison only, on this ground."""
    return mix_colors(ink_color(), ground, PALE)


def faint_color(ground: str) -> str:
    """Return the grey of a grid that must not be taken for data, on this ground."""
    return mix_colors(ink_color(), ground, FAINT)


def readable_color(color: str, ground: str, contrast: float = MIN_CONTRAST) -> str:
    """Return a colour, with as much black or white in it as it needs to be seen on a ground.

    Args:
        color: The colour.
        ground: What is behind it.
        contrast: Its least contrast; by default that of letters.
    """
    goal = ink_on(ground)
    for share in np.linspace(1, 0, 21):
        mixed = mix_colors(color, goal, share)
        if color_contrast(mixed, ground) >= contrast:
            return mixed
    return goal


def color_contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, 1 to 21, as WCAG 2 defines it."""
    dark, light = np.sort(0.05 + _luminances(first, second))
    return float(light / dark)


def luminance(colors: np.ndarray) -> np.ndarray:
    """Return the relative luminance of colours `(n, 3)`, 0 to 1, as WCAG 2 defines it."""
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722))


def _luminances(*colors: str) -> np.ndarray:
    return luminance(to_rgba_array(colors)[:, :3])


def color_cycle() -> list[str]:
    """Return colours that tell series apart: those of the user's own cycle, if there is one.

    A style, or `rcParams["axes.prop_cycle"]`, may have set it.
    """
    cycle = rcParams["axes.prop_cycle"]
    if cycle != rcParamsDefault["axes.prop_cycle"] and "color" in cycle.keys:
        return [to_hex(color) for color in dict.fromkeys(cycle.by_key()["color"])]
    return [*OKABE_ITO, ink_color()]


def series_colors(count: int, ground: str = "white") -> list[str]:
    """Return the colours of `count` series; of very many, neighbours look alike.

    Args:
        count: How many.
        ground: The colour behind them, which shades must not come near.
    """
    cycle = color_cycle()
    if count <= len(cycle):
        return cycle[:count]
    light, middle = _luminances(ground, "0.5")
    ends = (0.0, 0.85) if light > middle else (0.25, 1.0)
    shades = colormaps[SEQUENTIAL](np.linspace(*ends, count))
    return [to_hex(shade) for shade in shades]
