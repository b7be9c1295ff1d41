"""Join the outputs of several batches to what a model returns for all samples at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from kerasviz.model.inputs.input_adapter import InputBatch
from kerasviz.model.layer_call import Shape

MAX_PROBE = 8
"""How many samples the batch has at most by which it is seen whether samples depend on others."""
ROUNDING = {2: 2e-2, 4: 2e-3}
"""By the bytes of a float: differences between two batches that rounding explains, as a share of
the largest value. Backends choose another algorithm for another batch size."""


class Batches:
    """The outputs of a model for one batch after the other, and for all of them as a whole.

    Whether rows are samples cannot always be known from shapes: there may be as many time steps
    as samples, windows of equal images are equal, and a sum along the batch axis has as many rows
    as samples. Another batch, of another size and in another order, tells.

    Args:
        run: Runs the model on a batch.
        batch: All samples.
        batch_size: How many are computed at a time.
        has_fixed_size: Whether the model takes batches of one size only.
        may_mix: Whether a sample's values may depend on the other samples of its batch.
    """

    def __init__(
        self,
        run: Callable[[InputBatch], dict[str, Any]],
        batch: InputBatch,
        batch_size: int,
        *,
        has_fixed_size: bool,
        may_mix: bool,
    ) -> None:
        starts = range(0, len(batch), batch_size)
        parts = [batch.part(start, start + batch_size) for start in starts]
        self._run = run
        self._batch = batch
        self._has_fixed_size = has_fixed_size
        self._may_mix = may_mix
        self._sizes = [len(part) for part in parts]
        try:
            self._chunks = [run(part) for part in parts]
        # A user's layer can raise anything where it is given a part of the samples: the edges of
        # a graph network, whose rows are nodes, lead to rows that a part does not have.
        except Exception as error:
            if len(parts) == 1 or has_fixed_size:
                raise
            self._sizes = [len(batch)]
            self._chunks = [self._run_whole_after(error)]

    def _run_whole_after(self, error: Exception) -> dict[str, Any]:
        try:
            return self._run(self._batch)
        # The user's layer fails on all samples too, with any class of error: the first error, which
        # is raised here, is what is wrong.
        except Exception:
            raise error from None

    @property
    def first(self) -> dict[str, Any]:
        """The outputs for the first batch."""
        return self._chunks[0]

    @cached_property
    def _whole(self) -> dict[str, Any]:
        return self._run(self._batch)

    @cached_property
    def _probe(self) -> tuple[dict[str, Any] | None, np.ndarray]:
        """The outputs for samples of all batches, the last one first, and their indices.

        They are `None` where the model does not take such a batch.
        """
        size, total = self._sizes[0], len(self._batch)
        count = min(MAX_PROBE, size + 1)
        count -= count == size  # of another size than a batch, since outputs may depend on that
        indices = np.linspace(total - 1, 0, count).round().astype(int)
        try:
            return self._run(self._batch.take(indices)), indices
        # A user's layer may refuse, with any class of error, a batch that nobody asked for. Nothing
        # is lost: all samples are then computed at once.
        except Exception:
            return None, indices

    def join(
        self,
        pick: Callable[[dict[str, Any]], np.ndarray],
        shape: Shape | None,
        *,
        has_fixed_rows: bool,
    ) -> np.ndarray:
        """Return one output for all samples.

        Args:
            pick: Picks the output from all outputs.
            shape: Its shape, as far as it is known.
            has_fixed_rows: Whether its rows are known not to be samples.
        """
        parts = [pick(chunk) for chunk in self._chunks]
        if len(parts) == 1:
            return parts[0]
        if not has_fixed_rows and self._are_per_sample(parts, pick, shape):
            return np.concatenate(parts)
        if self._are_constant(parts, pick):
            return parts[0]
        return pick(self._whole)

    def _are_per_sample(
        self,
        parts: Sequence[np.ndarray],
        pick: Callable[[dict[str, Any]], np.ndarray],
        shape: Shape | None,
    ) -> bool:
        size = parts[0].shape[1:]
        sizes = zip(parts, self._sizes, strict=True)
        if not all(x.ndim and x.shape == (n, *size) for x, n in sizes):
            return False
        if self._has_fixed_size:
            return True
        if not self._may_mix and not may_be_samples_by_chance(parts[0], shape):
            return True
        outputs, indices = self._probe
        if outputs is None:
            return False
        probe = pick(outputs)
        if probe.shape != (len(indices), *size):
            return False
        rows = np.stack([parts[i // self._sizes[0]][i % self._sizes[0]] for i in indices])
        return is_equal(probe, rows)

    def _are_constant(
        self, parts: Sequence[np.ndarray], pick: Callable[[dict[str, Any]], np.ndarray]
    ) -> bool:
        """Whether an output is the same for any samples, as a table of positions is."""
        if not all(np.array_equal(parts[0], x) for x in parts[1:]):
            return False
        if self._has_fixed_size:
            return True
        outputs, _ = self._probe
        return outputs is not None and np.array_equal(parts[0], pick(outputs))


def may_be_samples_by_chance(array: np.ndarray, shape: Shape | None) -> bool:
    """Whether an output has as many rows as samples, and another axis could be the samples.

    Args:
        array: The output.
        shape: Its shape, as far as it is known.
    """
    if shape is None:
        return True
    axes = zip(array.shape[1:], shape[1:], strict=True)
    return any(size is None and n == len(array) for n, size in axes)


def is_equal(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays of one shape are equal but for rounding; NaN is equal to nothing.

    Backends that fill in NaN for a row that is not there would else go unnoticed.
    """
    if a.dtype.kind in "biuSUO":
        return np.array_equal(a, b)
    share = ROUNDING.get(a.itemsize // (2 if a.dtype.kind == "c" else 1), ROUNDING[4])
    a, b = (x.astype("complex128" if x.dtype.kind == "c" else "float64") for x in (a, b))
    largest = np.max(np.abs(b), where=np.isfinite(b), initial=0)
    return bool(np.all(np.isclose(a, b, rtol=0, atol=share * largest)))
