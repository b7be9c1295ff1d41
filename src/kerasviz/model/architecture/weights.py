"""Count the weights of a model once, at the first of the calls that share them."""

from __future__ import annotations

import math
from dataclasses import replace

import keras

from kerasviz.model.architecture.elements import Part
from kerasviz.model.graph import sublayers
from kerasviz.model.layer_call import Call


class WeightCounter:
    """The sizes of a model's weights, and the address at which each was met first.

    A weight is told by its identity: two layers may share one, and names are not unique.
    """

    def __init__(self, model: keras.Model) -> None:
        self._sizes = _weight_sizes(model)
        self._frozen = frozen_weights(model)
        self._owners: dict[int, str] = {}

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

    def count(self, part: Part, call: Call, *, is_frame: bool) -> Part:
        """Return a part with the number of its weights, or the owner with which it shares them.

        Args:
            part: The part of a call.
            call: The call.
            is_frame: Whether the layers inside it follow, to which its weights then belong.
        """
        sizes = _weight_sizes(call.layer)
        if not sizes:
            return part
        if not self._sizes.keys() >= sizes.keys():  # the model calls the layer and does not hold it
            self._sizes |= sizes
            self._frozen |= frozen_weights(call.layer)
        part = replace(part, is_frozen=self._frozen.issuperset(sizes))
        new = {key: size for key, size in sizes.items() if key not in self._owners}
        if not new:
            owner = self._owners[next(iter(sizes))]
            if part.kind == "model":  # its first weight may be that of a layer inside
                owner = "/".join(owner.split("/")[: len(call.steps)])
            return replace(part, shares_with=owner)
        if not is_frame:
            self.own(call)
        return replace(part, parameters=sum(new.values()), frozen=self._count_frozen(new))

    def own(self, call: Call) -> None:
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
