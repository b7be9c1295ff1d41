"""The model that the command line is tried on, and a clean process after each command."""

import os

import keras
import matplotlib.pyplot as plt
import pytest

import kerasviz


@pytest.fixture(autouse=True)
def close_figures(monkeypatch: pytest.MonkeyPatch):
    """A command ends with its process, and leaves its figures and environment to it."""
    for name in ("MPLBACKEND", "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return kerasviz.fashion_mnist.load_model()
