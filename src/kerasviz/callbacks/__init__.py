"""The same pictures from inside `model.fit`, and numbers."""

from __future__ import annotations

from kerasviz.callbacks.snapshots import FeatureMapSnapshots, KernelSnapshots
from kerasviz.callbacks.statistics import WeightStatistics

__all__ = ["FeatureMapSnapshots", "KernelSnapshots", "WeightStatistics"]
