"""Tell where the units of a layer see the image, for many units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import keras
import numpy as np

from kerasviz.compute.filters.receptive_fields.receptive_field import (
    ReceptiveField,
    field_from_graph,
    has_space,
    look,
)
from kerasviz.compute.filters.receptive_fields.seen_cells import (
    BackwardPass,
    Graphs,
    NotAGraphError,
    Seen,
)
from kerasviz.model.addresses import NamedCall
from kerasviz.model.calls import input_specs


def locate_fields(model: keras.Model, targets: Iterable[NamedCall]) -> dict[str, FieldLocator]:
    """Return a locator for each layer, keyed by address."""
    graphs = Graphs()
    return {target.address: FieldLocator(model, target, graphs) for target in targets}


class FieldLocator:
    """Tells where the units of a layer see the image.

    Args:
        model: A built model.
        target: A layer of it.
        graphs: The graphs of the model, which the locators of several layers share.

    Attributes:
        image_index: The index of the input that is the image, the first that the units see; `None`
            where no input has axes of space.
        channel_axis: The axis of its channels.
        size: How many cells a unit sees along each of its axes of space; `None` where it may be
            all.
        is_exact: Whether it sees just these.
    """

    def __init__(self, model: keras.Model, target: NamedCall, graphs: Graphs) -> None:
        self._model = model
        self._target = target
        self._graphs = graphs
        self._starts: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._extents: dict[tuple[int, int], tuple[int, int]] = {}
        self._field = self._find_field()
        inputs = keras.tree.flatten(input_specs(model))
        spatial = [index for index, x in enumerate(inputs) if len(x.shape) > 2]
        self.image_index = next(iter(spatial), None)
        self.channel_axis: int = -1
        rank = 0 if self.image_index is None else len(inputs[self.image_index].shape) - 2
        self.size: tuple[int | None, ...] = (None,) * rank
        self.is_exact: bool = False
        if self._field is not None:
            self.image_index, _ = self._look([0] * len(self._field.size))
            _, axes = self._graphs.read(model, ())
            self.channel_axis = axes[id(model.inputs[self.image_index])]
            self.size, self.is_exact = self._field.size, self._field.exact

    def _find_field(self) -> ReceptiveField | None:
        if not has_space(self._target.call):
            return None
        try:
            return field_from_graph(self._model, self._target, None, self._graphs)
        except (NotAGraphError, ValueError):
            return None

    def _look(self, cells: Sequence[int]) -> tuple[int, Seen]:
        way = BackwardPass(graphs=self._graphs, is_cut=False)
        return look(self._model, self._target, cells, way)

    def starts(self, positions: np.ndarray) -> np.ndarray:
        """Return the first cell that units see, `(n, axes of the image)`; 0 where it is a bound.

        Args:
            positions: Of the units, `(n, axes of space)`.
        """
        field = self._field
        if field is None or not field.exact:
            return np.zeros((len(positions), len(self.size)), int)
        if all(isinstance(n, int) for n in (*field.stride, *field.offset)):
            return np.asarray(positions * np.array(field.stride) + np.array(field.offset))
        return np.array([self._start(tuple(map(int, cells))) for cells in positions])

    def boxes(self, positions: np.ndarray) -> np.ndarray | None:
        """Return the boxes that units see inside the image, `(n, axes of the image, 2)`.

        `None` where they are not known exactly.

        Args:
            positions: Of the units, `(n, axes of space)`.
        """
        if self._field is None or not self._field.exact:
            return None
        boxes = np.empty((*positions.shape, 2), int)
        for axis in range(positions.shape[1]):
            cells, inverse = np.unique(positions[:, axis], return_inverse=True)
            extents = np.array([self._extent(axis, int(n)) for n in cells], int)
            boxes[:, axis] = extents.reshape(-1, 2)[inverse]
        sees_nothing = (boxes[..., 0] == boxes[..., 1]).any(axis=-1)
        boxes[sees_nothing] = 0
        return boxes

    def _extent(self, axis: int, cell: int) -> tuple[int, int]:
        """Return the first cell that a unit sees along an axis, and the last one plus one."""
        if (axis, cell) not in self._extents:
            # The windows of one axis do not depend on where a unit is along the others.
            way = BackwardPass(graphs=self._graphs, is_cut=True)
            _, seen = look(self._model, self._target, [cell] * len(self.size), way)
            for index, cells in enumerate(seen.axes or ()):
                ends = 0, 0  # where a unit sees only padding; an exact field never sees all
                if cells is not None and len(cells):
                    ends = int(cells[0]), int(cells[-1]) + 1
                self._extents[index, cell] = ends
        return self._extents[axis, cell]

    def _start(self, cells: tuple[int, ...]) -> tuple[int, ...]:
        """Return the first cell that one unit sees, after an upsampling."""
        if cells not in self._starts:
            _, seen = self._look(cells)
            axes = seen.axes or ()
            self._starts[cells] = tuple(int(n[0]) if n is not None and len(n) else 0 for n in axes)
        return self._starts[cells]
