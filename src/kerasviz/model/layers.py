"""Layer addresses to the layers of a model and to the calls in which they are used."""

from __future__ import annotations

import difflib
import fnmatch
import inspect
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import keras

Shape = tuple[int | None, ...]
LayerAddress = str | int | keras.Layer | type[keras.Layer]
"""One layer address; most functions take a list of them, or `None` for every convolution, too."""

CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
    keras.layers.ConvLSTM1D,
    keras.layers.ConvLSTM2D,
    keras.layers.ConvLSTM3D,
)


Path = tuple[tuple[str, int], ...]
"""The way to a call: at each level the name of a layer, and which of its calls."""


class Step(NamedTuple):
    """One level of an address: a layer's name, and which of its calls."""

    name: str
    number: int
    calls: int

    def __str__(self) -> str:
        return self.name if self.calls == 1 else f"{self.name}:{self.number}"


INPUT = Step("(input)", 0, 1)
"""A last step that leads to what a call is given, and not to what it returns."""


@dataclass(frozen=True)
class Call:
    """One call of a layer inside a model.

    Args:
        steps: The way from the model to the call.
        layer: The layer.
        outputs: The symbolic output tensors, as far as they are known; those of a layer inside a
            nested model belong to the graph of that model.
        channel_axes: For each output, as far as it is known, the axis that holds its channels.
        structure: Finds how several outputs belong together, as a list or a dict of anything.
        inputs: The symbolic tensors that it is called on, as far as they are known.
        output: The index of the only output that is meant, `None` for all of them.
    """

    steps: tuple[Step, ...]
    layer: keras.Layer
    outputs: tuple[Any, ...] = ()
    channel_axes: tuple[int, ...] = ()
    structure: Callable[[], Any] | None = None
    inputs: tuple[Any, ...] = ()
    output: int | None = None

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
        """Return what is meant of all that the layer returned."""
        return outputs if self.output is None else keras.tree.flatten(outputs)[self.output]

    @property
    def path(self) -> Path:
        """The way to this call, as it is found while the model runs."""
        return tuple((step.name, step.number) for step in self.steps)

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


class Target(NamedTuple):
    """A call that the user asked for, and the address that the result is keyed by."""

    address: str
    call: Call


class Targets(NamedTuple):
    """The calls that a layer argument names; `single` where it can name one layer only."""

    targets: tuple[Target, ...]
    single: bool


def check_model(model: object) -> None:
    """Raise `TypeError` unless `model` is a Keras model."""
    if not isinstance(model, keras.Model):
        hint = " Load it with keras.models.load_model." if isinstance(model, str) else ""
        raise TypeError(f"`model` must be a Keras model.{hint} Received: model={model!r}")


def is_functional(model: keras.Layer) -> bool:
    """Whether a layer is a Functional model that runs as its graph says."""
    return (
        isinstance(model, keras.Model)
        and isinstance(model, keras.Function)
        and _runs_keras_call(model)
    )


def is_graph(model: keras.Layer) -> bool:
    """Whether a layer is a built Functional or Sequential model that runs as its graph says."""
    if isinstance(model, keras.Sequential):
        return _runs_keras_call(model) and has_inputs(model)
    return is_functional(model)


def has_inputs(model: keras.Model) -> bool:
    """Whether a model knows its symbolic inputs; an unbuilt Sequential does not."""
    try:
        return bool(model.inputs)
    except AttributeError:
        return False


def _runs_keras_call(model: keras.Layer) -> bool:
    owner = next(cls for cls in type(model).__mro__ if "call" in vars(cls))
    return owner.__module__.split(".")[0] == "keras"


def as_functional(model: keras.Model) -> keras.Model:
    """Return a Functional model with the same graph: the model itself, or a Sequential's twin."""
    if is_functional(model):
        return model
    return keras.Model(model.inputs[0], model.outputs[0], name=model.name)


def graph_nodes(model: keras.Model) -> list[Any]:
    """Return the nodes of a Functional or Sequential model in the order in which they run.

    Keras has no public name for the nodes of a graph. This is the one place that reads the
    private one, which every Keras 3 has.
    """
    by_depth = as_functional(model)._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def graph_steps(model: keras.Model) -> list[tuple[Any, Step]]:
    """Return the nodes of a graph in the order in which they run, each with what names its call."""
    nodes = graph_nodes(model)
    steps = _node_steps(nodes)
    return [(node, steps[id(node)]) for node in nodes]


def node_index(tensor: Any) -> int:
    """Return the place of a symbolic tensor's call among all calls of the layer that made it."""
    return int(tensor._keras_history.node_index)


def sublayers(layer: keras.Layer) -> list[keras.Layer]:
    """Return the layers that a layer holds in its attributes, each once."""
    if isinstance(layer, keras.Model):
        return list(layer.layers)
    if layer in _leaves:
        return []
    held = leaves([value for value in vars(layer).values() if isinstance(value, _HOLDERS)])
    unique = {id(item): item for item in held if isinstance(item, keras.Layer)}
    if layer.built and not unique:  # Keras lets no built layer take on another
        _leaves.add(layer)
    return list(unique.values())


def held_layers(layer: keras.Layer) -> list[keras.Layer]:
    """Return a layer and every layer inside it, to any depth, each once."""
    found = {id(layer): layer}
    to_visit = [layer]
    while to_visit:
        for inner in sublayers(to_visit.pop()):
            if id(inner) not in found:
                found[id(inner)] = inner
                to_visit.append(inner)
    return list(found.values())


def leaves(value: Any) -> Iterator[Any]:
    """Yield what lists, tuples, dicts and sets hold, to any depth.

    Unlike `keras.tree.flatten`, this takes dicts whose keys cannot be sorted.
    """
    seen: set[int] = set()
    to_visit = [value]
    while to_visit:
        item = to_visit.pop()
        if not isinstance(item, (list, tuple, dict, set, frozenset)):
            yield item
        elif id(item) not in seen:
            seen.add(id(item))
            inner = list(item.values() if isinstance(item, dict) else item)
            to_visit += inner[::-1]


_HOLDERS = (keras.Layer, list, tuple, dict)
_leaves: weakref.WeakSet[keras.Layer] = weakref.WeakSet()
"""Layers known to hold no other: most are asked again and again, and asking is slow."""


def is_traceable(model: keras.Layer) -> bool:
    """Whether the calls in a model can only be known by running it.

    So it is where a layer that is not a graph holds layers of its own: a subclassed model, a
    composite layer, a wrapper; or where its code refers to layers that it does not hold. A
    recurrent layer's cell does not count.
    """
    if isinstance(model, keras.layers.RNN):
        return False
    inner = sublayers(model)
    if not is_graph(model) and (inner or _refers_to_layers(model)):
        return True
    return any(map(is_traceable, inner))


def _refers_to_layers(layer: keras.Layer) -> bool:
    """Whether the code of a layer's call refers to layers as globals, in a closure or by default.

    A `Lambda` can, and a layer of the user's; Keras does not know of these layers.
    """
    if isinstance(layer, keras.layers.Lambda):
        code = layer.function
    else:
        code = None if _runs_keras_call(layer) else type(layer).call
    if not inspect.isfunction(code):
        return False
    try:
        names = inspect.getclosurevars(code)
    except ValueError:  # of a variable without a value
        return False
    values = [*names.nonlocals.values(), *names.globals.values(), *(code.__defaults__ or ())]
    held = leaves([value for value in values if isinstance(value, _HOLDERS)])
    return any(isinstance(value, keras.Layer) for value in held)


def layer_calls(
    model: keras.Layer, steps: tuple[Step, ...] = (), passed_in: Sequence[int] = ()
) -> Iterator[Call]:
    """Yield every call of every layer inside a model, to any depth, in model order.

    Calls in a graph are read from it. A layer inside a layer that is not a graph (a subclassed
    model, a composite layer) is taken to be called once.

    Args:
        model: A model, or any layer.
        steps: The way to it, where it is inside another model.
        passed_in: The channel axes of what it is called on there.
    """
    found = _graph_calls(model, passed_in) if is_graph(model) else _held_calls(model)
    for call, taken in found:
        if steps and isinstance(call.layer, keras.layers.InputLayer):
            continue  # a nested model is called on what comes in instead
        path = (*steps, *call.steps)
        yield replace(call, steps=path)
        if not isinstance(call.layer, keras.layers.RNN):  # its cell is called within a loop
            yield from layer_calls(call.layer, path, taken)


def _graph_calls(
    model: keras.Model, passed_in: Sequence[int]
) -> Iterator[tuple[Call, Sequence[int]]]:
    """Yield the calls that make up a graph, as they run, and the channel axes of their inputs.

    The calls of one layer are numbered in the order in which they were written.
    """
    nodes = graph_nodes(model)
    steps = _node_steps(nodes)
    axes = _graph_axes(model, passed_in)
    for node in nodes:
        layer, outputs = node.operation, tuple(node.outputs)
        if isinstance(layer, keras.Layer):
            structure = partial(
                layer.compute_output_spec, *node.arguments.args, **node.arguments.kwargs
            )
            channel_axes = tuple(axes[id(x)] for x in outputs)
            taken = [axes[id(x)] for x in node.input_tensors]
            given = tuple(node.input_tensors)
            yield Call((steps[id(node)],), layer, outputs, channel_axes, structure, given), taken


def _graph_axes(model: keras.Model, passed_in: Sequence[int]) -> dict[int, int]:
    """Return the channel axis of each tensor of a graph, by the tensor's identity."""
    axes = dict(zip(map(id, model.inputs), passed_in, strict=False))
    for node in graph_nodes(model):
        for tensor, axis in zip(node.outputs, _node_axes(node, axes), strict=True):
            axes.setdefault(id(tensor), axis)
    return axes


def _node_axes(node: Any, axes: Mapping[int, int]) -> list[int]:
    if is_graph(node.operation):
        model = as_functional(node.operation)
        inside = _graph_axes(model, [axes[id(x)] for x in node.input_tensors])
        return [inside[id(x)] for x in model.outputs]
    ranks = [len(x.shape) for x in node.outputs]
    passed_on = [(len(x.shape), axes[id(x)]) for x in node.input_tensors]
    return [
        channel_axis(node.operation, n, [axis for m, axis in passed_on if m == n]) for n in ranks
    ]


def _held_calls(layer: keras.Layer) -> Iterator[tuple[Call, Sequence[int]]]:
    layers = sublayers(layer)
    for item, step in zip(layers, _number(item.name for item in layers), strict=True):
        yield Call((step,), item), ()


def written_numbers(model: keras.Model, within: keras.Model | None = None) -> dict[str, list[int]]:
    """Return, in the order in which a graph runs, which written call each call of a layer is.

    Two calls of one layer need not run in the order in which they were written. Only layers that
    are called more than once are listed.

    Args:
        model: A Functional model.
        within: The graph of which `model` is a part, where the numbers are to be those of the
            whole.
    """
    steps = _node_steps(graph_nodes(within or model))
    numbers: dict[str, list[int]] = {}
    for node in graph_nodes(model):
        step = steps[id(node)]
        if step.calls > 1:
            numbers.setdefault(step.name, []).append(step.number)
    return numbers


def _node_steps(nodes: Sequence[Any]) -> dict[int, Step]:
    """Return the step of each node by its identity, calls of a layer numbered as written."""
    written = sorted(nodes, key=lambda node: node_index(node.outputs[0]))
    steps = _number(node.operation.name for node in written)
    return dict(zip(map(id, written), steps, strict=True))


def count_steps(paths: Sequence[Path]) -> dict[Path, tuple[Step, ...]]:
    """Return the steps of each path: how often each layer is called where it is called."""
    total = Counter((path[:-1], path[-1][0]) for path in paths)
    return {
        path: tuple(
            Step(name, number, total[path[:level], name])
            for level, (name, number) in enumerate(path)
        )
        for path in paths
    }


def channel_axis(layer: Any, rank: int, passed_on: Iterable[int] = ()) -> int:
    """Return the axis that holds the channels of a layer's output.

    A layer with a data format says it; a normalisation says it by its axis; any other passes on
    what came in.

    Args:
        layer: A layer, or another operation of a graph.
        rank: The rank of its output.
        passed_on: The axis of each input of that rank, as far as it is known.
    """
    if rank < 3:
        return -1
    if isinstance(layer, keras.layers.TimeDistributed):
        inner = channel_axis(layer.layer, rank - 1)
        return inner + 1 if inner > 0 else inner
    by_default = 1 if rank == 4 and keras.config.image_data_format() == "channels_first" else -1
    data_format = getattr(layer, "data_format", None)
    if data_format == "channels_first":
        return rank - layer.cell.rank - 1 if isinstance(layer, keras.layers.RNN) else 1
    if data_format == "channels_last":
        return -1
    if isinstance(layer, (keras.layers.Permute, keras.layers.Reshape)):
        return by_default
    axis = getattr(layer, "axis", None)
    if isinstance(layer, keras.layers.BatchNormalization) and isinstance(axis, int):
        return axis if 0 < axis < rank - 1 else -1
    return max(passed_on, default=by_default)


def _number(names: Iterable[str]) -> list[Step]:
    names = list(names)
    total, seen = Counter(names), Counter[str]()
    steps = []
    for name in names:
        steps.append(Step(name, seen[name], total[name]))
        seen[name] += 1
    return steps


def resolve(model: keras.Model, layer: Any, known: Sequence[Call]) -> Targets:
    """Find what a layer argument names.

    Args:
        model: The model to look in.
        layer: A layer address, a list of them, or `None` for every convolution.
        known: The calls of its layers.

    Raises:
        TypeError: `layer` is not an address.
        ValueError: Nothing has that address, or more than one call has.
    """
    if layer is None:
        found = [Target(call.address, call) for call in known if is_convolution(call.layer)]
        if not found:
            raise ValueError(
                f"The model '{model.name}' has no convolution. "
                "Name a layer: find_layers(model, '*') lists them all."
            )
        return Targets(tuple(found), single=False)
    if isinstance(layer, (list, tuple)):
        if not layer:
            raise ValueError("`layer` must name at least one layer. Received: layer=[]")
        parts = [_find(model, known, item)[0] for item in layer]
        merged = {target.address: target for part in parts for target in part}
        return Targets(tuple(merged.values()), single=False)
    targets, single = _find(model, known, layer)
    return Targets(tuple(targets), single)


def is_convolution(layer: keras.Layer) -> bool:
    """Whether a layer is one of Keras's convolutions, or made from one."""
    return isinstance(layer, CONVOLUTIONS)


def _find(model: keras.Model, known: Sequence[Call], layer: Any) -> tuple[list[Target], bool]:
    if inspect.isclass(layer) and issubclass(layer, keras.Layer):
        found = [Target(call.address, call) for call in known if isinstance(call.layer, layer)]
        return _some(found, layer.__name__, model, known), False
    if isinstance(layer, keras.Layer):
        matches = [call for call in known if call.layer is layer]
        if not matches and any(layer is held for held in held_layers(model)):
            raise ValueError(_out_of_reach(model, layer.name))
        if not matches:
            raise ValueError(f"`layer` is not in the model '{model.name}'. Received: {layer!r}")
        return [_only(matches, layer.name)], True
    if isinstance(layer, str):
        return _find_by_name(model, known, layer)
    if isinstance(layer, Integral) and not isinstance(layer, bool):
        layer = int(layer)
        layers = model.layers
        if not -len(layers) <= layer < len(layers):
            raise ValueError(
                f"`layer` must be between {-len(layers)} and {len(layers) - 1}, since the model "
                f"'{model.name}' has {len(layers)} layers. Received: layer={layer}"
            )
        matches = [call for call in known if call.layer is layers[layer]]
        if not matches:
            raise ValueError(_out_of_reach(model, layers[layer].name))
        direct = [call for call in matches if len(call.steps) == 1]
        return [_only(direct or matches, str(layer))], True
    raise TypeError(
        "`layer` must be a name, an index, a layer, a layer class, a pattern, a list of these or "
        f"None. Received: layer={layer!r}"
    )


def _find_by_name(
    model: keras.Model, known: Sequence[Call], address: str
) -> tuple[list[Target], bool]:
    matches = named_calls(known, address) or _at_attribute(model, known, address)
    if matches:
        return [Target(address, _only(matches, address).call)], True
    of_output = _output_of(model, known, address)
    if of_output is not None:
        return [Target(address, of_output)], True
    if any(char in address for char in "*?["):
        found = [Target(call.address, call) for call in known if _like(call, address)]
        return _some(found, address, model, known), False
    called = {call.layer.name for call in known}
    name = address.split("/")[-1].split(":")[0]
    if name not in called and any(layer.name == name for layer in held_layers(model)):
        raise ValueError(_out_of_reach(model, address))
    names = dict.fromkeys(call.address for call in known)
    names |= dict.fromkeys(call.layer.name for call in known)
    close = difflib.get_close_matches(address, names, n=3, cutoff=0.4)
    listed = list(dict.fromkeys(call.address for call in known if len(call.steps) == 1))
    hint = (
        f"Did you mean {' or '.join(map(repr, close))}?"
        if close
        else f"Its layers are: {', '.join(listed[:20])}{', …' if len(listed) > 20 else ''}."
    )
    raise ValueError(
        f"No such layer in the model '{model.name}': {address!r}. {hint} Received: "
        f"layer={address!r}"
    )


def named_calls(known: Sequence[Call], address: str) -> list[Call]:
    """Return the calls whose last steps are written in an address; whole addresses come first."""
    parts = address.split("/")
    exact = [call for call in known if len(call.steps) == len(parts) and _ends(call, parts)]
    return exact or [call for call in known if _ends(call, parts)]


def _at_attribute(model: keras.Model, known: Sequence[Call], address: str) -> list[Call]:
    """Return the calls of the layer that `"blocks/0/conv"` leads to by attributes and indices.

    In a subclassed model whose layers have automatic names, these are the names that its author
    knows.
    """
    path, _, index = address.partition(":")
    layer = _attribute(model, path.split("/"))
    if not isinstance(layer, keras.Layer):
        return []
    calls = [call for call in known if call.layer is layer]
    if not calls:
        raise ValueError(_out_of_reach(model, address))
    return [call for call in calls if index in ("", str(call.steps[-1].number))]


def _attribute(found: Any, parts: Sequence[str]) -> Any:
    """Return what attributes, keys and indices lead to, `None` where there is nothing."""
    for part in parts:
        if isinstance(found, keras.Layer):
            inner = vars(found).get("_modules", {})  # where PyTorch keeps them
            found = {**inner, **vars(found)}.get(part)
        elif isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, (list, tuple)) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


def _output_of(model: keras.Model, known: Sequence[Call], address: str) -> Call | None:
    """Return the call of which an address such as `"attention#1"` names one output.

    A layer's own name could hold the mark as well, so names are looked up first.
    """
    name, mark, output = address.rpartition("#")
    calls = named_calls(known, name) or _at_attribute(model, known, name) if mark else []
    if not calls:
        return None
    target = _only(calls, name).call
    call = target.with_output(output)
    if call is None:
        count = len(target.outputs)
        raise ValueError(
            f"The layer {name!r} has no output {output!r}: it returns {count}, counted from 0. "
            f"Received: layer={address!r}"
        )
    return call


def _out_of_reach(model: keras.Model, address: str) -> str:
    return (
        f"The model '{model.name}' holds {address!r}, but no output of it can be taken: the model "
        "does not call it in inference mode, or calls it where values cannot leave, such as in a "
        "loop, in a branch of `keras.ops.cond`, in a function that the backend compiles by itself "
        "(`tf.function`, `jax.jit`), or in a recurrent layer's steps. "
        f"Received: layer={address!r}"
    )


def _ends(call: Call, parts: Sequence[str]) -> bool:
    """Whether the last steps of a call are the ones that are written."""
    if len(parts) > len(call.steps):
        return False
    steps = call.steps[-len(parts) :]
    return all(
        part in (step.name, f"{step.name}:{step.number}")
        for step, part in zip(steps, parts, strict=True)
    )


def _like(call: Call, pattern: str) -> bool:
    if isinstance(call.layer, keras.layers.InputLayer) or not isinstance(call.layer, keras.Layer):
        return False  # inputs, and parts of a layer, are asked for by name alone
    path = "/".join(step.name for step in call.steps)
    names = {call.address, path}
    if "/" not in pattern:
        names |= {call.layer.name, str(call.steps[-1])}
    return any(fnmatch.fnmatchcase(name, pattern) for name in names)


def _only(matches: Sequence[Call], written: str) -> Target:
    if len(matches) > 1:
        addresses = ", ".join(repr(call.address) for call in matches)
        what = (
            "a layer that is called more than once"
            if len({id(call.layer) for call in matches}) == 1
            else "more than one layer"
        )
        raise ValueError(f"`layer` must name one of {addresses}: {written!r} is {what}.")
    return Target(matches[0].address, matches[0])


def _some(
    found: list[Target], written: str, model: keras.Model, known: Sequence[Call]
) -> list[Target]:
    if not found:
        classes = {type(call.layer).__name__ for call in known}
        raise ValueError(
            f"Nothing in the model '{model.name}' matches {written!r}. "
            f"Its layers are of the classes {', '.join(sorted(classes))}."
        )
    return found
