"""The reference example from raw images to pictures: train, stop early, save, look inside."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasviz._checks import check_count, check_path, is_int
from kerasviz.fashion_mnist.chapter import write_chapter
from kerasviz.fashion_mnist.data import load_data
from kerasviz.fashion_mnist.model import build_model

PATIENCE = 2
"""After how many epochs without a lower validation loss training stops."""


MAX_SEED = 2**32 - 1
"""The largest seed that NumPy takes."""


class Training(NamedTuple):
    """The result of a training run.

    Args:
        model: The network with the weights of its best epoch, compiled.
        untrained: The same network as it was before the first step.
        history: The losses and accuracies of each epoch, for `plot_history`.
        accuracy: The share of the test images that are classified correctly, 0 to 1.
        files: What was written, in the order of the chapter; empty without a folder.
    """

    model: keras.Sequential
    untrained: keras.Sequential
    history: keras.callbacks.History
    accuracy: float
    files: tuple[Path, ...]


def train(
    folder: str | os.PathLike[str] | None = None,
    output: str | os.PathLike[str] | None = None,
    *,
    subset: int | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: Any = 0,
) -> Training:
    """Train the reference network on Fashion-MNIST, and draw everything there is to see in it.

    The network that ships, `load_model()`, comes from this call with the seed 0. Another machine
    or another version of a backend gives other weights of the same quality.

    Args:
        folder: The folder with the four idx files; `None` for Keras's cache, see `load_data`.
        output: A folder, made if need be, for the best model (`best-model.keras`), the log of the
            epochs (`history.csv`), every picture, and a page of them with a table of contents
            (`index.html`). `None` writes nothing.
        subset: Train on this number of images instead of all, to see it run.
        epochs: How many at most; training stops when the validation loss has not fallen for two,
            and the weights of the best epoch are kept.
        batch_size: Images per step.
        seed: The seed of the weights and of the order of the images, set for all of Python, NumPy
            and the backend, as `keras.utils.set_random_seed` does.
        callbacks: More Keras callbacks.
        verbose: What Keras prints, as for `model.fit`: 0 nothing, 1 a progress bar, 2 a line an
            epoch.

    Returns:
        A `Training`: the trained model, the untrained one, the history, the accuracy on the test
        images, and the files.

    Raises:
        FileNotFoundError: The data is not there; the message says how to get it.
        OSError: `output` cannot be written to.
        ValueError: `subset`, `epochs`, `batch_size` or `seed` is not such a number.

    Example:
        >>> from kerasviz import fashion_mnist
        >>> run = fashion_mnist.train(output="chapter", verbose=1)  # doctest: +SKIP
        >>> round(run.accuracy, 2)  # doctest: +SKIP
        0.92
    """
    _check_numbers(epochs=epochs, batch_size=batch_size, seed=seed)
    if output is not None:
        output = check_path("output", output)
    data = load_data(folder, subset=subset)
    written: tuple[Path, ...] = ()
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        written = output / "history.csv", output / "best-model.keras"
    keras.utils.set_random_seed(seed)
    model = build_model()
    untrained = build_model()
    untrained.set_weights(model.get_weights())
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        *data.train,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=tuple(data.validation),
        callbacks=[*_make_callbacks(*written), *callbacks],
        verbose=verbose,
    )
    predicted = model.predict(data.test.images, batch_size=500, verbose=0).argmax(axis=1)
    accuracy = float(np.mean(predicted == data.test.labels))
    if output is not None:
        written += tuple(write_chapter(output, model, untrained, history, data.test))
    return Training(
        model=model, untrained=untrained, history=history, accuracy=accuracy, files=written
    )


def _make_callbacks(*files: Path) -> list[keras.callbacks.Callback]:
    """Return what stops training early, and writes its log and its best model to two files."""
    stop = keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)
    if not files:
        return [stop]
    log, best = files
    checkpoint = keras.callbacks.ModelCheckpoint(best, save_best_only=True)
    return [stop, keras.callbacks.CSVLogger(log), checkpoint]


def _check_numbers(*, epochs: object, batch_size: object, seed: object) -> None:
    """Raise `ValueError` for numbers that would be noticed only after the data has been read."""
    check_count("epochs", epochs)
    check_count("batch_size", batch_size)
    if not is_int(seed) or not 0 <= seed <= MAX_SEED:
        raise ValueError(
            f"`seed` must be an integer from 0 to {MAX_SEED}. Received: seed={seed!r:.80}"
        )
