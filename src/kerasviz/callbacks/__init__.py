"""Pictures and numbers of a network from inside `model.fit`."""

from __future__ import annotations

from kerasviz.callbacks.feature_map_snapshots import FeatureMapSnapshots
from kerasviz.callbacks.filter_snapshots import FilterSnapshots
from kerasviz.callbacks.kernel_snapshots import KernelSnapshots
from kerasviz.callbacks.plot_callback import Snapshots
from kerasviz.callbacks.trackers import log_to_mlflow, log_to_wandb
from kerasviz.callbacks.weight_statistics import WeightStatistics

__all__ = [
    "FeatureMapSnapshots",
    "FilterSnapshots",
    "KernelSnapshots",
    "Snapshots",
    "WeightStatistics",
    "log_to_mlflow",
    "log_to_wandb",
]
