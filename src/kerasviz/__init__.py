"""See inside Keras models: kernels and feature maps in one call."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasviz import fashion_mnist
    from kerasviz.draw.options import TileOptions
    from kerasviz.draw.panel import Plot
    from kerasviz.model.feature_maps import feature_map_model, get_feature_maps
    from kerasviz.model.find import LayerRef, find_layers
    from kerasviz.model.kernels import get_kernels
    from kerasviz.model.streams import iter_feature_maps, save_feature_maps
    from kerasviz.plots.feature_maps import plot_feature_maps
    from kerasviz.plots.kernels import plot_kernels
    from kerasviz.plots.tiles import plot_tiles

__version__ = "0.1.0"

__all__ = [
    "LayerRef",
    "Plot",
    "TileOptions",
    "fashion_mnist",
    "feature_map_model",
    "find_layers",
    "get_feature_maps",
    "get_kernels",
    "iter_feature_maps",
    "plot_feature_maps",
    "plot_kernels",
    "plot_tiles",
    "save_feature_maps",
]

_HOMES = {
    "LayerRef": "kerasviz.model.find",
    "Plot": "kerasviz.draw.panel",
    "TileOptions": "kerasviz.draw.options",
    "feature_map_model": "kerasviz.model.feature_maps",
    "find_layers": "kerasviz.model.find",
    "get_feature_maps": "kerasviz.model.feature_maps",
    "get_kernels": "kerasviz.model.kernels",
    "iter_feature_maps": "kerasviz.model.streams",
    "plot_feature_maps": "kerasviz.plots.feature_maps",
    "plot_kernels": "kerasviz.plots.kernels",
    "plot_tiles": "kerasviz.plots.tiles",
    "save_feature_maps": "kerasviz.model.streams",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import kerasviz` stays light."""
    if name == "fashion_mnist":
        return importlib.import_module("kerasviz.fashion_mnist")
    if name not in _HOMES:
        raise AttributeError(f"module 'kerasviz' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
