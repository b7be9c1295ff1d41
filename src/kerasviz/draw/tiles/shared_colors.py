"""Colours that stay the same over several panels, such as the steps of a training run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.colors import Normalize

from kerasviz._wording import beyond
from kerasviz.draw.color import ColorChoice, ColorScale, color_scale, rgb_limits, rgb_values
from kerasviz.draw.label_colors import label_scale
from kerasviz.draw.tiles.background import see_through
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.scaling import OWN_SCALE, resolve_scales


@dataclass(frozen=True, kw_only=True)
class ValueRange:
    """Between which finite values some panels are.

    Args:
        lows: The lowest value of each tile, or group of tiles with one index; infinity where
            there is none.
        highs: The highest of each; negative infinity where there is none.
        norm: The caller's norm, its missing limits filled in; `None` where there is no norm, or
            nothing that it can show.
    """

    lows: np.ndarray
    highs: np.ndarray
    norm: Normalize | None = None

    @classmethod
    def of(cls, panel: TilePanel, colors: ColorChoice) -> ValueRange:
        """Measure one panel."""
        groups = panel.tiles.reshape(len(panel.tiles) // panel.slices, -1)
        finite = np.isfinite(groups)
        norm = None
        if colors.norm is not None:
            try:
                norm = color_scale(panel.tiles, norm=colors.norm).norm
            except ValueError:
                norm = None  # such as a logarithm where all values are 0
        return cls(
            lows=np.where(finite, groups, np.inf).min(axis=1),
            highs=np.where(finite, groups, -np.inf).max(axis=1),
            norm=norm,
        )

    def join(self, other: ValueRange) -> ValueRange:
        """Return the range of two panels together."""
        norm = copy.copy(self.norm or other.norm)
        if norm is not None and self.norm is not None and other.norm is not None:
            norm.vmin = min(self.norm.vmin or 0, other.norm.vmin or 0)
            norm.vmax = max(self.norm.vmax or 0, other.norm.vmax or 0)
        return ValueRange(
            lows=np.minimum(self.lows, other.lows),
            highs=np.maximum(self.highs, other.highs),
            norm=norm,
        )

    @property
    def whole(self) -> ValueRange:
        """The range of all tiles together."""
        return replace(self, lows=self.lows.min(keepdims=True), highs=self.highs.max(keepdims=True))

    @property
    def ends(self) -> np.ndarray:
        """The lowest and the highest value of each tile, array `(tiles, 2)`, 0 without any."""
        ends = np.stack([self.lows, self.highs], axis=1)
        return np.where(np.isfinite(ends), ends, 0)


@dataclass(frozen=True, kw_only=True)
class SharedColors:
    """How to draw several panels with the same colours.

    Args:
        colors: The colours, which depend on no single panel.
        convert: Puts a panel on the scale that these colours are for.
        scale: Norm and colormap, `None` where tiles are colours themselves.
        robust: Limits that leave out the most extreme values, where these are used.
    """

    colors: ColorChoice
    convert: Callable[[TilePanel], TilePanel]
    scale: ColorScale | None
    robust: tuple[float, float] | None = None

    def apply(self, panel: TilePanel) -> tuple[TilePanel, ColorScale | None]:
        """Return a panel as it is drawn, with its scale."""
        (scaled,), _ = resolve_scales([self.convert(panel)], self.colors)
        note = "" if self.robust is None else beyond(panel.values, *self.robust)
        if note:
            scaled = replace(scaled, notes=(*scaled.notes, note))
        return scaled, self.scale


def share_colors(
    limits: ValueRange, panel: TilePanel, colors: ColorChoice, values: np.ndarray | None = None
) -> SharedColors:
    """Choose the colours for all panels.

    Args:
        limits: The range of all panels; with `scale="tile"` tile by tile.
        panel: One of the panels.
        colors: The caller's keywords.
        values: Values of the panels, for robust limits; `None` for limits that leave out none.
    """
    if values is not None:
        limited = _limit(values, panel, colors)
        if limited is not None:
            shared = share_colors(limits, panel, limited)
            return replace(shared, robust=(limited.vmin or 0.0, limited.vmax or 0.0))
    if panel.coloring == "labels":
        low, high = limits.whole.ends[0]
        labels = np.arange(low, high + 1)
        scale = label_scale(labels, len(panel.label_names), colors.cmap)
        return _with_scale(scale, panel, colors, _unchanged)
    if colors.scale == "tile":
        return _share_by_tile(limits.ends, panel, colors)
    ends = limits.whole.ends
    if panel.is_rgb:
        low, high, _ = rgb_limits(
            ends.astype(panel.tiles.dtype), colors.vmin, colors.vmax, signed=panel.signed
        )
        return SharedColors(
            colors=ColorChoice(cmap=colors.cmap, norm=colors.norm, vmin=low, vmax=high),
            convert=_unchanged,
            scale=None,
        )
    choice = replace(colors, norm=limits.norm or colors.norm)
    if panel.coloring == "picture":
        scale = choice.of_picture(ends.astype(panel.tiles.dtype))
    else:
        choose = choice.of if panel.has_colors else choice.of_chart
        scale = choose(ends, signed=panel.signed)
    return _with_scale(scale, panel, colors, _unchanged)


def _limit(values: np.ndarray, panel: TilePanel, colors: ColorChoice) -> ColorChoice | None:
    """Return the choice with robust limits, as for a panel alone; `None` where it has none."""
    has_limits = not panel.is_rgb or panel.signed
    if not has_limits or panel.coloring != "values":
        return None
    if not panel.has_colors and colors.robust is not True:
        return None  # a curve that leaves its strip is cut off
    limited = colors.limited(values, signed=panel.signed)
    return limited if limited.robust else None


def _unchanged(panel: TilePanel) -> TilePanel:
    return panel


def _with_scale(
    scale: ColorScale,
    panel: TilePanel,
    colors: ColorChoice,
    convert: Callable[[TilePanel], TilePanel],
) -> SharedColors:
    visible = scale
    if panel.alpha is not None and panel.has_colors:
        visible = see_through(scale, panel.opacity, cmap_given=colors.cmap is not None)
    fixed = ColorChoice(cmap=scale.cmap, norm=scale.norm)
    return SharedColors(colors=fixed, convert=convert, scale=visible)


def _share_by_tile(ends: np.ndarray, panel: TilePanel, colors: ColorChoice) -> SharedColors:
    """Choose a scale for each tile that is its own and the same in all panels."""
    if panel.is_rgb:
        pairs = ends.astype(panel.tiles.dtype)
        limits = [rgb_limits(pair, signed=panel.signed) for pair in pairs]

        def color(groups: np.ndarray) -> np.ndarray:
            return np.stack([rgb_values(*pair) for pair in zip(groups, limits, strict=True)])

        return SharedColors(
            colors=ColorChoice(), convert=lambda other: _on_own_scale(other, color), scale=None
        )
    reach = np.abs(ends).max(axis=1)
    reach = np.where(reach > 0, reach, 1)

    def divide(groups: np.ndarray) -> np.ndarray:
        return np.asarray(groups / reach.reshape(-1, *[1] * (groups.ndim - 1)))

    lowest = -1.0 if panel.signed or ends.min() < 0 else 0.0
    scale = color_scale(np.array([lowest, 1.0]), cmap=colors.cmap)
    return _with_scale(scale, panel, colors, lambda other: _on_own_scale(other, divide))


def _on_own_scale(panel: TilePanel, convert: Callable[[np.ndarray], np.ndarray]) -> TilePanel:
    groups = panel.tiles.reshape(-1, panel.slices, *panel.tiles.shape[1:])
    tiles = convert(groups).reshape(panel.tiles.shape)
    notes = (*panel.notes, OWN_SCALE)
    # Colours are in 0 to 1 now, whatever sign the values had.
    return replace(panel, scaled_values=tiles, notes=notes, signed=False)
