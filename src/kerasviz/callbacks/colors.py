"""Colours that stay the same over all steps of a training run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from matplotlib.colors import Normalize

from kerasviz.draw.color import ColorChoice, ColorScale, color_scale, rgb_limits, rgb_values
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.scaling import OWN_SCALE
from kerasviz.draw.tiles.style import TileStyle


@dataclass(frozen=True)
class Range:
    """Between which finite values some steps lie.

    Args:
        lows: The lowest value of each tile, or group of tiles with one number; infinity where
            there is none.
        highs: The highest of each; negative infinity where there is none.
        norm: The caller's norm, its missing limits filled in; `None` where there is no norm, or
            nothing that it can show.
    """

    lows: np.ndarray
    highs: np.ndarray
    norm: Normalize | None = None

    @classmethod
    def of(cls, panel: TilePanel, colors: ColorChoice) -> Range:
        """Measure one step."""
        items = panel.tiles.reshape(len(panel.tiles) // panel.slices, -1)
        finite = np.isfinite(items)
        norm = None
        if colors.norm is not None:
            try:
                norm = color_scale(panel.tiles, norm=colors.norm).norm
            except ValueError:
                norm = None  # such as a logarithm where all values are 0
        lows = np.where(finite, items, np.inf).min(axis=1)
        return cls(lows, np.where(finite, items, -np.inf).max(axis=1), norm)

    def join(self, other: Range) -> Range:
        """Return the range of two steps together."""
        norm = copy.copy(self.norm or other.norm)
        if norm is not None and self.norm is not None and other.norm is not None:
            norm.vmin = min(self.norm.vmin or 0, other.norm.vmin or 0)
            norm.vmax = max(self.norm.vmax or 0, other.norm.vmax or 0)
        lows, highs = np.minimum(self.lows, other.lows), np.maximum(self.highs, other.highs)
        return Range(lows, highs, norm)

    @property
    def whole(self) -> Range:
        """The range of all tiles together."""
        return replace(self, lows=self.lows.min(keepdims=True), highs=self.highs.max(keepdims=True))

    @property
    def ends(self) -> np.ndarray:
        """The lowest and the highest value of each tile, array `(tiles, 2)`, 0 without any."""
        ends = np.stack([self.lows, self.highs], axis=1)
        return np.where(np.isfinite(ends), ends, 0)


class FixedColors(NamedTuple):
    """How to draw each step with the same colours.

    Args:
        style: How to draw it, with colours that depend on no step.
        apply: Puts a step on the scale that these colours take.
        scale: The colours of the values, `None` where tiles are colours themselves.
    """

    style: TileStyle
    apply: Callable[[TilePanel], TilePanel]
    scale: ColorScale | None


def fix_colors(limits: Range, panel: TilePanel, style: TileStyle) -> FixedColors:
    """Choose the colours for all steps.

    Args:
        limits: The range of all steps; with `scale="tile"` tile by tile.
        panel: One of the steps.
        style: The caller's keywords.
    """
    colors = style.colors
    if colors.scale == "tile":
        return _fix_tiles(limits.ends, panel, style)
    ends = limits.whole.ends
    if panel.is_rgb:
        low, high, _ = rgb_limits(
            ends.astype(panel.tiles.dtype), colors.vmin, colors.vmax, signed=panel.signed
        )
        return FixedColors(
            _with(style, ColorChoice(cmap=colors.cmap, vmin=low, vmax=high)), _as_it_is, None
        )
    scale = replace(colors, norm=limits.norm or colors.norm).of(ends, signed=panel.signed)
    fixed = _with(style, ColorChoice(cmap=scale.cmap, norm=scale.norm))
    return FixedColors(fixed, _as_it_is, scale)


def _with(style: TileStyle, colors: ColorChoice) -> TileStyle:
    return replace(style, colors=colors)


def _as_it_is(panel: TilePanel) -> TilePanel:
    return panel


def _fix_tiles(ends: np.ndarray, panel: TilePanel, style: TileStyle) -> FixedColors:
    """Choose a scale for each tile that is its own and the same for all steps."""
    if panel.is_rgb:
        pairs = ends.astype(panel.tiles.dtype)
        of_tiles = [rgb_limits(pair, signed=panel.signed) for pair in pairs]

        def color(items: np.ndarray) -> np.ndarray:
            return np.stack([rgb_values(*pair) for pair in zip(items, of_tiles, strict=True)])

        return FixedColors(
            _with(style, ColorChoice()), lambda step: _on_own_scale(step, color), None
        )
    reach = np.abs(ends).max(axis=1)
    reach = np.where(reach > 0, reach, 1)

    def divide(items: np.ndarray) -> np.ndarray:
        return np.asarray(items / reach.reshape(-1, *[1] * (items.ndim - 1)))

    lowest = -1.0 if panel.signed or ends.min() < 0 else 0.0
    scale = color_scale(np.array([lowest, 1.0]), cmap=style.colors.cmap)
    fixed = _with(style, ColorChoice(cmap=scale.cmap, norm=scale.norm))
    fixed = replace(fixed, layout=replace(style.layout, colorbar=False))
    return FixedColors(fixed, lambda step: _on_own_scale(step, divide), scale)


def _on_own_scale(panel: TilePanel, convert: Callable[[np.ndarray], np.ndarray]) -> TilePanel:
    items = panel.tiles.reshape(-1, panel.slices, *panel.tiles.shape[1:])
    tiles = convert(items).reshape(panel.tiles.shape)
    notes = (*panel.notes, OWN_SCALE)
    # Colours are in 0 to 1 now, whatever sign the values had.
    return replace(panel, scaled_values=tiles, notes=notes, signed=False)
