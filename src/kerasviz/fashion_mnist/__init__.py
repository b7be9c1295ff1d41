"""The reference example: a small CNN for Fashion-MNIST, its data and its trained weights."""

from __future__ import annotations

from kerasviz.fashion_mnist.data import load_data
from kerasviz.fashion_mnist.model import build_model, load_model
from kerasviz.fashion_mnist.samples import CLASSES, load_samples
from kerasviz.fashion_mnist.training import train

__all__ = ["CLASSES", "build_model", "load_data", "load_model", "load_samples", "train"]
