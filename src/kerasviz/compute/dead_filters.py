"""Find dead filters: those whose output is the same for every sample that a model is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasviz.compute.feature_maps import Extraction, plan_extraction
from kerasviz.compute.kernels import KernelPart
from kerasviz.model.addresses import NamedCall, Selection
from kerasviz.model.calls import traced
from kerasviz.model.connections import CallOutput, Connections
from kerasviz.model.layer_call import CallPath

PASSED = (
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
)
"""Layers that change each channel by itself: what leaves them tells whether a filter is dead."""


class DeadFilterProbe(NamedTuple):
    """The outputs that show which filters are dead.

    Args:
        extraction: The inputs, and the calls whose outputs tell.
        layers: By the address of each of these calls, those of the layers that it tells about.
    """

    extraction: Extraction
    layers: dict[str, tuple[str, ...]]

    def dead_shares(self, batch_size: int) -> dict[str, float]:
        """Run the model once, and return the share of dead filters by the layer's address.

        A filter is dead if its output is the same in every call, for every sample and at every
        position. A layer whose filters have but one value each is left out. This is said of the
        given samples only: a filter may respond to others.

        Args:
            batch_size: How many samples are computed at a time.
        """
        lowest: dict[str, np.ndarray] = {}
        highest: dict[str, np.ndarray] = {}
        values: Counter[str] = Counter()
        for address, output in self._outputs(batch_size):
            channels = output.reshape(-1, output.shape[-1])
            low, high = channels.min(axis=0), channels.max(axis=0)
            for layer in self.layers[address]:
                values[layer] += len(channels)
                lowest[layer] = np.minimum(lowest.get(layer, low), low)
                highest[layer] = np.maximum(highest.get(layer, high), high)
        return {
            layer: float(np.mean(low == highest[layer]))
            for layer, low in lowest.items()
            if values[layer] > 1
        }

    def _outputs(self, batch_size: int) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the output of each call for one batch after the other."""
        batch = self.extraction.batch
        for start in range(0, len(batch), batch_size):
            part = replace(self.extraction, batch=batch.part(start, start + batch_size))
            for address, outputs in part.run(batch_size).items():
                yield address, keras.tree.flatten(outputs)[0]


def plan_probe(model: keras.Model, targets: Selection, inputs: Any) -> DeadFilterProbe:
    """Find what is to be computed to tell which filters of layers are dead.

    Args:
        model: A built model.
        targets: Its layers.
        inputs: What the model takes.

    Raises:
        ValueError: `inputs` does not fit the model.
    """
    extraction = plan_extraction(model, "*", inputs)
    batch = extraction.batch
    copied = replace(batch, arrays=tuple(array.copy() for array in batch.arrays))
    connections = traced(model, extraction.specs).connections
    by_path = {target.call.path: target for target in extraction.targets.targets}
    layers_of: dict[NamedCall, tuple[str, ...]] = {}
    for address, call in targets.targets:
        layer = call.layer.layer if isinstance(call.layer, KernelPart) else call.layer
        for target in by_path.values():
            if target.call.layer is layer:
                last = _last(target, by_path, connections)
                layers_of[last] = (*layers_of.get(last, ()), address)
    return DeadFilterProbe(
        replace(extraction, targets=Selection(tuple(layers_of), single=False), batch=copied),
        {target.address: addresses for target, addresses in layers_of.items()},
    )


def _last(
    target: NamedCall, by_path: Mapping[CallPath, NamedCall], connections: Connections
) -> NamedCall:
    """Return the last of the normalisation and activation that follow a call, or the call."""
    output = CallOutput(target.call.path, 0)
    takers = [path for path, sources in connections.inputs.items() if output in sources]
    is_returned = any(output in sources for sources in connections.outputs.values())
    if is_returned or len(takers) != 1 or takers[0] not in by_path:
        return target
    following = by_path[takers[0]]
    return (
        _last(following, by_path, connections)
        if isinstance(following.call.layer, PASSED)
        else target
    )
