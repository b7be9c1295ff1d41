"""Random graphs: the maps of every layer call, against a plain program evaluated call by call.

A graph is drawn as a program: plain data that says which layer is called on which values. A Keras
model is made from it for kerasviz to look into. What must come out is computed from the program
alone: twins of the layers, always channels last, are called on arrays in the order written.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st

import kerasviz

Shape = tuple[int, ...]
"""That of one sample, channels last: `(height, width, channels)` or `(features,)`."""


@dataclass(frozen=True)
class Layer:
    """A layer of Keras; one name is one layer, however often it is called."""

    name: str
    kind: str
    options: dict[str, Any]
    channels: int

    @property
    def arity(self) -> int:
        return 2 if self.kind in MERGES else 1

    def output_shapes(self, shapes: Sequence[Shape]) -> list[Shape] | None:
        """Return the shapes that come out, or `None` where the layer cannot be called so."""
        shape = output_shape(self, shapes)
        return [shape] if shape and all(0 < size <= 12 for size in shape) else None


@dataclass(frozen=True)
class Step:
    """One call: what is called, on which values. `None` doubles a value without any layer."""

    what: Layer | Program | None
    sources: tuple[int, ...]

    def output_shapes(self, values: Sequence[Shape]) -> list[Shape] | None:
        taken = [values[source] for source in self.sources]
        return taken if self.what is None else self.what.output_shapes(taken)


@dataclass(frozen=True)
class Program:
    """Calls in the order in which they are written; values are counted from the inputs on.

    Args:
        name: The name of the model.
        kind: `"functional"`, `"sequential"`, or `"composite"` for a layer that runs the program.
        inputs: The shapes that it is written for.
        any_size: Whether it takes images of other sizes, too.
        steps: The calls.
        outputs: Which values it returns: at least those that no step takes.
    """

    name: str
    kind: str
    inputs: tuple[Shape, ...]
    any_size: bool
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    @property
    def arity(self) -> int:
        return len(self.inputs)

    def output_shapes(self, shapes: Sequence[Shape]) -> list[Shape] | None:
        """Return the shapes that come out, or `None` where it cannot be called so."""
        if not self._takes(shapes):
            return None
        values = list(shapes)
        for step in self.steps:
            outputs = step.output_shapes(values)
            if outputs is None:
                return None
            values += outputs
        return [values[output] for output in self.outputs]

    def _takes(self, shapes: Sequence[Shape]) -> bool:
        if not self.any_size:
            return tuple(shapes) == self.inputs
        return [(len(x), x[-1]) for x in shapes] == [(len(x), x[-1]) for x in self.inputs]

    def run(self, inputs: Sequence[Any], call: Callable[[Any, list[Any]], list[Any]]) -> list[Any]:
        """Follow the steps; `call` calls a layer or a program on a list of tensors."""
        values = list(inputs)
        for step in self.steps:
            taken = [values[source] for source in step.sources]
            values += [taken[0] + taken[0]] if step.what is None else call(step.what, taken)
        return [values[output] for output in self.outputs]

    def call_names(self) -> Iterator[str]:
        """Yield the name of each call of a layer; `:k` counts the calls of one as written."""
        names = [step.what.name for step in self.steps if step.what]
        total, seen = Counter(names), Counter[str]()
        for name in names:
            yield name if total[name] == 1 else f"{name}:{seen[name]}"
            seen[name] += 1


MERGES = ("Add", "Subtract", "Concatenate")
ANY_RANK = ("ReLU", "Dropout")


def output_shape(layer: Layer, shapes: Sequence[Shape]) -> Shape | None:
    """Return the shape of a layer's output, with sizes below 1 where an image is too small."""
    (*size, channels), options = shapes[0], layer.options
    if any(list(shape[:-1]) != size for shape in shapes):
        return None
    if layer.kind == "Concatenate":
        return (*size, sum(shape[-1] for shape in shapes))
    if channels != layer.channels or len(set(shapes)) > 1:
        return None
    if layer.kind in (*MERGES, *ANY_RANK):
        return shapes[0]
    if not size or layer.kind == "Dense":
        return (options["units"],) if not size and layer.kind == "Dense" else None
    if layer.kind == "GlobalAveragePooling2D":
        return (channels,)
    if layer.kind in ("UpSampling2D", "Conv2DTranspose"):
        return (2 * size[0], 2 * size[1], options.get("filters", channels))
    return (*(windows(n, options) for n in size), options.get("filters", channels))


def windows(size: int, options: dict[str, Any]) -> int:
    """Return at how many places along an axis the window of a layer is put."""
    width, stride = options.get("kernel_size", options.get("pool_size", 1)), options.get("strides")
    if options.get("padding") == "valid":
        size -= (width - 1) * options.get("dilation_rate", 1)
    return -(-size // (stride or 1))


def options_of(**choices: Sequence[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({key: st.sampled_from(value) for key, value in choices.items()})


PADDED = {"padding": ("same", "same", "valid")}  # sizes that stay fit together again
SPACED = st.sampled_from([{}, {}, {"strides": 2}, {"dilation_rate": 2}])
WINDOW = st.builds(dict.__or__, options_of(kernel_size=(3, 2, 1), **PADDED), SPACED)
FILTERS = {"filters": (2, 1, 3), "activation": (None, "tanh")}
KINDS = {
    "Conv2D": st.builds(dict.__or__, WINDOW, options_of(**FILTERS)),
    "DepthwiseConv2D": WINDOW,
    "SeparableConv2D": st.builds(dict.__or__, WINDOW, options_of(**FILTERS)),
    "Conv2DTranspose": options_of(kernel_size=(3, 2), strides=(2,), padding=("same",), **FILTERS),
    "MaxPooling2D": options_of(pool_size=(2,), strides=(1, 2), **PADDED),
    "AveragePooling2D": options_of(pool_size=(2,), strides=(1, 2), **PADDED),
    "UpSampling2D": st.just({}),
    "GlobalAveragePooling2D": st.just({}),
    "BatchNormalization": st.just({}),
    "GroupNormalization": options_of(groups=(1,)),
    "ReLU": st.just({}),
    "Dropout": options_of(rate=(0.5,)),
    "Dense": options_of(units=(1, 2, 3)),
}


class Writer:
    """Draws programs. Whatever was written can be called again, at any level.

    Args:
        draw: Hypothesis's.
        budget: How many calls are written, those of all programs together.
    """

    def __init__(self, draw: Callable[[Any], Any], budget: int) -> None:
        self.draw = draw
        self.budget = budget
        self.written: list[Layer | Program] = []

    def program(self, kind: str, inputs: Sequence[Shape], depth: int, stems: int = 0) -> Program:
        """Draw a program.

        Args:
            kind: Its kind.
            inputs: The shapes of its inputs.
            depth: How deep programs may stand in it.
            stems: How many of the inputs only go into a convolution of their own.
        """
        steps = [Step(self._layer("Conv2D", shape), (i,)) for i, shape in enumerate(inputs[:stems])]
        values = [*inputs, *(shape for step in steps for shape in step.output_shapes(inputs))]
        for _ in range(self.draw(st.integers(1 + depth, 3 + 2 * depth))):
            if self.budget > 0 or not steps:
                self.budget -= 1
                chained = kind == "sequential"
                sources = range(len(values) - 1 if chained else stems, len(values))
                steps.append(self._step(values, sources, depth, chained))
                values += steps[-1].output_shapes(values)
        made = range(len(inputs), len(values))
        kept = set() if kind == "sequential" else self.draw(st.sets(st.sampled_from(made)))
        inner = [step.what for step in steps if isinstance(step.what, Program)]
        any_size = self.draw(st.sampled_from([True, True, False]))
        loose = set(made) - {source for step in steps for source in step.sources}
        return self._keep(
            Program(
                self._name(kind),
                kind,
                tuple(inputs),
                any_size and all(program.any_size for program in inner),
                tuple(steps),
                tuple(sorted(kept | loose)),
            )
        )

    def _step(self, values: list[Shape], sources: Sequence[int], depth: int, chained: bool) -> Step:
        ways = ["layer"]
        ways += ["program"] * 2 if depth > 0 else []
        ways += [] if chained else ["layer again", "program again", "merge"]
        ways += [] if chained or not self.written else ["double"]
        way = self.draw(st.sampled_from(ways))
        source = self.draw(st.sampled_from(sources))
        step = None
        if way == "double":
            step = Step(None, (source,))
        elif way == "program":
            step = self._program(values, sources, depth - 1, chained)
        elif way.endswith("again"):
            kind = Layer if way == "layer again" else Program
            written = [item for item in self.written if isinstance(item, kind)]
            step = self._fitting(values, sources, written or self.written)
        elif way == "merge":
            channels = values[source][-1]
            merges = [Layer(self._name(kind), kind, {}, channels) for kind in MERGES]
            step = self._fitting(values, sources, merges)
        return step or Step(self._any_layer(values[source]), (source,))

    def _program(
        self, values: list[Shape], sources: Sequence[int], depth: int, chained: bool
    ) -> Step | None:
        kind = self.draw(st.sampled_from(["functional", "sequential", "composite"]))
        most = 1 if chained or kind == "sequential" else 2
        taken = self.draw(st.lists(st.sampled_from(sources), min_size=1, max_size=most))
        program = self.program(kind, [values[source] for source in taken], depth)
        return None if chained and len(program.outputs) > 1 else Step(program, tuple(taken))

    def _fitting(
        self, values: list[Shape], sources: Sequence[int], what: Sequence[Layer | Program]
    ) -> Step | None:
        """Draw one of all the calls that can be made with given values, if any."""
        steps = [
            Step(item, taken)
            for item in what
            for taken in itertools.product(sources, repeat=item.arity)
        ]
        steps = [step for step in steps if step.output_shapes(values)]
        step = self.draw(st.sampled_from(steps)) if steps else None
        if step and step.what not in self.written:
            self._keep(step.what)
        return step

    def _any_layer(self, shape: Shape) -> Layer:
        kinds = [kind for kind in KINDS if (kind == "Dense") == (len(shape) == 1)]
        layer = self._layer(self.draw(st.sampled_from([*kinds, *ANY_RANK])), shape)
        return layer if layer.output_shapes([shape]) else self._layer("ReLU", shape)

    def _layer(self, kind: str, shape: Shape) -> Layer:
        return self._keep(Layer(self._name(kind), kind, self.draw(KINDS[kind]), shape[-1]))

    def _name(self, kind: str) -> str:
        return f"{kind.lower()}{len(self.written)}"

    def _keep(self, what: Any) -> Any:
        self.written.append(what)
        return what


@st.composite
def programs(draw: Callable[[Any], Any], with_stems: bool) -> Program:
    """Draw a program for a whole model."""
    kind = draw(st.sampled_from(["functional", "functional", "functional", "sequential"]))
    inputs = [(6, 6, 2), (6, 5, 1)][: 1 if kind == "sequential" else draw(st.integers(1, 2))]
    return Writer(draw, budget=12).program(
        kind, inputs, depth=2, stems=len(inputs) if with_stems else 0
    )


class Composite(keras.Layer):
    """A layer that holds layers and runs a program, as a subclassed model does."""

    def __init__(self, program: Program, maker: Maker) -> None:
        super().__init__(name=program.name)
        self.program = program
        self.parts = {step.what.name: maker.make(step.what) for step in program.steps if step.what}

    def call(self, inputs: Any) -> Any:
        outputs = self.program.run(
            as_list(inputs), lambda what, taken: as_list(self.parts[what.name](one_or_all(taken)))
        )
        return one_or_all(outputs)


class Maker:
    """Makes Keras's layers and models from what is written, each once.

    Args:
        data_format: That of all layers.
    """

    def __init__(self, data_format: str) -> None:
        self.data_format = data_format
        self.made: dict[str, keras.Layer] = {}

    def make(self, what: Layer | Program) -> keras.Layer:
        if what.name not in self.made:
            makers = {"functional": self._functional, "sequential": self._sequential}
            makers["composite"] = lambda program: Composite(program, self)
            self.made[what.name] = makers.get(what.kind, self._layer)(what)
        return self.made[what.name]

    def _layer(self, what: Layer) -> keras.Layer:
        options = dict(what.options)
        if "2D" in what.kind:
            options["data_format"] = self.data_format
        if "Conv" in what.kind:
            # Keras on TensorFlow adds a bias along the width, if that is as long as the channels.
            options["use_bias"] = False
        if what.kind in ("BatchNormalization", "GroupNormalization", "Concatenate"):
            options["axis"] = 1 if self.data_format == "channels_first" else -1
        return getattr(keras.layers, what.kind)(name=what.name, **options)

    def _inputs(self, program: Program) -> list[Any]:
        shapes = [
            (None, None, shape[-1]) if program.any_size and len(shape) == 3 else shape
            for shape in program.inputs
        ]
        if self.data_format == "channels_first":
            shapes = [(*shape[-1:], *shape[:-1]) for shape in shapes]
        return [keras.Input(shape) for shape in shapes]

    def _functional(self, program: Program) -> keras.Model:
        inputs = self._inputs(program)
        outputs = program.run(
            inputs, lambda what, taken: as_list(self.make(what)(one_or_all(taken)))
        )
        return keras.Model(one_or_all(inputs), one_or_all(outputs), name=program.name)

    def _sequential(self, program: Program) -> keras.Model:
        parts = [self.make(step.what) for step in program.steps]
        return keras.Sequential([*self._inputs(program), *parts], name=program.name)


def one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def as_list(values: Any) -> list[Any]:
    return list(values) if isinstance(values, (list, tuple)) else [values]


class Hand:
    """Calls twins of a model's layers, channels last, and keeps what every call returns.

    Args:
        made: The model's own layers, by name.
    """

    def __init__(self, made: dict[str, keras.Layer]) -> None:
        self.made = made
        self.twins = Maker("channels_last")
        self.maps: dict[str, list[np.ndarray]] = {}

    def run(self, program: Program, inputs: Sequence[Any], prefix: str = "") -> list[Any]:
        """Run a program on arrays; the addresses of its calls begin with a prefix."""
        names = program.call_names()

        def call(what: Layer | Program, taken: list[Any]) -> list[Any]:
            address = prefix + next(names)
            if isinstance(what, Program):
                outputs = self.run(what, taken, f"{address}/")
            else:
                outputs = [self._twin(what, taken)(one_or_all(taken))]
            self.maps[address] = list(map(keras.ops.convert_to_numpy, outputs))
            return outputs

        return program.run(inputs, call)

    def _twin(self, what: Layer, taken: list[Any]) -> keras.Layer:
        is_new = what.name not in self.twins.made
        twin = self.twins.make(what)
        if is_new and self.made[what.name].weights:
            twin.build(taken[0].shape)
            twin.set_weights(self.made[what.name].get_weights())
        return twin


def set_all_weights(layers: dict[str, keras.Layer]) -> None:
    """Give every weight a value of its own, so that no layer passes its input on as it is."""
    rng = np.random.default_rng(0)
    for layer in layers.values():
        if not isinstance(layer, (keras.Model, Composite)):
            low = 0.1 if "normalization" in layer.name else -0.6
            layer.set_weights([rng.uniform(low, 0.6, w.shape) for w in layer.weights])


def shortest(address: str, addresses: Sequence[str]) -> str:
    """Return the shortest end of an address that names nothing else."""
    parts = address.split("/")
    ends = ["/".join(parts[-length:]) for length in range(1, len(parts) + 1)]
    return next(
        (end for end in ends if [a for a in addresses if names(end, a)] == [address]), address
    )


def names(end: str, address: str) -> bool:
    """Whether an address can be written so: from any level on, call numbers left out or not."""
    written, parts = end.split("/"), address.split("/")
    return len(written) <= len(parts) and all(
        w in (part, part.split(":")[0], f"{part}:0")
        for w, part in zip(written, parts[-len(written) :], strict=True)
    )


def assert_maps(outputs: Any, expected: list[np.ndarray], address: str) -> None:
    outputs = as_list(outputs)
    assert len(outputs) == len(expected), address
    for output, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output, wanted, rtol=1e-3, atol=1e-4, err_msg=address)


@pytest.fixture(
    params=[
        ("channels_last", "channels_last"),
        ("channels_first", "channels_last"),
        ("channels_first", "channels_first"),
    ],
    ids="-in-".join,
    scope="module",
)
def formats(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The data format of the layers, and Keras's default."""
    default = keras.config.image_data_format()
    keras.config.set_image_data_format(request.param[1])
    yield request.param
    keras.config.set_image_data_format(default)


def examples(count: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=min(count, 10) if keras.backend.backend() == "jax" else count,  # slow to trace
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )


@examples(1)
@hypothesis.given(data=st.data())
def test_get_feature_maps_gives_the_maps_of_every_call(formats: tuple[str, str], data: Any) -> None:
    check_maps(formats, data)


@pytest.mark.slow
@examples(25)
@hypothesis.given(data=st.data())
def test_get_feature_maps_gives_the_maps_of_every_call_of_many_graphs(
    formats: tuple[str, str], data: Any
) -> None:
    check_maps(formats, data)


def check_maps(formats: tuple[str, str], data: Any) -> None:
    data_format, default = formats
    # Where the default differs, only a layer can tell which way round an input lies.
    program = data.draw(programs(with_stems=data_format != default))
    maker = Maker(data_format)
    model = maker.make(program)
    set_all_weights(maker.made)
    rng = np.random.default_rng(1)
    images = [rng.normal(size=(2, *shape)).astype("float32") for shape in program.inputs]
    hand = Hand(maker.made)
    hand.run(program, images)
    first = data_format == "channels_first"
    inputs = one_or_all([np.moveaxis(x, -1, 1) if first else x for x in images])

    listed = [ref.address for ref in kerasviz.find_layers(model, "*")]
    assert sorted(listed) == sorted(hand.maps)
    everything = kerasviz.get_feature_maps(model, "*", inputs)
    assert list(everything) == listed
    for address, expected in hand.maps.items():
        assert_maps(everything[address], expected, address)

    # One layer alone needs only a part of the graph, in which calls can be fewer.
    address = data.draw(st.sampled_from(list(hand.maps)))
    written = shortest(address, list(hand.maps))
    assert_maps(kerasviz.get_feature_maps(model, written, inputs), hand.maps[address], written)
