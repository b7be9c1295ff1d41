from . import callbacks, fashion_mnist
from .callbacks import (
    FeatureMapSnapshots,
    FilterSnapshots,
    KernelSnapshots,
    Snapshots,
    WeightStatistics,
)
from .compute.attribution.attributions import Attributions, get_attributions
from .compute.attribution.evidence import Evidence, EvidenceCurve
from .compute.feature_maps import feature_map_model, get_feature_maps
from .compute.filters.collecting import filter_statistics
from .compute.filters.preferred_inputs import PreferredInputs, get_preferred_inputs
from .compute.filters.receptive_fields.receptive_field import ReceptiveField, receptive_field
from .compute.filters.statistics import FilterStatistics
from .compute.kernel_statistics import (
    KernelStatistics,
    LayerStatistics,
    kernel_statistics,
)
from .compute.kernels import get_kernels
from .compute.layers import LayerRef, find_layers
from .compute.streaming import iter_feature_maps, save_feature_maps
from .draw.plot import Panel, Plot
from .draw.tiles.style import TileOptions
from .plots.activation_histograms import plot_activation_histograms
from .plots.architecture import plot_architecture
from .plots.attributions import plot_attributions
from .plots.compare_kernels import compare_kernels
from .plots.convolution import animate_convolution, plot_convolution
from .plots.feature_maps import plot_feature_maps
from .plots.filter_similarity import plot_filter_similarity
from .plots.filters import plot_filters
from .plots.history import plot_history
from .plots.kernel_histograms import plot_kernel_histograms
from .plots.kernels import plot_kernels
from .plots.mistakes import plot_mistakes
from .plots.preferred_inputs import plot_preferred_inputs
from .plots.snapshots import animate_snapshots, plot_snapshots
from .plots.tiles import plot_tiles
from .plots.training_statistics import plot_training_statistics
from .report import report
from .report.notebook.exploring import explore

__version__: str

__all__ = [
    "Attributions",
    "Evidence",
    "EvidenceCurve",
    "FeatureMapSnapshots",
    "FilterSnapshots",
    "FilterStatistics",
    "KernelSnapshots",
    "KernelStatistics",
    "LayerRef",
    "LayerStatistics",
    "Panel",
    "Plot",
    "PreferredInputs",
    "ReceptiveField",
    "Snapshots",
    "TileOptions",
    "WeightStatistics",
    "animate_convolution",
    "animate_snapshots",
    "callbacks",
    "compare_kernels",
    "explore",
    "fashion_mnist",
    "feature_map_model",
    "filter_statistics",
    "find_layers",
    "get_attributions",
    "get_feature_maps",
    "get_kernels",
    "get_preferred_inputs",
    "iter_feature_maps",
    "kernel_statistics",
    "plot_activation_histograms",
    "plot_architecture",
    "plot_attributions",
    "plot_convolution",
    "plot_feature_maps",
    "plot_filter_similarity",
    "plot_filters",
    "plot_history",
    "plot_kernel_histograms",
    "plot_kernels",
    "plot_mistakes",
    "plot_preferred_inputs",
    "plot_snapshots",
    "plot_tiles",
    "plot_training_statistics",
    "receptive_field",
    "report",
    "save_feature_maps",
]
