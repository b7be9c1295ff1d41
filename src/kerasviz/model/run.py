"""A sub-model to a function from a batch to its outputs as arrays, in inference mode."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import keras
import numpy as np


def is_inside_graph() -> bool:
    """Whether this is called from within a `tf.function` or a `tf.Graph`, where no value exists."""
    tensorflow = sys.modules.get("tensorflow")
    if keras.backend.backend() != "tensorflow" or tensorflow is None:
        return False
    return not tensorflow.executing_eagerly()


def make_runner(sub_model: keras.Model) -> Callable[[Any], Any]:
    """Return a function that runs a sub-model on a batch, compiled where the backend compiles.

    The function keeps the sub-model alive. It traces it at the first call for each shape of input.
    """
    if keras.backend.backend() == "jax":
        return _jax_runner(sub_model)
    if keras.backend.backend() == "tensorflow":
        return _tensorflow_runner(sub_model)
    return cast(Callable[[Any], Any], sub_model.predict_on_batch)


def _jax_runner(sub_model: keras.Model) -> Callable[[Any], Any]:
    """Compile without Keras's `predict_on_batch`.

    On JAX that takes the arrays of all variables away and puts others in their place when it is
    done, so that another thread which uses the model meanwhile finds nothing.
    """
    import jax

    def compute(trainable: Any, non_trainable: Any, inputs: Any) -> Any:
        outputs, _ = sub_model.stateless_call(trainable, non_trainable, inputs, training=False)
        return outputs

    step = jax.jit(compute)

    def run(batch: Any) -> Any:
        outputs = step(
            [variable.value for variable in sub_model.trainable_variables],
            [variable.value for variable in sub_model.non_trainable_variables],
            batch,
        )
        return keras.tree.map_structure(np.asarray, outputs)

    return run


def _tensorflow_runner(sub_model: keras.Model) -> Callable[[Any], Any]:
    def run(batch: Any) -> Any:
        samples = len(keras.tree.flatten(batch)[0])
        with _without_retracing_warnings():
            outputs = sub_model.predict_on_batch(batch)
        # Within the scope of a strategy, each replica computes the whole batch.
        return keras.tree.map_structure(lambda x: x[:samples], outputs)

    return run


@contextmanager
def _without_retracing_warnings() -> Iterator[None]:
    """Hold back one message of TensorFlow's logger.

    TensorFlow counts the tracings of every Keras model's `predict` as those of one function, and
    advises against them from the fifth on. Each sub-model is traced once, as it has to be.
    """

    def is_other(message: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in message.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)
