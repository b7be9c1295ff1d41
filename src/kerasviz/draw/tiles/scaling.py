"""Turn the values of panels into the colours in which they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize

from kerasviz._wording import beyond, write_limit
from kerasviz.draw.color import (
    ColorChoice,
    ColorScale,
    is_small_float,
    normalize_tiles,
    rgb_limits,
    rgb_values,
)
from kerasviz.draw.label_colors import label_scale
from kerasviz.draw.text import fix_minus
from kerasviz.draw.tiles.background import Picture, picture_limits, see_through
from kerasviz.draw.tiles.panel import TilePanel

OWN_SCALE = "each tile on its own scale"


def resolve_scales(
    panels: Sequence[TilePanel], colors: ColorChoice
) -> tuple[list[TilePanel], list[ColorScale | None]]:
    """Choose each panel's colours, and put its values on the scale on which they are shown."""
    if any(panel.is_rgb for panel in panels):
        for name in ("cmap", "norm"):
            if getattr(colors, name) is not None:
                raise ValueError(
                    f"`{name}` cannot be used for RGB tiles, which are colours already. "
                    f"Received: {name}={getattr(colors, name)!r}"
                )
    panels = [_as_common_floats(panel) for panel in panels]
    resolved, scales = [], []
    for panel in panels:
        values = panel.tiles
        if colors.scale == "figure":
            values = np.concatenate([other.tiles.ravel() for other in panels])
        scaled, scale = (_scale_rgb if panel.is_rgb else _scale_values)(panel, values, colors)
        if scaled.alpha is not None and scale is not None and scaled.has_colors:
            scale = see_through(scale, scaled.opacity, cmap_given=colors.cmap is not None)
        resolved.append(scaled)
        scales.append(scale)
    return resolved, scales


def resolve_picture(picture: Picture) -> tuple[TilePanel, ColorScale | None]:
    """Return the panel of a picture beside maps, in its own greys or colours."""
    values = picture.values
    height, width = values.shape[:2]
    values = values.astype("float32") if values.dtype == bool else values
    limits, guess = picture_limits(values)
    ends = fix_minus(f"black={limits.vmin:.3g}, white={limits.vmax:.3g}")
    panel = TilePanel(
        values=values[np.newaxis, ..., 0] if values.shape[-1] == 1 else values[np.newaxis],
        indices=np.zeros(1, int),
        total=1,
        address="",
        kind=picture.kind,
        size=f"{height}×{width}",
        words=picture.kind,
        notes=(ends,) if guess else (),
        absent_rule="none",
        coloring="picture",
        outline=picture.outline,
    )
    panel = _as_common_floats(panel)
    if panel.is_rgb:
        return replace(panel, scaled_values=rgb_values(panel.values, limits)), None
    return panel, ColorScale(Normalize(limits.vmin, limits.vmax), colormaps["gray"])


def _scale_values(
    panel: TilePanel, values: np.ndarray, colors: ColorChoice
) -> tuple[TilePanel, ColorScale | None]:
    if panel.coloring == "labels":
        return panel, label_scale(values, len(panel.label_names), colors.cmap)
    if panel.coloring == "picture" and colors.scale != "tile":
        return panel, colors.of_picture(values)
    if colors.scale == "tile":
        values = normalize_tiles(_items(panel)).reshape(panel.tiles.shape)
        panel = replace(panel, scaled_values=values, notes=(*panel.notes, OWN_SCALE))
    if not panel.has_colors:
        values = np.append(values, 1.0) if panel.is_share else values
        # A curve that leaves its strip is cut off, where a colour would only be saturated.
        if colors.robust is True:
            colors = colors.limited(values, signed=panel.signed)
            panel = replace(panel, notes=(*panel.notes, *_beyond_notes(panel, colors)))
        return panel, colors.of_chart(values, signed=panel.signed)
    limited = colors.limited(values, signed=panel.signed)
    panel = replace(panel, notes=(*panel.notes, *_beyond_notes(panel, limited)))
    return panel, limited.of(values, signed=panel.signed)


def _beyond_notes(panel: TilePanel, colors: ColorChoice) -> tuple[str, ...]:
    """Count the values of a panel that are beyond robust limits."""
    if colors.robust is False or colors.vmin is None or colors.vmax is None:
        return ()
    note = beyond(panel.values, colors.vmin, colors.vmax)
    return (note,) if note else ()


def _as_common_floats(panel: TilePanel) -> TilePanel:
    """Return a panel whose values Matplotlib scales exactly, as it does not those of float16."""
    if is_small_float(panel.values.dtype):
        panel = replace(panel, values=panel.values.astype("float32"))
    scaled = panel.scaled_values
    if scaled is not None and is_small_float(scaled.dtype):
        panel = replace(panel, scaled_values=scaled.astype("float32"))
    return panel


def _scale_rgb(
    panel: TilePanel, values: np.ndarray, colors: ColorChoice
) -> tuple[TilePanel, ColorScale | None]:
    if colors.scale == "tile":
        items = [rgb_values(item, rgb_limits(item, signed=panel.signed)) for item in _items(panel)]
        tiles = np.concatenate(items)
        return replace(panel, scaled_values=tiles, notes=(*panel.notes, OWN_SCALE)), None
    # Colours that have no sign are those of a picture, in which every one of them counts.
    limited = colors.limited(values, signed=True) if panel.signed else colors
    limits = rgb_limits(values, limited.vmin, limited.vmax, signed=panel.signed)
    notes = panel.notes
    if limits[:2] not in ((0, 1), (0, 255)):
        grey = "grey = 0, " if limits.vmin == -limits.vmax else ""
        span = fix_minus(f"{write_limit(limits.vmin)} to {write_limit(limits.vmax)}")
        notes = (*notes, f"{grey}black to white: {span}")
    if panel.signed:
        notes = (*notes, *_beyond_notes(panel, limited))
    tiles = rgb_values(panel.tiles, limits)
    return replace(panel, scaled_values=tiles, notes=notes), None


def _items(panel: TilePanel) -> np.ndarray:
    """Return the tiles of each group together, `(groups, slices, ...)`."""
    return panel.tiles.reshape(-1, panel.slices, *panel.tiles.shape[1:])
