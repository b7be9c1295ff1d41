"""Callbacks refuse what cannot be right when they are made, in the order of their keywords."""

import itertools

import keras
import numpy as np
import pytest

import kerasviz

LAYERS = [float("nan"), 1.5, True, b"conv2d", {"conv2d"}, ["conv2d", None], int]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@pytest.mark.parametrize("name", ["KernelSnapshots", "FeatureMapSnapshots", "WeightStatistics"])
def test_callbacks_refuse_what_is_no_layer_when_they_are_made(name, layer):
    first = (np.ones((1, 8, 8, 1)),) if name == "FeatureMapSnapshots" else ()
    with pytest.raises(TypeError, match=r"^`layer` must be a name, an index.* Received: layer="):
        getattr(kerasviz, name)(*first, layer)


@pytest.mark.parametrize("name", ["KernelSnapshots", "WeightStatistics"])
def test_callbacks_refuse_no_layer_at_all_when_they_are_made(name):
    with pytest.raises(ValueError, match=r"^`layer` must name at least one layer"):
        getattr(kerasviz, name)([])


@pytest.mark.parametrize("layer", [None, "conv2d", -1, keras.layers.Conv2D, ["conv*", 0]], ids=str)
def test_callbacks_take_what_may_name_a_layer(layer):
    assert kerasviz.WeightStatistics(layer).layer is layer


WRONG = [
    {"every": 0},
    {"directory": 5},
    {"gif": 5},
    {"log_dir": 5},
    {"on_plot": 5},
    {"channel": "first"},
    {"sort": "size"},
    {"scale": "all"},
]


@pytest.mark.parametrize(("first", "second"), list(itertools.pairwise(WRONG)), ids=str)
def test_kernel_snapshots_names_the_first_wrong_argument(first, second):
    """Nothing is said of a place to go to as long as an argument is wrong by itself."""
    (name,) = first
    with pytest.raises((TypeError, ValueError), match=f"^`{name}` "):
        kerasviz.KernelSnapshots(**second, **first)


def test_weight_statistics_names_the_first_wrong_argument():
    wrong = {"inputs": "a path", "every": 0, "csv": 5, "log_dir": 5, "batch_size": 0}
    for index, name in enumerate(wrong):
        rest = dict(list(wrong.items())[index:])
        with pytest.raises((TypeError, ValueError), match=f"^`{name}` "):
            kerasviz.WeightStatistics(**rest)
