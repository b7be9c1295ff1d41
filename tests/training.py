"""Train a model as `fit` does, as callbacks see it, in a moment: `from training import train`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

VALIDATION = {"validation_data", "validation_freq"}


def train(
    model: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    batch_size: int = 32,
    epochs: int = 1,
    initial_epoch: int = 0,
    metrics: Sequence[str] = ("loss",),
    **options: Any,
) -> keras.callbacks.History:
    """Train, and call the callbacks as `fit` does.

    On TensorFlow `fit` takes a quarter of a second for its pipeline of data and its gradients,
    however small the model is. There a model that runs eagerly takes steps of its optimizer along
    gradients that are made up. On JAX and PyTorch it is `fit` itself, and here where a model or an
    option asks for more than that.

    Args:
        model: A compiled model.
        x: What it is trained on.
        y: The targets.
        callbacks: As for `fit`.
        batch_size: As for `fit`.
        epochs: As for `fit`.
        initial_epoch: As for `fit`.
        metrics: The names of the loss and of the metrics.
        options: Other options of `fit`.

    Returns:
        What `fit` returns.
    """
    is_plain = keras.backend.backend() == "tensorflow" and model.built and model.run_eagerly
    if set(options) - VALIDATION or not is_plain or model.steps_per_execution != 1:
        options |= {"batch_size": batch_size, "epochs": epochs, "initial_epoch": initial_epoch}
        return model.fit(x, y, verbose=0, callbacks=list(callbacks), **options)
    steps = math.ceil(len(x) / batch_size)
    every = keras.callbacks.CallbackList(
        list(callbacks), add_history=True, model=model, epochs=epochs, steps=steps, verbose=0
    )
    model.stop_training = False
    logs: dict[str, float] = {}
    every.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        every.on_epoch_begin(epoch)
        for step in range(steps):
            every.on_train_batch_begin(step)
            logs = dict.fromkeys(metrics, take_step(model))
            every.on_train_batch_end(step, logs)
            if model.stop_training:
                break
        is_validated = "validation_data" in options
        if is_validated and (epoch + 1) % options.get("validation_freq", 1) == 0:
            logs |= {f"val_{name}": value for name, value in logs.items()}
        every.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    every.on_train_end(logs)
    return model.history


def take_step(model: keras.Model) -> float:
    """Let the optimizer of a model take one step, and return a loss."""
    step = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
    rng = np.random.default_rng(step)
    variables = model.trainable_variables
    gradients = [
        keras.ops.convert_to_tensor(rng.normal(size=x.shape), dtype=x.dtype) for x in variables
    ]
    model.optimizer.apply(gradients, variables)
    return 1 / (step + 1)
