"""Describe one call of a layer inside a model: its path, its tensors, its channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import keras

Shape = tuple[int | None, ...]


CallPath = tuple[tuple[str, int], ...]
"""The path of a call: at each level the name of a layer, and the index of one of its calls."""


class CallStep(NamedTuple):
    """One level of an address: a layer's name, the index of one of its calls, and their number."""

    name: str
    call_index: int
    calls: int

    def __str__(self) -> str:
        return self.name if self.calls == 1 else f"{self.name}:{self.call_index}"


INPUT = CallStep("(input)", 0, 1)
"""A last step that leads to the input of a call, and not to its output."""


@dataclass(frozen=True)
class Call:
    """One call of a layer inside a model.

    Args:
        steps: The steps that lead from the model to the call.
        layer: The layer.
        outputs: The symbolic output tensors, as far as they are known; those of a layer inside a
            nested model belong to the graph of that model.
        channel_axes: For each output, as far as it is known, the axis that holds its channels.
        structure: Returns how several outputs belong together, as a list or a dict of anything.
        inputs: The symbolic tensors that it is called on, as far as they are known.
        output: The index of one output, where only that is selected; `None` for all of them.
        is_certain: Whether the model calls the layer as often as is known, whatever its inputs.
    """

    steps: tuple[CallStep, ...]
    layer: keras.Layer
    outputs: tuple[Any, ...] = ()
    channel_axes: tuple[int, ...] = ()
    structure: Callable[[], Any] | None = None
    inputs: tuple[Any, ...] = ()
    output: int | None = None
    is_certain: bool = True

    def pack(self, outputs: Sequence[Any]) -> Any:
        """Return flat outputs as the layer returns them: one, or a structure of several."""
        if len(outputs) == 1:
            return outputs[0]
        structure = list(outputs) if self.structure is None else self.structure()
        return keras.tree.pack_sequence_as(structure, list(outputs))

    def with_output(self, mark: str) -> Call | None:
        """Return this call with one of its outputs alone, `None` where it has no such output.

        Args:
            mark: The output's index, or its key where the layer returns a dict.
        """
        keys = [str(index) for index in range(len(self.outputs))]
        if self.structure is not None and len(keys) > 1 and mark not in keys:
            paths = keras.tree.flatten_with_path(self.structure())
            keys = [".".join(map(str, path)) for path, _ in paths]
        if mark not in keys:
            return None
        index = keys.index(mark)
        return replace(
            self,
            outputs=self.outputs[index : index + 1],
            channel_axes=self.channel_axes[index : index + 1],
            structure=None,
            output=index,
        )

    def pick(self, outputs: Any) -> Any:
        """Return the selected output of all that the layer returned."""
        return outputs if self.output is None else keras.tree.flatten(outputs)[self.output]

    @property
    def path(self) -> CallPath:
        """The path of this call, as it can be told while the model runs."""
        return tuple((step.name, step.call_index) for step in self.steps)

    @property
    def input_call(self) -> Call:
        """The input of this call, as a call whose output can be taken."""
        return replace(
            self, steps=(*self.steps, INPUT), outputs=self.inputs[:1], structure=None, inputs=()
        )

    @property
    def address(self) -> str:
        """The address of this call alone: `"encoder:1/conv"`, of one output `"attention#1"`."""
        path = "/".join(map(str, self.steps))
        return path if self.output is None else f"{path}#{self.output}"

    @property
    def channel_axis(self) -> int:
        """The axis of the first output that holds its channels."""
        return self.channel_axes[0] if self.channel_axes else -1

    @property
    def output_shape(self) -> Shape | tuple[Shape, ...] | None:
        """Shape of the output; of several a tuple, `None` where Keras cannot tell."""
        shapes = tuple(tuple(output.shape) for output in self.outputs)
        return shapes[0] if len(shapes) == 1 else shapes or None


def count_steps(paths: Sequence[CallPath]) -> dict[CallPath, tuple[CallStep, ...]]:
    """Return the steps of each path, with the number of calls of each layer at its level."""
    total = Counter((path[:-1], path[-1][0]) for path in paths)
    return {
        path: tuple(
            CallStep(name, index, total[path[:level], name])
            for level, (name, index) in enumerate(path)
        )
        for path in paths
    }


def number_steps(names: Iterable[str]) -> list[CallStep]:
    """Return a step for each of the names of called layers, the calls of a name numbered."""
    names = list(names)
    total, seen = Counter(names), Counter[str]()
    steps = []
    for name in names:
        steps.append(CallStep(name, seen[name], total[name]))
        seen[name] += 1
    return steps
