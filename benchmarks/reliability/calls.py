"""Every public call with arguments that are right, on tiny models: what the scripts here share."""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import matplotlib as mpl

mpl.use("agg")

import keras
import matplotlib.pyplot as plt
import numpy as np

import kerasviz

EPOCHS = 2


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What the calls are about: a model, its data, and what a training of it wrote."""

    model: keras.Model
    images: np.ndarray
    labels: np.ndarray
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Call:
    """A public function, and arguments with which it succeeds."""

    function: Callable[..., Any]
    arguments: dict[str, Any]

    def run(self, **changes: Any) -> Any:
        """Call the function with its arguments, some of them changed."""
        return self.function(**{**self.arguments, **changes})


def make_model(seed: int = 0) -> keras.Model:
    """Return a classifier: 12×12×1 → "first" → "norm" → "drop" → "second" → "pool" → "top"."""
    seeds = iter(range(4 * seed, 4 * seed + 4))
    random = keras.initializers.GlorotUniform
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1), name="image"),
            keras.layers.Conv2D(
                4, 3, activation="relu", name="first", kernel_initializer=random(next(seeds))
            ),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.5, name="drop", seed=next(seeds)),
            keras.layers.Conv2D(6, 3, name="second", kernel_initializer=random(next(seeds))),
            keras.layers.GlobalAveragePooling2D(name="pool"),
            keras.layers.Dense(
                3, activation="softmax", name="top", kernel_initializer=random(next(seeds))
            ),
        ],
        name="tiny",
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def make_subject(folder: Path) -> Subject:
    """Return a model, data, and a folder with the records of a short training of another one."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(6, 12, 12, 1)).astype("float32")
    labels = np.arange(6) % 3
    folder.mkdir(parents=True, exist_ok=True)
    make_model(1).fit(
        images,
        labels,
        epochs=EPOCHS,
        verbose=0,
        callbacks=[
            kerasviz.KernelSnapshots("first", directory=folder / "records"),
            kerasviz.WeightStatistics(csv=folder / "statistics.csv"),
            keras.callbacks.CSVLogger(str(folder / "history.csv")),
        ],
    )
    plt.close("all")
    return Subject(model=make_model(), images=images, labels=labels, folder=folder)


def number_calls(subject: Subject) -> dict[str, Call]:
    """Return the calls that bring arrays and tables."""
    model, images = subject.model, subject.images
    about_layer = {"model": model, "layer": "second"}
    maps = {**about_layer, "inputs": images}
    return {
        "find_layers": Call(function=kerasviz.find_layers, arguments={"model": model}),
        "get_kernels": Call(function=kerasviz.get_kernels, arguments=about_layer),
        "kernel_statistics": Call(function=kerasviz.kernel_statistics, arguments={"model": model}),
        "get_feature_maps": Call(function=kerasviz.get_feature_maps, arguments=maps),
        "iter_feature_maps": Call(
            function=lambda **options: list(kerasviz.iter_feature_maps(**options)), arguments=maps
        ),
        "save_feature_maps": Call(
            function=kerasviz.save_feature_maps,
            arguments={**maps, "path": subject.folder / "maps.npy"},
        ),
        "feature_map_model": Call(function=kerasviz.feature_map_model, arguments=about_layer),
        "receptive_field": Call(
            function=kerasviz.receptive_field, arguments={**about_layer, "position": (1, 2)}
        ),
        "filter_statistics": Call(
            function=kerasviz.filter_statistics, arguments={**maps, "labels": subject.labels}
        ),
        "get_attributions": Call(
            function=kerasviz.get_attributions,
            arguments={"model": model, "inputs": images, "method": "gradient"},
        ),
        "get_preferred_inputs": Call(
            function=kerasviz.get_preferred_inputs, arguments={**about_layer, "steps": 2}
        ),
    }


def plot_calls(subject: Subject) -> dict[str, Call]:
    """Return the calls that bring pictures."""
    model, images, labels = subject.model, subject.images, subject.labels
    about_layer = {"model": model, "layer": "second"}
    maps = {**about_layer, "inputs": images}
    both = {"models": {"a": model, "b": model}, "layer": "second"}
    step = {**maps, "layer": "first"}
    records = {"folder": subject.folder / "records", "layer": "first"}
    arguments: dict[Callable[..., Any], dict[str, Any]] = {
        kerasviz.plot_tiles: {"array": np.moveaxis(images[..., 0], 0, -1)},
        kerasviz.plot_kernels: about_layer,
        kerasviz.plot_kernel_histograms: {"model": model},
        kerasviz.compare_kernels: both,
        kerasviz.plot_feature_maps: maps,
        kerasviz.plot_convolution: {**step, "position": (1, 2)},
        kerasviz.animate_convolution: step,
        kerasviz.plot_architecture: {"model": model},
        kerasviz.plot_attributions: {"model": model, "inputs": images, "method": "gradient"},
        kerasviz.plot_mistakes: {
            "model": model,
            "inputs": images,
            "labels": labels,
            "method": "gradient",
        },
        kerasviz.plot_filters: {**maps, "labels": labels, "steps": 2},
        kerasviz.plot_filter_similarity: maps,
        kerasviz.plot_activation_histograms: {**maps, "labels": labels},
        kerasviz.plot_preferred_inputs: {**about_layer, "steps": 2},
        kerasviz.plot_history: {"history": subject.folder / "history.csv"},
        kerasviz.plot_training_statistics: {"source": subject.folder / "statistics.csv"},
        kerasviz.plot_snapshots: records,
        kerasviz.animate_snapshots: records,
    }
    return {
        function.__name__: Call(function=function, arguments=options)
        for function, options in arguments.items()
    }


def file_calls(subject: Subject) -> dict[str, Call]:
    """Return the calls that write one file of pictures."""
    model, images, folder = subject.model, subject.images, subject.folder

    def save_animation(**options: Any) -> None:
        kerasviz.animate_convolution(**options).save(folder / "steps.gif")

    def save_plot(**options: Any) -> None:
        kerasviz.plot_kernels(**options).savefig(folder / "kernels.png")

    return {
        "report": Call(
            function=kerasviz.report,
            arguments={"model": model, "inputs": images, "path": folder / "report.html"},
        ),
        "savefig": Call(function=save_plot, arguments={"model": model, "layer": "second"}),
        "animate": Call(
            function=save_animation,
            arguments={
                "model": model,
                "layer": "first",
                "inputs": images,
                "positions": [(0, 0), (0, 1)],
            },
        ),
    }


@functools.wraps(kerasviz.explore)
def explore_maps(*args: Any, **options: Any) -> Any:
    """Return what the page in a notebook gets that looks at the maps of a layer."""
    widget = kerasviz.explore(*args, **options)
    message = {"id": "1", "kind": "maps", "address": "second", "sample": 0}
    content = {"data": {"method": "custom", "content": message}}
    with mock.patch.object(widget, "send") as send:
        widget.comm.handle_msg({"content": content, "buffers": []})
    widget.close()
    facts, (block,) = send.call_args.args
    return {**facts, "block": np.frombuffer(block, "uint8")}


def notebook_calls(subject: Subject) -> dict[str, Call]:
    """Return the call that shows a page in a notebook."""
    arguments = {"model": subject.model, "inputs": subject.images, "labels": subject.labels}
    return {"explore": Call(function=explore_maps, arguments=arguments)}


def callback_calls(subject: Subject) -> dict[str, Call]:
    """Return the callbacks as they are made, which is where their keywords are checked."""
    folder = subject.folder / "new"
    arguments: dict[Callable[..., Any], dict[str, Any]] = {
        kerasviz.KernelSnapshots: {"layer": "first", "directory": folder},
        kerasviz.FeatureMapSnapshots: {"inputs": subject.images, "directory": folder},
        kerasviz.FilterSnapshots: {"inputs": subject.images, "directory": folder},
        kerasviz.WeightStatistics: {"inputs": subject.images},
        kerasviz.Snapshots: {"function": kerasviz.plot_kernels, "directory": folder},
    }
    return {
        function.__name__: Call(function=function, arguments=options)
        for function, options in arguments.items()
    }


def all_calls(subject: Subject) -> dict[str, Call]:
    """Return every function that `kerasviz` exports, and the writing of files."""
    return {
        **number_calls(subject),
        **plot_calls(subject),
        **file_calls(subject),
        **notebook_calls(subject),
    }


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in Markdown, and the versions that it was made with."""
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    backend = keras.backend.backend()
    print(
        f"\nPython {platform.python_version()}, Keras {keras.__version__} on {backend}, "
        f"Matplotlib {mpl.__version__}, NumPy {np.__version__}, {platform.machine()}"
    )
