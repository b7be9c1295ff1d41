"""Make the inputs to which filters respond most strongly: `get_preferred_inputs`."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from typing_extensions import override

from kerasviz._checks import check_choice, check_count, check_seed, check_verbose, is_finite_number
from kerasviz.compute.attribution.score.heads import twin_of
from kerasviz.compute.filters.parametrizations import (
    FourierImages,
    Parametrization,
    PhaseImages,
)
from kerasviz.compute.filters.receptive_fields.receptive_field import (
    ReceptiveField,
    receptive_field,
)
from kerasviz.compute.filters.receptive_fields.seen_cells import space_of
from kerasviz.compute.filters.receptive_fields.smallest_input import smallest_input
from kerasviz.model.addresses import NamedCall, check_model, resolve
from kerasviz.model.backend import Differentiator, Mark
from kerasviz.model.calls import input_specs, known_calls
from kerasviz.model.graph import is_graph
from kerasviz.model.inputs.input_adapter import prepare_inputs
from kerasviz.model.interception import Observer, OpenCall, StopModel, call_observed
from kerasviz.model.layer_call import Call, CallPath
from kerasviz.model.state import keeping_state

OBJECTIVES = ("unit", "channel")
AT_ONCE = 64
"""How many images are improved together."""
JITTER = 2
"""By how many cells an image is moved at most, so that a channel likes it wherever it is."""
EXAMPLES = 2000
"""How many patches of real images tell what their spectra are like."""
ROUNDING = 1e-4
"""Differences between the same unit in two inputs that rounding explains, as a share of the
largest value."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PreferredInputs:
    """The inputs to which filters respond most strongly, made by gradient ascent.

    They show what drives a unit, and not what it is for: to a class, such an image is an
    adversarial example.

    Args:
        address: The address of the layer.
        indices: The filters, `(filters,)`.
        images: `(filters, height, width, channels)`: as large as the receptive field of a unit,
            or whole inputs.
        values: What the unit, or the mean of the channel, reaches before the activation,
            `(filters,)`.
        objective: `"unit"` or `"channel"`.
        total: How many filters the layer has.
        kind: What they are: "filter", or "unit" of a layer whose output has no axes of space.
    """

    address: str
    indices: np.ndarray
    images: np.ndarray
    values: np.ndarray
    objective: str
    total: int
    kind: str = "filter"


def get_preferred_inputs(
    model: keras.Model,
    layer: Any,
    *,
    filters: Any = None,
    objective: str = "unit",
    like: Any = None,
    limits: tuple[float, float] | None = None,
    steps: int = 256,
    seed: int = 0,
    verbose: int = 0,
) -> PreferredInputs:
    """Return the inputs to which filters of a layer respond most strongly.

    Gradient ascent by Adam on the spectrum of the input, from random numbers.

    Args:
        model: A built Keras model with one input of real numbers.
        layer: The address of one layer. Of a `Dense` layer that answers with classes, the values
            are its logits.
        filters: Which filters, by index; `None` is all of them.
        objective: `"unit"` is the unit in the middle of the map, before its activation; the images
            are as large as its receptive field. `"channel"` is the mean of the whole map.
        like: Images of the model's own kind, `(samples, height, width, channels)`. Then the
            magnitudes of the spectrum are those of their mean, and only the phases are free.
        limits: The smallest and the largest value of a pixel; by default those of `like`, or
            0 and 1.
        steps: How many steps the ascent takes.
        seed: Another seed gives other images. An image does not depend on which other filters
            are asked for.
        verbose: 0 or 1; 1 prints a progress bar.

    Returns:
        A `PreferredInputs`.

    Raises:
        TypeError: `model` is not a Keras model, or `layer` is not an address.
        ValueError: No layer has that address, or several have; the model has several inputs or
            takes integers; a filter is out of range; `like` does not fit the model; the scores are
            not finite.

    References:
        Olah, Mordvintsev and Schubert (2017), Feature visualization, Distill,
        https://doi.org/10.23915/distill.00007; of `like`: Fel et al. (2023), arXiv 2306.06805.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> preferred = kerasviz.get_preferred_inputs(model, "conv2d_1", filters=[3, 8], steps=16)
        >>> preferred.images.shape
        (2, 8, 8, 1)
    """
    check_choice("objective", objective, OBJECTIVES)
    check_count("steps", steps)
    check_verbose(verbose)
    check_seed(seed)
    ascent = _plan(model, layer, objective)
    indices = _check_filters(filters, ascent.filters, ascent.target.address)
    limits = _check_limits(limits)
    patches = None if like is None else _cut_patches(model, like, ascent.patch, seed)
    if limits is None:
        limits = (0.0, 1.0) if patches is None else (float(patches.min()), float(patches.max()))
    ascent = ascent.of_smallest_input(limits)
    bar = keras.utils.Progbar(len(indices) * steps) if verbose else None
    images, values = [], []
    for start in range(0, len(indices), AT_ONCE):
        some = indices[start : start + AT_ONCE]
        # A generator of its own for each filter: whatever is asked for with it, its image is the
        # same.
        generators = [np.random.default_rng([seed, int(index)]) for index in some]
        parametrization: Parametrization
        if patches is None:
            parametrization = FourierImages(ascent.patch, ascent.channels, limits, generators)
        else:
            parametrization = PhaseImages(patches, limits, generators)
        ascent.climb(parametrization, some, steps, bar and bar.add)
        images.append(parametrization.images().astype("float32"))
        values.append(ascent.scores(images[-1], some))
    return PreferredInputs(
        address=ascent.target.address,
        indices=indices,
        images=np.concatenate(images),
        values=np.concatenate(values),
        objective=objective,
        total=ascent.filters,
        kind=ascent.kind,
    )


def _check_filters(filters: Any, count: int, address: str) -> np.ndarray:
    if filters is None:
        return np.arange(count)
    try:
        indices = np.atleast_1d(
            np.arange(count)[filters] if isinstance(filters, slice) else filters
        )
    except ValueError:
        indices = np.empty((0, 0))
    is_whole = indices.ndim == 1 and indices.size and indices.dtype.kind in "iu"
    if not is_whole or indices.min() < -count or indices.max() >= count:
        raise ValueError(
            f"`filters` must be indices of the {count} filters of '{address}'. "
            f"Received: filters={filters!r}"
        )
    return np.asarray(indices % count)


def _check_limits(limits: Any) -> tuple[float, float] | None:
    if limits is None:
        return None
    pair = limits if isinstance(limits, (tuple, list, np.ndarray)) else ()
    if len(pair) != 2 or not all(map(is_finite_number, pair)) or not pair[0] < pair[1]:
        raise ValueError(
            "`limits` must be the smallest and the largest value of a pixel. "
            f"Received: limits={limits!r}"
        )
    return float(pair[0]), float(pair[1])


def _cut_patches(model: keras.Model, like: Any, patch: Sequence[int], seed: int) -> np.ndarray:
    """Return patches of images, from random places, `(n, *patch, channels)`."""
    try:
        (images,) = prepare_inputs(model, like).arrays
    except (TypeError, ValueError) as error:  # which are about the keyword of most functions
        words = str(error).replace("`inputs`", "`like`").replace("inputs=", "like=")
        raise type(error)(words) from error
    if not np.isfinite(images).all():
        raise ValueError("`like` must hold finite numbers. Received: images with NaN or infinity")
    sizes = images.shape[1:-1]
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(images))[:EXAMPLES] if len(images) > EXAMPLES else range(len(images))
    patches = []
    for row in rows:
        corner = [int(rng.integers(n - m + 1)) for n, m in zip(sizes, patch, strict=True)]
        patches.append(
            images[(row, *(slice(a, a + m) for a, m in zip(corner, patch, strict=True)))]
        )
    return np.stack(patches).astype("float64")


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where an image is in the input, and where the unit that is to like it.

    Args:
        sizes: How many cells the input has along each axis of space.
        image: Where the image is in it.
        position: The unit, or `None` for the mean of the map.
        is_part: Whether the input is a part of the model's own.
    """

    sizes: tuple[int, ...]
    image: tuple[slice, ...]
    position: tuple[int, ...] | None
    is_part: bool = False

    @property
    def patch(self) -> tuple[int, ...]:
        """How many cells the image has along each axis of space."""
        return tuple(cut.stop - cut.start for cut in self.image)


class _Ascent:
    """The way from an image to the scores of filters, and back by their gradients.

    Args:
        model: The model.
        target: The layer.
        channels: How many channels the input has.
        channel_axis: Their axis.
        place: Where the image is in the input.
        smallest: Where it is in a part of the input that is probably enough.
    """

    def __init__(
        self,
        model: keras.Model,
        target: NamedCall,
        *,
        channels: int,
        channel_axis: int,
        place: _Place,
        smallest: _Place | None = None,
    ) -> None:
        self.target = target
        self.channels = channels
        self.patch = place.patch
        self.kind = "unit" if place.position == () else "filter"
        self.filters = int(target.call.outputs[0].shape[target.call.channel_axis])
        self._model = model
        self._place = place
        self._smallest = smallest
        self._channel_axis = channel_axis
        self._jitter = 0 if place.position is not None else JITTER
        self._differentiator = _differentiator(
            model, target.call, place.position, of_any_size=place.is_part
        )

    def of_smallest_input(self, limits: tuple[float, float]) -> _Ascent:
        """Return the same for a part of the input, if a random image shows that that is enough.

        A layer may need a size of its own, as one that adds a position to each cell.

        Args:
            limits: The smallest and the largest value of a pixel.
        """
        if self._smallest is None:
            return self
        rng = np.random.default_rng(0)
        image = rng.uniform(*limits, (1, *self.patch, self.channels)).astype("float32")
        mixture = rng.normal(size=(1, self.filters)).astype("float32")
        whole = self._run(image, mixture)
        part = _Ascent(
            self._model,
            self.target,
            channels=self.channels,
            channel_axis=self._channel_axis,
            place=self._smallest,
        )
        try:
            results = part._run(image, mixture)
        # A layer, which may be a user's, raises any class of error where it does not take an input
        # of this size. Nothing is lost: the whole input, which ran above, is used.
        except Exception:
            return self
        is_same = all(
            np.allclose(a, b, rtol=0, atol=ROUNDING * np.abs(b).max())
            for a, b in zip(results, whole, strict=True)
        )
        return part if is_same else self

    def scores(self, images: np.ndarray, filters: np.ndarray) -> np.ndarray:
        """Return what each filter makes of its image, `(n,)`."""
        return self._run(images, self._one_each(filters))[0]

    def _one_each(self, filters: np.ndarray) -> np.ndarray:
        # Which filter an image is for is data, not part of the function: another filter traces
        # nothing.
        return np.asarray(np.eye(self.filters, dtype="float32")[filters])

    def _run(self, images: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return scores `(n,)` and their gradients with respect to the images.

        Args:
            images: `(n, *patch, channels)`.
            weights: What each filter counts for each image, `(n, filters)`.
        """
        # Around the field there is the mean, which no layer takes for an edge of the image.
        middle = float(images.mean())
        place = (slice(None), *self._place.image)
        inputs = np.full((len(images), *self._place.sizes, self.channels), middle, "float32")
        inputs[place] = images
        batch = {"inputs": np.moveaxis(inputs, -1, self._channel_axis), "weights": weights}
        with keeping_state(self._differentiator.find_layers()):
            result = self._differentiator(batch)
        scores, gradient = result.scores, np.asarray(result.of_inputs[0])
        if not np.isfinite(scores).all() or not np.isfinite(gradient).all():
            raise ValueError(
                f"The filters of '{self.target.address}' return NaN or infinite values, so that "
                "they prefer no input."
            )
        gradient = np.moveaxis(gradient, self._channel_axis, -1)
        return scores, gradient[place].astype("float64")

    def climb(
        self,
        parametrization: Parametrization,
        filters: np.ndarray,
        steps: int,
        report: Callable[[int], None] | None,
    ) -> None:
        """Improve images by Adam (Kingma and Ba 2014, arXiv 1412.6980), in place.

        Args:
            parametrization: The images.
            filters: The filter that each is for.
            steps: How many steps.
            report: Told how many images went one step further.
        """
        rng = np.random.default_rng(0)
        weights = self._one_each(filters)
        axes = tuple(range(1, len(self.patch) + 1))
        mean, power = np.zeros_like(parametrization.parameters), 0.0
        for step in range(1, steps + 1):
            images = parametrization.images()
            # Patterns of single pixels raise a unit without being seen by anyone; what has to
            # hold at every shift by a few pixels is coarser than these.
            shift = rng.integers(-self._jitter, self._jitter + 1, len(axes))
            _, gradient = self._run(np.roll(images, shift, axes).astype("float32"), weights)
            slope = parametrization.pull(np.roll(gradient, -shift, axes))
            mean = 0.9 * mean + 0.1 * slope
            power = 0.999 * power + 0.001 * np.abs(slope) ** 2
            # Of complex parameters the power is that of the magnitude: a step turns the phase as
            # it is.
            size = np.sqrt(power / (1 - 0.999**step)) + 1e-8
            parametrization.parameters += parametrization.rate * mean / (1 - 0.9**step) / size
            if report is not None:
                report(len(filters))


def _plan(model: keras.Model, layer: Any, objective: str) -> _Ascent:
    """Find the place of the image in the input, and the unit that is to like it."""
    check_model(model)
    specs = input_specs(model)
    if specs is None:
        raise ValueError(
            f"The model '{model.name}' has no inputs yet: build it with model.build(input_shape)."
        )
    selection = resolve(model, layer, known_calls(model, specs))
    if not selection.single or len(selection.targets[0].call.outputs) != 1:
        raise ValueError(f"`layer` must name one layer with one output. Received: layer={layer!r}")
    (target,) = selection.targets
    flat = keras.tree.flatten(specs)
    if len(flat) != 1 or not keras.backend.is_float_dtype(flat[0].dtype) or len(flat[0].shape) < 3:
        raise ValueError(
            "`model` must have one input of real numbers with axes of space. Received: "
            f"{', '.join(f'{x.dtype} {tuple(x.shape)}' for x in flat)}"
        )
    return _place_unit(model, target, flat[0], objective)


def _place_unit(
    model: keras.Model, target: NamedCall, spec: keras.KerasTensor, objective: str
) -> _Ascent:
    call = target.call
    is_first = getattr(call.layer, "data_format", None) == "channels_first"
    channel_axis = 1 if is_first else -1
    spec_sizes = space_of(spec, channel_axis)
    sizes = tuple(n or UNKNOWN for n in spec_sizes)
    space = space_of(call.outputs[0], call.channel_axis)
    place = tuple(slice(0, n) for n in sizes)
    position: tuple[int, ...] | None = None
    smallest: _Place | None = None
    if not space:
        position = ()
    elif objective == "unit":
        position = tuple((n or 1) // 2 for n in space)
        field: ReceptiveField = receptive_field(model, target.address, position=position)
        # Outside of an exact field no pixel counts, so that the image is the field; of an upper
        # bound, or where the input has no size of its own, it is the whole input.
        if field.exact and field.box is not None and None not in spec_sizes:
            place = tuple(slice(start, stop) for start, stop in field.box)
            smallest = _part_of_input(model, field, sizes)
    return _Ascent(
        model,
        target,
        channels=int(spec.shape[channel_axis] or 1),
        channel_axis=channel_axis,
        place=_Place(sizes=sizes, image=place, position=position),
        smallest=smallest,
    )


def _part_of_input(
    model: keras.Model, field: ReceptiveField, sizes: tuple[int, ...]
) -> _Place | None:
    """Return a part of the input that takes much less time, if there is one."""
    part = smallest_input(field, sizes) if is_graph(model) else None
    if part is None or 2 * math.prod(part.sizes) > math.prod(sizes):
        return None
    return _Place(sizes=part.sizes, image=part.place, position=part.position, is_part=True)


UNKNOWN = 96
"""The size of an input whose own is not known."""


class _UnitObserver(Observer):
    """Takes the activation off a layer, and ends the model's call with what it returns."""

    def __init__(self, path: CallPath, output: int) -> None:
        self._path = path
        self._output = output
        self.output_tensor: Any = None

    @override
    def looks_into(self, path: CallPath) -> bool:
        """Whether the layer is inside the call of this path."""
        return self._path[: len(path)] == path

    @override
    def begin(self, call: OpenCall, parents: Sequence[OpenCall]) -> None:
        """Let a twin without activation run in place of the layer."""
        if call.path == self._path and getattr(call.layer, "activation", None) is not None:
            call.layer = twin_of(call.layer, keras.activations.linear)

    @override
    def end(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> Any:
        """Keep what the layer returned, and end the model's call."""
        if call.path == self._path:
            self.output_tensor = keras.tree.flatten(outputs)[self._output]
            raise StopModel
        return outputs


_cache: weakref.WeakKeyDictionary[keras.Model, dict[Any, Differentiator]]
_cache = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def _differentiator(
    model: keras.Model, call: Call, position: tuple[int, ...] | None, *, of_any_size: bool
) -> Differentiator:
    """Return what differentiates the scores of filters, traced once for as long as a model lives.

    Args:
        model: The model.
        call: The call of the layer.
        position: The unit, or `None` for the mean of the map.
        of_any_size: Whether graphs run on inputs of other sizes than their own.
    """
    # The outputs tell a layer from another one that took its place.
    key = (call.path, call.output, position, of_any_size, tuple(map(id, call.outputs)))
    with _lock:
        cache = _cache.setdefault(model, {})
        if key not in cache:
            score = _score_function(model, call, position, of_any_size=of_any_size)
            cache[key] = Differentiator(score, model)
        return cache[key]


def _score_function(
    model: keras.Model, call: Call, position: tuple[int, ...] | None, *, of_any_size: bool
) -> Callable[[Any, Mark], Any]:
    """Return a function from inputs and weights of filters to scores."""
    find_model = weakref.ref(model)
    path, output, channel_axis = call.path, call.output or 0, call.channel_axis

    def score(batch: Any, _: Mark) -> Any:
        observer = _UnitObserver(path, output)
        call_observed(find_model(), batch["inputs"], [observer], of_any_size=of_any_size)
        maps = keras.ops.moveaxis(
            keras.ops.cast(observer.output_tensor, "float32"), channel_axis, -1
        )
        if position is None:
            values = keras.ops.mean(maps, axis=tuple(range(1, len(maps.shape) - 1)))
        else:
            values = maps[(slice(None), *position)]
        return keras.ops.sum(values * batch["weights"], axis=-1)

    return score
