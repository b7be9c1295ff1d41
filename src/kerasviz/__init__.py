"""See inside Keras models: kernels and feature maps in one call."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasviz import callbacks, fashion_mnist
    from kerasviz.callbacks import FeatureMapSnapshots, KernelSnapshots, WeightStatistics
    from kerasviz.draw.options import TileOptions
    from kerasviz.draw.panel import Plot
    from kerasviz.model.feature_maps import feature_map_model, get_feature_maps
    from kerasviz.model.find import LayerRef, find_layers
    from kerasviz.model.kernels import get_kernels
    from kerasviz.model.statistics import KernelStatistics, LayerStatistics, kernel_statistics
    from kerasviz.model.streams import iter_feature_maps, save_feature_maps
    from kerasviz.plots.architecture import plot_architecture
    from kerasviz.plots.compare import compare_kernels
    from kerasviz.plots.convolution import animate_convolution, plot_convolution
    from kerasviz.plots.feature_maps import plot_feature_maps
    from kerasviz.plots.histograms import plot_kernel_histograms
    from kerasviz.plots.history import plot_history
    from kerasviz.plots.kernels import plot_kernels
    from kerasviz.plots.tiles import plot_tiles
    from kerasviz.plots.training_statistics import plot_training_statistics

__version__ = "0.1.0"

__all__ = [
    "FeatureMapSnapshots",
    "KernelSnapshots",
    "KernelStatistics",
    "LayerRef",
    "LayerStatistics",
    "Plot",
    "TileOptions",
    "WeightStatistics",
    "animate_convolution",
    "callbacks",
    "compare_kernels",
    "fashion_mnist",
    "feature_map_model",
    "find_layers",
    "get_feature_maps",
    "get_kernels",
    "iter_feature_maps",
    "kernel_statistics",
    "plot_architecture",
    "plot_convolution",
    "plot_feature_maps",
    "plot_history",
    "plot_kernel_histograms",
    "plot_kernels",
    "plot_tiles",
    "plot_training_statistics",
    "save_feature_maps",
]

_HOMES = {
    "FeatureMapSnapshots": "kerasviz.callbacks",
    "KernelSnapshots": "kerasviz.callbacks",
    "KernelStatistics": "kerasviz.model.statistics",
    "LayerRef": "kerasviz.model.find",
    "LayerStatistics": "kerasviz.model.statistics",
    "Plot": "kerasviz.draw.panel",
    "TileOptions": "kerasviz.draw.options",
    "WeightStatistics": "kerasviz.callbacks",
    "animate_convolution": "kerasviz.plots.convolution",
    "compare_kernels": "kerasviz.plots.compare",
    "feature_map_model": "kerasviz.model.feature_maps",
    "find_layers": "kerasviz.model.find",
    "get_feature_maps": "kerasviz.model.feature_maps",
    "get_kernels": "kerasviz.model.kernels",
    "iter_feature_maps": "kerasviz.model.streams",
    "kernel_statistics": "kerasviz.model.statistics",
    "plot_architecture": "kerasviz.plots.architecture",
    "plot_convolution": "kerasviz.plots.convolution",
    "plot_feature_maps": "kerasviz.plots.feature_maps",
    "plot_history": "kerasviz.plots.history",
    "plot_kernel_histograms": "kerasviz.plots.histograms",
    "plot_kernels": "kerasviz.plots.kernels",
    "plot_tiles": "kerasviz.plots.tiles",
    "plot_training_statistics": "kerasviz.plots.training_statistics",
    "save_feature_maps": "kerasviz.model.streams",
}


if not TYPE_CHECKING:  # a type checker would take it as a sign that every name exists

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used, so that `import kerasviz` stays light."""
        if name in ("callbacks", "fashion_mnist"):
            return importlib.import_module(f"kerasviz.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module 'kerasviz' has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
