"""A model to boxes, frames and what leads to what: its architecture, before anything is drawn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras

from kerasviz.model.architecture.description import (
    FINISHING,
    activation,
    is_composite,
    kind,
    settings,
    title,
)
from kerasviz.model.calls import input_specs, traced
from kerasviz.model.connections import CallOutput, Connections, TensorSource
from kerasviz.model.graph import (
    GraphNode,
    as_functional,
    graph_nodes,
    is_graph,
    layer_calls,
    sublayers,
)
from kerasviz.model.layer_call import Call, CallPath, CallStep, Shape


@dataclass(frozen=True)
class Part:
    """One call of a layer, or one operation of a graph: what a line of a box is about.

    Args:
        address: What names the call and no other, as other functions take it.
        path: The way to the call.
        title: The class of the layer.
        settings: Its main settings in a few words.
        activation: The activation that the layer itself ends with, "" for none.
        kind: One of `describe.KINDS`.
        output_shapes: The shape of each output, with the batch axis.
        parameters: How many weights it has that no earlier part has.
        frozen: How many of these belong to a layer that is not trainable.
        is_frozen: Whether it has weights, and none of them is trained.
        shares_with: The address of an earlier call that has the same weights, "" for none.
        is_layer: Whether it is a layer, and not another operation.
    """

    address: str
    path: CallPath
    title: str
    settings: str
    activation: str
    kind: str
    output_shapes: tuple[Shape, ...]
    parameters: int = 0
    frozen: int = 0
    is_frozen: bool = False
    shares_with: str = ""
    is_layer: bool = True

    @property
    def name(self) -> str:
        """The last step of the address."""
        return self.address.rsplit("/", 1)[-1]

    @property
    def is_padding(self) -> bool:
        """Whether it only prepares a convolution."""
        return self.title.startswith("ZeroPadding")


@dataclass(frozen=True)
class Node:
    """A box: one part, or several that follow one another.

    Args:
        parts: What is in it, in the order in which it runs.
        frame: The index of the frame that it is in, `None` outside.
        is_open: Whether it takes something of which it is not known where it comes from.
    """

    parts: tuple[Part, ...]
    frame: int | None
    is_open: bool = False

    @property
    def head(self) -> Part:
        """The part that the box is named after."""
        return next((part for part in self.parts if not part.is_padding), self.parts[0])

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        """The shape of each output."""
        return self.parts[-1].output_shapes

    @property
    def parameters(self) -> int:
        """How many weights it has."""
        return sum(part.parameters for part in self.parts)

    @property
    def frozen(self) -> int:
        """How many of its weights are frozen."""
        return sum(part.frozen for part in self.parts)

    @property
    def is_frozen(self) -> bool:
        """Whether it has weights, and none of them is trained."""
        with_weights = [part for part in self.parts if part.parameters or part.shares_with]
        return bool(with_weights) and all(part.is_frozen for part in with_weights)


@dataclass(frozen=True)
class Frame:
    """A model or composite layer whose inside is shown.

    Args:
        part: The model or layer itself.
        frame: The index of the frame that it is in, `None` outside.
        is_open: Whether it takes something of which it is not known where it comes from.
    """

    part: Part
    frame: int | None
    is_open: bool = False


@dataclass(frozen=True)
class Architecture:
    """The boxes, frames and arrows that a model is made of.

    Args:
        name: The model's name.
        nodes: Its boxes, in the order in which they run.
        frames: Its frames; one that is in another comes later.
        edges: Pairs of what leads to what: the number of a node, or `~number` of a frame.
        order: Pairs of which the second is called after the first, where no edge says so.
        inputs: The nodes of the model's inputs, in the model's order.
        outputs: What the model returns, as in `edges`, as far as it is known.
        layers: How many layers the model itself has or calls, inputs not counted.
        parameters: How many weights it has, with those of layers that it calls and does not hold.
        frozen: How many of them belong to layers that are not trainable.
        closed: Addresses of composite layers that are boxes although `expand` reaches them, because
            tracing the model failed.
        failure: Why the model could not be traced, in words, "" where it could or did not have to.
    """

    name: str
    nodes: tuple[Node, ...]
    frames: tuple[Frame, ...]
    edges: tuple[tuple[int, int], ...]
    order: tuple[tuple[int, int], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    layers: int
    parameters: int
    frozen: int
    closed: tuple[str, ...] = ()
    failure: str = ""


def read_architecture(
    model: keras.Model, specs: Any = None, *, expand: int = 0, merge: bool = True
) -> Architecture:
    """Read the architecture of a model.

    The connections of a graph are read from it, and a graph is not traced unless `expand` reaches
    something in it that is not a graph. Inside a subclassed model or a composite layer a connection
    is known where a call takes the very tensor that another call returned; where something was
    done to it in between it is not, and none is made up.

    Args:
        model: A Keras model.
        specs: What it is called on, as a structure of `keras.KerasTensor`; by default its own
            inputs, or those that it was built for.
        expand: How many levels of nested models and composite layers to look into.
        merge: Whether layers that only finish another's work are in its box, see `merge_chains`.

    Raises:
        ValueError: The model is not built.
    """
    specs = input_specs(model) if specs is None else specs
    if specs is None or not model.built:
        raise ValueError(
            f"The model '{model.name}' has no inputs yet, so no layer of it has a shape: build it "
            "with model.build(input_shape), or give `inputs`."
        )
    architecture = _Reader(model, specs, expand).read()
    return merge_chains(architecture) if merge else architecture


Origin = tuple[int, ...] | None
"""Where a tensor comes from: an item as in `Architecture.edges`, `()` where nothing is given, and
`None` where it is not known."""


@dataclass
class _Reader:
    model: keras.Model
    specs: Any
    expand: int
    nodes: list[Node] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    edges: dict[tuple[int, int], None] = field(default_factory=dict)
    order: dict[tuple[int, int], None] = field(default_factory=dict)

    def read(self) -> Architecture:
        self._calls: dict[CallPath, Call] = {}
        self._children: dict[CallPath, list[Call]] = {}
        self._connections = Connections()
        self._failure = ""
        self._closed: list[str] = []
        self._sizes = _weight_sizes(self.model)
        self._frozen = frozen_weights(self.model)
        self._owners: dict[int, str] = {}  # the address at which each weight was met first
        if is_graph(self.model):
            self._calls = {call.path: call for call in layer_calls(self.model)}
            self._look_inside()
            outputs = self._read_graph(self.model, (), None, None)
            numbers = {node.head.path: number for number, node in enumerate(self.nodes)}
            steps = {id(node.outputs[0]): node.step for node in graph_nodes(self.model)}
            found = [steps[id(x)] for x in as_functional(self.model).inputs]
            inputs = tuple(numbers[((step.name, step.call_index),)] for step in found)
        else:
            self._trace()
            if self._failure:
                raise ValueError(
                    f"The model '{self.model.name}' cannot be called on inputs without values, so "
                    f"what leads to what in it is not known. {self._failure}"
                )
            flat = keras.tree.flatten_with_path(self.specs)
            inputs = tuple(self._add_input(path, tensor) for path, tensor in flat)
            outputs = self._read_calls((), None, [(number,) for number in inputs])
        return Architecture(
            self.model.name,
            tuple(self.nodes),
            tuple(self.frames),
            tuple(self.edges),
            tuple(self.order),
            inputs,
            tuple(_items(outputs)),
            self._count_layers(),
            sum(self._sizes.values()),
            sum(size for key, size in self._sizes.items() if key in self._frozen),
            tuple(self._closed),
            self._failure,
        )

    def _look_inside(self) -> None:
        """Trace a graph if `expand` reaches what the graph alone does not tell."""
        reached = [call for call in self._calls.values() if len(call.steps) <= self.expand]
        if any(_needs_trace(call) for call in reached):
            self._trace()

    def _trace(self) -> None:
        trace = traced(self.model, self.specs)
        if trace.failure is not None:
            self._failure = trace.failure
            return
        self._connections = trace.connections
        self._calls |= {call.path: call for call in trace.calls}
        for call in trace.calls:
            self._children.setdefault(call.path[:-1], []).append(call)

    def _count_layers(self) -> int:
        called = [call.layer for call in self._children.get((), [])]
        layers = {id(layer): layer for layer in [*self.model.layers, *called]}
        return sum(not isinstance(layer, keras.layers.InputLayer) for layer in layers.values())

    def _add_input(self, path: tuple[Any, ...], tensor: Any) -> int:
        name = " ".join(["input", *map(str, path)])
        part = Part(name, ((name, 0),), "Input", "", "", "input", (tuple(tensor.shape),))
        self.nodes.append(Node((part,), None))
        return len(self.nodes) - 1

    def _read_graph(
        self,
        model: keras.Model,
        steps: tuple[CallStep, ...],
        frame: int | None,
        given: Sequence[Origin] | None,
    ) -> list[Origin]:
        """Read the calls of a graph, and return where what it returns comes from.

        Args:
            model: The model.
            steps: The way to it.
            frame: The frame that its calls are in.
            given: Where its inputs come from; `None` where it has inputs of its own.
        """
        graph = as_functional(model)
        origins: dict[int, Origin] = {}
        if given is not None:
            origins.update(zip(map(id, graph.inputs), given, strict=False))
        for node in graph_nodes(graph):
            if given is not None and node.is_input:
                continue
            path = tuple((above.name, above.call_index) for above in (*steps, node.step))
            call = self._calls.get(path)
            if call is None:  # an operation that is not a layer
                call = Call((*steps, node.step), node.operation, node.outputs)
            taken = [origins[id(x)] for x in node.inputs]
            inner = _given_to_graph(node, origins) if is_graph(node.operation) else taken
            outputs = self._read_call(call, frame, taken, inner)
            origins.update(zip(map(id, node.outputs), outputs, strict=True))
        return [origins[id(x)] for x in graph.outputs]

    def _read_calls(
        self,
        path: CallPath,
        frame: int | None,
        given: Sequence[Origin],
        unknown: Origin = None,
    ) -> list[Origin]:
        """Read the calls inside a layer that is not a graph; return where its outputs come from.

        Args:
            path: The way to the layer.
            frame: The frame that its calls are in.
            given: Where its inputs come from.
            unknown: Where what a call inside takes comes from, if the trace does not tell.
        """
        if len(self._connections.inputs.get(path, [])) != len(given):
            given = [None] * len(self._connections.inputs.get(path, []))  # a constant is among them
        made: dict[CallPath, list[Origin]] = {}

        def origin(source: TensorSource) -> Origin:
            if isinstance(source, CallOutput):
                outputs = made.get(source.path, [])
                return outputs[source.output_index] if source.output_index < len(outputs) else None
            return None if source is None else given[source]

        last: int | None = None
        for call in self._children.get(path, []):
            sources = self._connections.inputs.get(call.path, [None])
            taken = [unknown if source is None else origin(source) for source in sources]
            place = len(self.nodes), len(self.frames)
            made[call.path] = self._read_call(call, frame, taken, taken)
            item = ~place[1] if len(self.frames) > place[1] else place[0]
            if last is not None and None in taken:
                self.order[last, item] = None
            last = item
        return [origin(source) for source in self._connections.outputs.get(path, [])]

    def _read_call(
        self,
        call: Call,
        frame: int | None,
        taken: Sequence[Origin],
        given: Sequence[Origin],
    ) -> list[Origin]:
        """Read one call, and return where each of its outputs comes from.

        Args:
            call: The call.
            frame: The frame that it is in.
            taken: Where the tensors that it takes come from.
            given: The same for each input of a graph, in the graph's own order.
        """
        is_open = None in taken
        is_frame = len(call.steps) <= self.expand and self._has_inside(call)
        part = self._describe(call, len(taken), is_frame=is_frame)
        if not is_frame:
            if self._failure and part.kind == "model" and not is_graph(call.layer):
                self._closed += [call.address] * (len(call.steps) <= self.expand)
            self.nodes.append(Node((part,), frame, is_open))
            number = len(self.nodes) - 1
            self.edges.update(dict.fromkeys((item, number) for item in _items(taken)))
            return [(number,)] * max(1, len(call.outputs))
        self.frames.append(Frame(part, frame, is_open))
        number = len(self.frames) - 1
        if is_graph(call.layer):
            outputs = self._read_graph(call.layer, call.steps, number, given)
        else:
            outputs = self._read_composite(call, number, taken)
        for weight in call.layer.weights:  # what is left belongs to no layer inside
            self._owners.setdefault(id(weight), call.address)
        return outputs

    def _read_composite(self, call: Call, number: int, taken: Sequence[Origin]) -> list[Origin]:
        """Read the calls inside a composite layer that is drawn as frame `number`."""
        before = len(self.edges)
        # Time-distributed layers split the batch into steps and put it together again.
        over_time = isinstance(call.layer, keras.layers.TimeDistributed) and len(taken) == 1
        outputs = self._read_calls(call.path, number, taken, taken[0] if over_time else None)
        passed_in = {item for item, _ in list(self.edges)[before:]}
        for item in _items(taken):
            if item not in passed_in:  # what takes it inside is not a layer
                self.edges[item, ~number] = None
        count = max(1, len(call.outputs))
        outputs = [*outputs, *[None] * count][:count]
        return [(~number,) if origin is None else origin for origin in outputs]

    def _has_inside(self, call: Call) -> bool:
        if is_graph(call.layer):
            nodes = [node.operation for node in graph_nodes(call.layer)]
            return not all(isinstance(x, keras.layers.InputLayer) for x in nodes)
        return is_composite(call.layer) and call.path in self._children

    def _describe(self, call: Call, arity: int, *, is_frame: bool) -> Part:
        layer, shapes = call.layer, tuple(tuple(x.shape) for x in call.outputs)
        part = Part(
            call.address,
            call.path,
            title(layer),
            settings(layer, len(shapes[0]) if shapes else 0),
            activation(layer),
            kind(layer, arity),
            shapes,
            is_layer=isinstance(layer, keras.Layer),
        )
        if not part.is_layer or not layer.weights:
            return part
        sizes = _weight_sizes(layer)
        if not self._sizes.keys() >= sizes.keys():  # the model calls the layer and does not hold it
            self._sizes |= sizes
            self._frozen |= frozen_weights(layer)
        part = replace(part, is_frozen=self._frozen.issuperset(sizes))
        new = {key: size for key, size in sizes.items() if key not in self._owners}
        if not new:
            owner = self._owners[next(iter(sizes))]
            if part.kind == "model":  # its first weight may be that of a layer inside
                owner = "/".join(owner.split("/")[: len(call.steps)])
            return replace(part, shares_with=owner)
        if not is_frame:
            self._owners.update(dict.fromkeys(new, call.address))
        return replace(
            part,
            parameters=sum(new.values()),
            frozen=sum(size for key, size in new.items() if key in self._frozen),
        )


def _needs_trace(call: Call) -> bool:
    """Whether only a trace tells what is inside a call, or the shapes there."""
    if not is_graph(call.layer):
        return is_composite(call.layer)
    own = [tuple(x.shape) for x in call.layer.inputs]
    return own != [tuple(x.shape) for x in call.inputs]


def _weight_sizes(layer: keras.Layer) -> dict[int, int]:
    """Return how many values each weight of a layer has, by the weight's identity."""
    return {id(weight): math.prod(weight.shape) for weight in layer.weights}


def _items(origins: Iterable[Origin]) -> list[int]:
    """Return the items among origins, each once."""
    return list(dict.fromkeys(item for origin in origins for item in origin or ()))


def _given_to_graph(node: GraphNode, origins: dict[int, Origin]) -> list[Origin]:
    """Return where the inputs of a nested model come from, in that model's own order."""
    args, kwargs = node.arguments
    given = args[0] if args else next(iter(kwargs.values()))
    graph = as_functional(node.operation)
    if isinstance(given, dict) and not isinstance(graph.input, dict):
        given = [given[tensor.name] for tensor in graph.inputs]
    return [origins.get(id(x), ()) for x in keras.tree.flatten(given)]


def frozen_weights(layer: keras.Layer) -> set[int]:
    """Return the identities of the weights that belong to layers which are not trainable."""
    if not layer.trainable:
        return set(map(id, layer.weights))
    return {key for inner in sublayers(layer) for key in frozen_weights(inner)}


def merge_chains(architecture: Architecture) -> Architecture:
    """Put layers that only finish another's work into its box.

    A normalization, an activation or a dropout joins the convolution, dense layer, merge or
    normalization that it follows, and a convolution joins the padding before it. So it is where
    the one alone takes the other's only output, both are in the same frame, and the model does
    not return what is between them.
    """
    nodes = architecture.nodes
    takers = Counter(a for a, _ in architecture.edges)
    givers = Counter(b for _, b in architecture.edges)
    leader = list(range(len(nodes)))
    for a, b in sorted(architecture.edges):  # a leader is settled before its followers
        alone = a >= 0 <= b and takers[a] == givers[b] == 1 and not nodes[b].is_open
        if alone and a not in architecture.outputs and _belongs(nodes[a], nodes[b]):
            leader[b] = leader[a]
    parts: dict[int, list[Part]] = {}
    for node, first in zip(nodes, leader, strict=True):
        parts.setdefault(first, []).extend(node.parts)
    places = {first: place for place, first in enumerate(parts)}
    number = {old: places[first] for old, first in enumerate(leader)}

    def renumber(pairs: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        moved = [(number.get(a, a), number.get(b, b)) for a, b in pairs]
        return tuple(dict.fromkeys((a, b) for a, b in moved if a != b))

    return replace(
        architecture,
        nodes=tuple(replace(nodes[first], parts=tuple(parts[first])) for first in parts),
        edges=renumber(architecture.edges),
        order=renumber(architecture.order),
        inputs=tuple(number[item] for item in architecture.inputs),
        outputs=tuple(number.get(item, item) for item in architecture.outputs),
    )


def _belongs(node: Node, follower: Node) -> bool:
    """Whether a node goes into the box of the one before it."""
    before, behind = node.parts[-1], follower.parts[0]
    if node.frame != follower.frame or len(before.output_shapes) != 1:
        return False
    if not (before.is_layer and behind.is_layer):
        return False
    if before.is_padding:
        return behind.kind == "convolution"
    return behind.kind == FINISHING and before.kind in (
        "convolution",
        "dense",
        "merge",
        FINISHING,
    )
