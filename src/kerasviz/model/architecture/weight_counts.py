"""Count the weights of a model once, at the first of the calls that share them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import TypeVar

import keras

from kerasviz.model.architecture.elements import Frame, Node, Part
from kerasviz.model.graph import sublayers
from kerasviz.model.layer_call import Call, CallPath

AnyItem = TypeVar("AnyItem", Node, Frame)


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """The weights of one call, see `Part`."""

    parameters: int = 0
    frozen: int = 0
    is_frozen: bool = False
    shares_with: str = ""


class WeightCounter:
    """The sizes of a model's weights, and the address at which each was met first.

    A weight is told by its identity: two layers may share one, and names are not unique.
    """

    def __init__(self, model: keras.Model) -> None:
        self._sizes = _weight_sizes(model)
        self._frozen = frozen_weights(model)
        self._owners: dict[int, str] = {}
        self._counts: dict[CallPath, _Counts] = {}

    @property
    def total(self) -> int:
        """How many values all weights have."""
        return sum(self._sizes.values())

    @property
    def frozen(self) -> int:
        """How many of them belong to layers that are not trainable."""
        return self._count_frozen(self._sizes)

    def _count_frozen(self, sizes: dict[int, int]) -> int:
        return sum(size for key, size in sizes.items() if key in self._frozen)

    def count(self, calls: Mapping[CallPath, Call], frames: Set[CallPath]) -> None:
        """Give each weight to the first call that has it, by the indices of calls.

        Args:
            calls: The calls that are drawn, in the order in which they run, by their paths.
            frames: The paths of those whose inside is drawn, to which a weight belongs only if no
                call inside has it.
        """
        # The first call of a layer is that of index 0, which need not be the first that runs.
        position = {path: index for index, path in enumerate(calls)}

        def order(path: CallPath) -> tuple[tuple[int, int], ...]:
            steps = range(1, len(path) + 1)
            return tuple((path[n - 1][1], position.get(path[:n], -1)) for n in steps)

        around: list[Call] = []
        for path in sorted(calls, key=order):
            while around and path[: len(around[-1].path)] != around[-1].path:
                self._own(around.pop())
            call = calls[path]
            if isinstance(call.layer, keras.Layer):
                self._counts[path] = self._count(call)
                if path in frames:
                    around.append(call)
                else:
                    self._own(call)

    def with_counts(self, item: AnyItem) -> AnyItem:
        """Return a node or a frame with the weights that belong to it."""
        if isinstance(item, Frame):
            part = item.part and self._with_count(item.part)
            return replace(item, part=part)
        return replace(item, parts=tuple(map(self._with_count, item.parts)))

    def _with_count(self, part: Part) -> Part:
        counts = self._counts.get(part.path)
        if counts is None:
            return part
        owner = counts.shares_with
        if owner and part.kind == "model":  # its first weight may be that of a layer inside
            owner = "/".join(owner.split("/")[: len(part.path)])
        return replace(
            part,
            parameters=counts.parameters,
            frozen=counts.frozen,
            is_frozen=counts.is_frozen,
            shares_with=owner,
        )

    def _count(self, call: Call) -> _Counts:
        """Return how many weights of a call no call before it has."""
        sizes = _weight_sizes(call.layer)
        if not sizes:
            return _Counts()
        if not self._sizes.keys() >= sizes.keys():  # the model calls the layer and does not hold it
            self._sizes |= sizes
            self._frozen |= frozen_weights(call.layer)
        is_frozen = self._frozen.issuperset(sizes)
        new = {key: size for key, size in sizes.items() if key not in self._owners}
        if not new:
            return _Counts(is_frozen=is_frozen, shares_with=self._owners[next(iter(sizes))])
        return _Counts(
            parameters=sum(new.values()), frozen=self._count_frozen(new), is_frozen=is_frozen
        )

    def _own(self, call: Call) -> None:
        """Make a call the owner of those weights of its layer that have none yet."""
        for weight in call.layer.weights:
            self._owners.setdefault(id(weight), call.address)


def _weight_sizes(layer: keras.Layer) -> dict[int, int]:
    """Return how many values each weight of a layer has, by the weight's identity."""
    return {id(weight): math.prod(weight.shape) for weight in layer.weights}


def frozen_weights(layer: keras.Layer) -> set[int]:
    """Return the identities of the weights that belong to layers which are not trainable."""
    if not layer.trainable:
        return set(map(id, layer.weights))
    return {key for inner in sublayers(layer) for key in frozen_weights(inner)}
