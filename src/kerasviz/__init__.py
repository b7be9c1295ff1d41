"""See inside Keras models: kernels and feature maps in one call."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasviz import callbacks, fashion_mnist
    from kerasviz.callbacks import FeatureMapSnapshots, KernelSnapshots, WeightStatistics
    from kerasviz.compute.feature_maps import feature_map_model, get_feature_maps
    from kerasviz.compute.kernel_statistics import (
        KernelStatistics,
        LayerStatistics,
        kernel_statistics,
    )
    from kerasviz.compute.kernels import get_kernels
    from kerasviz.compute.layers import LayerRef, find_layers
    from kerasviz.compute.streaming import iter_feature_maps, save_feature_maps
    from kerasviz.draw.plot import Plot
    from kerasviz.draw.tiles.style import TileOptions
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
    "KernelStatistics": "kerasviz.compute.kernel_statistics",
    "LayerRef": "kerasviz.compute.layers",
    "LayerStatistics": "kerasviz.compute.kernel_statistics",
    "Plot": "kerasviz.draw.tiles.panel",
    "TileOptions": "kerasviz.draw.tiles.style",
    "WeightStatistics": "kerasviz.callbacks",
    "animate_convolution": "kerasviz.plots.convolution",
    "compare_kernels": "kerasviz.plots.compare",
    "feature_map_model": "kerasviz.compute.feature_maps",
    "find_layers": "kerasviz.compute.layers",
    "get_feature_maps": "kerasviz.compute.feature_maps",
    "get_kernels": "kerasviz.compute.kernels",
    "iter_feature_maps": "kerasviz.compute.streaming",
    "kernel_statistics": "kerasviz.compute.kernel_statistics",
    "plot_architecture": "kerasviz.plots.architecture",
    "plot_convolution": "kerasviz.plots.convolution",
    "plot_feature_maps": "kerasviz.plots.feature_maps",
    "plot_history": "kerasviz.plots.history",
    "plot_kernel_histograms": "kerasviz.plots.histograms",
    "plot_kernels": "kerasviz.plots.kernels",
    "plot_tiles": "kerasviz.plots.tiles",
    "plot_training_statistics": "kerasviz.plots.training_statistics",
    "save_feature_maps": "kerasviz.compute.streaming",
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
