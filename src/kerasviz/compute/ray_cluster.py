"""The one place that knows Ray: run a model on the blocks of a data set, on the user's cluster."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerasviz.model.graph import has_inputs, held_layers
from kerasviz.model.inputs.labels import as_labels

GROUP = 8
"""How many results are joined at a time, on the cluster, before they come here."""
RESULT = "result"
"""The column of results."""

IMAGE_COLUMNS = ("image", "images", "data")
"""Names of columns of images, of which one is taken where there are other columns."""

Block = dict[str, np.ndarray]
"""Some rows of a data set that follow one another: an array per column."""


def is_cluster_dataset(inputs: Any) -> bool:
    """Whether inputs are a `ray.data.Dataset`; Ray is not imported to know it."""
    ray_data = sys.modules.get("ray.data")
    return ray_data is not None and isinstance(inputs, ray_data.Dataset)


@dataclass(frozen=True, kw_only=True)
class PackedModel:
    """A model as bytes that another process can read.

    Args:
        data: The pickled model: its `.keras` file.
        classes: The classes of its layers that are not Keras's, by name.
    """

    data: bytes
    classes: dict[str, type]

    @classmethod
    def pack(cls, model: keras.Model) -> PackedModel:
        """Return a packed model.

        Raises:
            ValueError: It cannot be saved.
        """
        kinds = {type(layer) for layer in held_layers(model)}
        classes = {
            name: kind
            for kind in kinds
            if kind.__module__.split(".")[0] != "keras"
            for name in (kind.__name__, keras.saving.get_registered_name(kind))
        }
        try:
            data = pickle.dumps(model)
        # Code of the user's layers, which Keras asks for their configuration, may raise anything.
        except Exception as error:
            raise ValueError(
                "`model` must be one that Keras can save, to be sent to a cluster. "
                f"{type(error).__name__}: {error}"
            ) from error
        return cls(data=data, classes=classes)

    def unpack(self) -> keras.Model:
        """Return the model."""
        with keras.saving.custom_object_scope(self.classes):
            model: keras.Model = pickle.loads(self.data)
        return model


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which columns of a data set are the inputs of a model, and which one the labels.

    Args:
        inputs: The columns; of several inputs, their names are those of the inputs.
        labels: The column of the labels, if any.
    """

    inputs: tuple[str, ...]
    labels: str | None

    @classmethod
    def find(cls, model: keras.Model, dataset: Any, labels: Any = None) -> Columns:
        """Return which columns they are.

        Raises:
            TypeError: `labels` is not the name of a column.
            ValueError: There are no such columns, or the model has no inputs yet.
        """
        if not has_inputs(model):
            raise ValueError(
                "`model` must know its inputs to be sent to a cluster: a Functional model, or a "
                f"Sequential one that is built. Received: '{model.name}'"
            )
        if labels is not None and not isinstance(labels, str):
            raise TypeError(
                "`labels` must be the name of a column where `inputs` are a data set of Ray. "
                f"Received: labels={type(labels).__name__}"
            )
        columns = dataset.columns() or []
        others = [name for name in columns if name != labels]
        names = [tensor.name for tensor in model.inputs]
        likely = [name for name in IMAGE_COLUMNS if name in others]
        if len(others) == len(columns) and labels is not None:
            raise ValueError(
                f"`labels` must be one of the columns {', '.join(map(repr, columns))}. "
                f"Received: labels={labels!r}"
            )
        if set(names) <= set(others):
            return cls(inputs=tuple(names), labels=labels)
        if len(names) == 1 and (len(others) == 1 or len(likely) == 1):
            return cls(inputs=tuple(others if len(others) == 1 else likely), labels=labels)
        raise ValueError(
            f"`inputs` must have a column for each of {', '.join(map(repr, names))}, the inputs of "
            f"the model, or a column 'image'. Received: {', '.join(map(repr, columns))}"
        )

    def batches(self, block: Block) -> Iterator[tuple[Any, np.ndarray | None]]:
        """Yield the inputs and labels of a block, those of one size together."""
        labels = (
            None if self.labels is None else as_labels(_plain(block[self.labels]), may_be_text=True)
        )
        arrays = [block[name] for name in self.inputs]
        for start, stop in _runs(arrays):
            # Images of several sizes come as an array of arrays.
            parts = [_plain(array[start:stop]) for array in arrays]
            inputs = parts[0] if len(parts) == 1 else dict(zip(self.inputs, parts, strict=True))
            yield inputs, None if labels is None else labels[start:stop]


def _plain(array: np.ndarray) -> np.ndarray:
    """Return an array of numbers or text in place of an array of objects."""
    return np.array(list(array)) if array.dtype == object else array


def _runs(arrays: Sequence[np.ndarray]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last row, plus one, of rows of the same shapes."""
    ragged = [array for array in arrays if array.dtype == object]
    start, stop = 0, len(arrays[0])
    if ragged:
        shapes = [tuple(np.shape(x) for x in row) for row in zip(*ragged, strict=True)]
        for index in range(1, stop):
            if shapes[index] != shapes[start]:
                yield start, index
                start = index
    if stop:
        yield start, stop


Work = Callable[[keras.Model, Block], Iterator[Any]]
"""Yields results of the rows of a block, which are together in memory."""
Join = Callable[[Any, Any], Any]
"""Joins the results of blocks that follow one another."""


class _Worker:
    """An actor that holds the model, made once on each worker."""

    def __init__(self, model: PackedModel, work: Work) -> None:
        self._model = model.unpack()
        self._work = work

    def __call__(self, block: Block) -> Iterator[dict[str, list[bytes]]]:
        # Ray runs this again elsewhere if the worker dies. Nothing is kept here from one block to
        # the next, so that no row counts twice.
        for result in self._work(self._model, block):
            yield {RESULT: [pickle.dumps(result)]}


def _join(block: Block, join: Join) -> dict[str, list[bytes]]:
    first, *others = map(pickle.loads, block[RESULT])
    for other in others:
        first = join(first, other)
    return {RESULT: [pickle.dumps(first)]}


def count_of_cluster(resource: str) -> int:
    """Return how many of a resource, `"CPU"` or `"GPU"`, the cluster has; 0 before it is there."""
    import ray

    return int(ray.cluster_resources().get(resource, 0)) if ray.is_initialized() else 0


def map_blocks(
    model: keras.Model, dataset: Any, work: Work, *, join: Join | None = None
) -> Iterator[Any]:
    """Yield the results of all blocks of a data set, in the order of its rows.

    One actor per worker holds the model, on a GPU of its own where the cluster has any.

    Args:
        model: The model.
        dataset: A `ray.data.Dataset`.
        work: What to do with a block; it is sent to the workers.
        join: Joins results; then those of several blocks come as one, joined on the cluster.
    """
    from ray.data import ActorPoolStrategy

    gpus = count_of_cluster("GPU")
    workers = gpus or max(count_of_cluster("CPU"), 1)
    with _in_order(dataset) as ordered:
        results = ordered.map_batches(
            _Worker,
            fn_constructor_args=(PackedModel.pack(model), work),
            batch_size=None,
            batch_format="numpy",
            compute=ActorPoolStrategy(min_size=1, max_size=workers),
            num_gpus=1 if gpus else None,
            num_cpus=None if gpus else 1,
            runtime_env={"env_vars": {"KERAS_BACKEND": keras.backend.backend()}},
        )
        if join is not None:
            results = results.map_batches(
                _join, fn_kwargs={"join": join}, batch_size=GROUP, batch_format="numpy", num_cpus=0
            )
        for row in results.iter_rows():
            yield pickle.loads(row[RESULT])


@contextmanager
def _in_order(dataset: Any) -> Iterator[Any]:
    """Let a data set keep the order of its rows, which Ray else gives up where it is slower."""
    options = dataset.context.execution_options
    before = options.preserve_order
    options.preserve_order = True
    try:
        yield dataset
    finally:
        options.preserve_order = before
