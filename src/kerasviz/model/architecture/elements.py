"""Define what an architecture consists of: parts, nodes, frames, and what leads to what."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from kerasviz.model.layer_call import CallPath, Shape

Origin = tuple[int, ...] | None
"""Where a tensor comes from: items as in `Architecture.edges`; `()` where it comes from none, such
as a constant, and `None` where that is unknown."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One call of a layer, or one operation of a graph: what a line of a box is about.

    Args:
        address: What names the call and no other, as other functions take it.
        path: The path of the call.
        title: The class of the layer.
        kind: One of `layer_words.KINDS`.
        output_shapes: The shape of each output, with the batch axis.
        settings: Its main settings in a few words.
        activation: The activation that the layer itself ends with, "" for none.
        parameters: How many weights it has that no earlier part has.
        frozen: How many of these belong to a layer that is not trainable.
        is_frozen: Whether it has weights, and none of them is trained.
        shares_with: The address of an earlier call that has the same weights, "" for none.
        is_layer: Whether it is a layer, and not another operation.
        channel_axis: The axis of its outputs that holds the channels.
        structure: A key that is equal for parts that are built alike, see `structure`.
        weights: The shapes of all its weights.
        convolutions: How many convolutions are inside it.
    """

    address: str
    path: CallPath
    title: str
    kind: str
    output_shapes: tuple[Shape, ...]
    settings: str = ""
    activation: str = ""
    parameters: int = 0
    frozen: int = 0
    is_frozen: bool = False
    shares_with: str = ""
    is_layer: bool = True
    channel_axis: int = -1
    structure: Hashable = ()
    weights: tuple[Hashable, ...] = ()
    convolutions: int = 0

    def without_channels(self, shape: Shape) -> Shape:
        """Return a shape of an output without its number of channels."""
        if not shape:
            return shape
        axis = self.channel_axis % len(shape)
        return (*shape[:axis], *shape[axis + 1 :])

    @property
    def name(self) -> str:
        """The last step of the address."""
        return self.address.rsplit("/", 1)[-1]

    @property
    def is_padding(self) -> bool:
        """Whether it only prepares a convolution."""
        return self.title.startswith("ZeroPadding")


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Blocks that follow one another and are alike, of which only the first is shown.

    Args:
        addresses: For each block, the addresses of what its boxes are named after.
        parameters: How many weights each block has that no earlier part has.
        frozen: How many of these are frozen.
    """

    addresses: tuple[tuple[str, ...], ...]
    parameters: tuple[int, ...]
    frozen: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Node:
    """A box: one part, or several that follow one another.

    Args:
        parts: What is in it, in the order in which it runs.
        frame: The index of the frame that it is in, `None` outside.
        is_open: Whether the source of one of its inputs is unknown.
        repeats: Boxes like this one that are folded into it.
        fold: The blocks, where it is the whole of a folded block.
    """

    parts: tuple[Part, ...]
    frame: int | None = None
    is_open: bool = False
    repeats: tuple[Node, ...] = ()
    fold: Fold | None = None

    def standing_for(self, others: Iterable[Node]) -> Node:
        """Return this box, and others like it folded into it."""
        repeats = [node for other in others for node in (other, *other.repeats)]
        return replace(self, repeats=(*self.repeats, *repeats))

    @property
    def head(self) -> Part:
        """The part that the box is named after."""
        return next((part for part in self.parts if not part.is_padding), self.parts[0])

    @property
    def address(self) -> str:
        """The address of what it returns."""
        return self.parts[-1].address

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


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A model or composite layer whose inside is shown.

    Args:
        part: The model or layer itself; `None` of a block that is only a frame as it repeats.
        frame: The index of the frame that it is in, `None` outside.
        is_open: Whether the source of one of its inputs is unknown.
        repeats: Frames like this one that are folded into it.
        fold: The blocks, where it is the whole of a folded block.
    """

    part: Part | None
    frame: int | None = None
    is_open: bool = False
    repeats: tuple[Frame, ...] = ()
    fold: Fold | None = None

    def standing_for(self, others: Iterable[Frame]) -> Frame:
        """Return this frame, and others like it folded into it."""
        repeats = [frame for other in others for frame in (other, *other.repeats)]
        return replace(self, repeats=(*self.repeats, *repeats))


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The boxes, frames and arrows that a model is made of.

    Args:
        name: The model's name.
        nodes: Its boxes, in the order in which they run.
        frames: Its frames; one that is in another comes later.
        edges: Pairs of what leads to what: the index of a node, or `~index` of a frame.
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

    def select(self, nodes: Sequence[int], frames: Sequence[int]) -> Architecture:
        """Return the architecture of some nodes and frames, in this order, and their edges."""
        index = {node: position for position, node in enumerate(nodes)}
        index |= {~frame: ~position for position, frame in enumerate(frames)}

        def around(frame: int | None) -> int | None:
            return None if frame is None else ~index[~frame]

        def pairs(all_: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
            return tuple((index[a], index[b]) for a, b in all_ if a in index and b in index)

        own = [self.nodes[node] for node in nodes]
        own_frames = [self.frames[frame] for frame in frames]
        return replace(
            self,
            nodes=tuple(replace(node, frame=around(node.frame)) for node in own),
            frames=tuple(replace(frame, frame=around(frame.frame)) for frame in own_frames),
            edges=pairs(self.edges),
            order=pairs(self.order),
            inputs=tuple(index[item] for item in self.inputs if item in index),
            outputs=tuple(index[item] for item in self.outputs if item in index),
        )
