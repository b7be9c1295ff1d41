"""Find the surest mistakes of a model in any amount of data: what it takes for something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerasviz._checks import check_count, check_verbose
from kerasviz.compute.attribution.score.goal import logits_to_probabilities
from kerasviz.compute.attribution.score.heads import Head, find_heads
from kerasviz.compute.attribution.score.scored_model import output_names, run_model
from kerasviz.compute.feature_maps import check_batch_size, plan_call
from kerasviz.model.calls import input_specs
from kerasviz.model.graph import has_inputs
from kerasviz.model.inputs.input_adapter import (
    InputBatch,
    is_stream,
    iter_labelled_batches,
    prepare_inputs,
)
from kerasviz.model.inputs.labels import as_labels

TOP = 5
"""How many classes are named for each mistake."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mistakes:
    """The surest mistakes of a model, the surest first; of equal ones the earlier sample.

    Args:
        inputs: The inputs of these samples, `(mistakes, ...)`, in the model's own structure.
        indices: The index of each among all samples, `(mistakes,)`.
        labels: The class that each has.
        predicted: The class that the model takes it for.
        probabilities: The probability that the model gives to that, `(mistakes,)`.
        label_probabilities: The probability that it gives to the label.
        top_classes: The most probable classes, `(mistakes, top)`, the most probable first.
        top_probabilities: Their probabilities.
        count: How many samples are mistakes.
        samples: How many samples there are.
        from_logits: Whether the model returns logits, of which these are the softmax or sigmoid.
    """

    inputs: Any
    indices: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    label_probabilities: np.ndarray
    top_classes: np.ndarray
    top_probabilities: np.ndarray
    count: int
    samples: int
    from_logits: bool

    def __len__(self) -> int:
        return len(self.indices)


def find_mistakes(
    model: keras.Model,
    inputs: Any,
    labels: Any = None,
    *,
    samples: int = 8,
    batch_size: int = 32,
    verbose: int = 0,
    check: Callable[[Any], object] | None = None,
) -> Mistakes:
    """Return the samples that a model is surest of, and wrong about.

    Only one batch and the mistakes found so far are held at a time.

    Args:
        model: A classifier that returns probabilities or logits, `(samples, classes)`.
        inputs: What `get_feature_maps` takes; or batches of it from anything that can be iterated:
            a generator, a `tf.data.Dataset`, a `keras.utils.PyDataset`, a PyTorch `DataLoader`.
        labels: The class of each sample, `(samples,)`, or one-hot, `(samples, classes)`. `None`
            where batches `(x, y)` bring their own. Of several outputs, a dict from the name of one.
        samples: How many mistakes are returned at most.
        batch_size: How many samples run at a time.
        verbose: 0 or 1; 1 shows a progress bar.
        check: Called with the first sample before the model runs, to raise where what is asked of
            the mistakes later cannot be done.

    Raises:
        TypeError: `labels` are not classes.
        ValueError: `labels` do not fit the samples or the model.
    """
    check_count("samples", samples)
    check_batch_size(batch_size)
    check_verbose(verbose)
    name, labels = _name_of_output(labels)
    surest = _Surest(samples)
    bar = keras.utils.Progbar(None, unit_name="sample") if verbose else None
    reader: _Reader | None = None
    for batch, y in _batches(model, inputs, labels, batch_size):
        if reader is None and check is not None:
            check(batch.part(0, 1).packed())
        outputs = run_model(model, batch.packed())
        if reader is None:
            reader = _Reader.of(model, batch, outputs, name)
        surest.add(batch, reader.probabilities(outputs), y)
        if bar is not None:
            bar.update(surest.samples)
    if reader is None:
        raise ValueError("`inputs` must hold at least one batch. Received: none")
    if bar is not None:
        bar.update(surest.samples, finalize=True)
    return surest.result(from_logits=reader.from_logits)


def _name_of_output(labels: Any) -> tuple[str | None, Any]:
    if not isinstance(labels, Mapping):
        return None, labels
    if len(labels) != 1:
        raise ValueError(
            "`labels` must be a dict of one output where it is one. "
            f"Received: a dict of {', '.join(map(repr, labels)) or 'nothing'}"
        )
    return next(iter(labels.items()))


def _batches(
    model: keras.Model, inputs: Any, labels: Any, batch_size: int
) -> Iterator[tuple[InputBatch, np.ndarray]]:
    """Yield parts of the inputs with the labels of each."""
    streams = is_stream(inputs)
    if not streams and labels is None:
        raise ValueError(
            "`labels` must be the class of each sample, unless `inputs` are batches (x, y). "
            "Received: labels=None"
        )
    pairs = iter_labelled_batches(inputs) if streams else [(inputs, None)]
    all_labels = None if labels is None else as_labels(labels)
    seen, is_built = 0, False
    for x, y in pairs:
        # The first batch builds a model that was never built.
        batch = prepare_inputs(model, x) if is_built else plan_call(model, x).batch
        is_built = True
        if all_labels is not None:
            y = all_labels[seen : seen + len(batch)]
        elif y is None:
            raise ValueError(
                "`labels` must be the class of each sample, since the batches of `inputs` bring "
                "none. Received: labels=None"
            )
        y = as_labels(y)
        if len(y) != len(batch):
            raise _wrong_length(len(y) + seen, len(batch) + seen)
        seen += len(batch)
        for start in range(0, len(batch), batch_size):
            stop = start + batch_size
            yield batch.part(start, stop), y[start:stop]
    if all_labels is not None and len(all_labels) != seen:
        raise _wrong_length(len(all_labels), seen)


def _wrong_length(labels: int, samples: int) -> ValueError:
    return ValueError(
        f"`labels` must have one class for each of the {samples} samples. Received: {labels}"
    )


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """Reads the probabilities of classes out of what a model returns."""

    output: int
    head: Head
    from_logits: bool

    @classmethod
    def of(cls, model: keras.Model, batch: InputBatch, outputs: Any, name: str | None) -> _Reader:
        flat, names = keras.tree.flatten(outputs), output_names(model, outputs)
        if (name is None and len(flat) > 1) or (name is not None and name not in names):
            raise ValueError(
                "`labels` must be a dict that names one output, of "
                f"{', '.join(map(repr, names))}. Received: {name!r}"
            )
        output = 0 if name is None else names.index(name)
        values = flat[output]
        if values.ndim != 2:
            raise ValueError(
                "`model` must be a classifier, which returns (samples, classes). "
                f"Received: a model that returns the shape {values.shape}"
            )
        specs = input_specs(model) if has_inputs(model) else batch.specs(model)
        head = find_heads(model, specs)[output]
        from_logits = head.kind == "linear" or (values < 0).any() or (values > 1).any()
        return cls(output=output, head=head, from_logits=bool(from_logits))

    def probabilities(self, outputs: Any) -> np.ndarray:
        """Return `(samples, classes)`, of one sigmoid output those of 0 and of 1."""
        values = keras.tree.flatten(outputs)[self.output].astype("float64")
        if self.from_logits:
            values = logits_to_probabilities(
                values, "sigmoid" if values.shape[1] == 1 else "softmax"
            )
        if values.shape[1] == 1:
            values = np.concatenate([1 - values, values], axis=1)
        return np.asarray(values)


class _Surest:
    """The surest mistakes seen so far."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: dict[str, np.ndarray] = {}
        self._arrays: list[np.ndarray] = []
        self._structure: Any = None
        self.samples = 0
        self._count = 0

    def add(self, batch: InputBatch, probabilities: np.ndarray, labels: np.ndarray) -> None:
        """Add a batch, and drop the mistakes that are no longer among the surest."""
        classes = probabilities.shape[1]
        if (labels < 0).any() or (labels >= classes).any():
            raise ValueError(
                f"`labels` must be between 0 and {classes - 1}, since the model has {classes} "
                f"classes. Received: {int(labels[(labels < 0) | (labels >= classes)][0])}"
            )
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
        rows = np.flatnonzero(order[:, 0] != labels)
        top = np.take_along_axis(probabilities, order, axis=1)
        columns = {
            "indices": rows + self.samples,
            "labels": labels[rows],
            "predicted": order[rows, 0],
            "probabilities": top[rows, 0],
            "label_probabilities": probabilities[rows, labels[rows]],
            "top_classes": order[rows],
            "top_probabilities": top[rows],
        }
        self.samples += len(labels)
        self._count += len(rows)
        self._merge(columns, [array[rows] for array in batch.arrays])
        self._structure = batch.structure

    def _merge(self, columns: dict[str, np.ndarray], arrays: list[np.ndarray]) -> None:
        if self._rows:
            columns = {key: np.concatenate([self._rows[key], x]) for key, x in columns.items()}
            arrays = [np.concatenate(pair) for pair in zip(self._arrays, arrays, strict=True)]
        # Of equal probabilities the earlier sample is kept, whatever the size of the batches.
        order = np.argsort(-columns["probabilities"], kind="stable")[: self._limit]
        self._rows = {key: x[order] for key, x in columns.items()}
        self._arrays = [array[order] for array in arrays]

    def result(self, *, from_logits: bool) -> Mistakes:
        """Return what was found."""
        return Mistakes(
            inputs=keras.tree.pack_sequence_as(self._structure, self._arrays),
            count=self._count,
            samples=self.samples,
            from_logits=from_logits,
            **self._rows,
        )
