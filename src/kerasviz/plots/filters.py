"""`plot_filters`: what each filter of a layer responds to in a data set, one card per filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_choice, check_count, check_seed, check_type, check_verbose
from kerasviz._wording import write_limit, write_size
from kerasviz.compute.filters.preferred_inputs import get_preferred_inputs
from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.compute.kernel_statistics import write_share
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_placement
from kerasviz.draw.filters.content import CardTable, CellKind, Example, FilterCard, Pattern
from kerasviz.draw.filters.layout import PLACES
from kerasviz.draw.filters.picture import draw_filter_cards
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.text import SPACE
from kerasviz.plots._attributions.keywords import refuse_ax
from kerasviz.plots._filters.input_patches import InputColors, field_size, seen_part, write_value
from kerasviz.plots._filters.kernel_patterns import kernel_patterns
from kerasviz.plots._filters.statistics import (
    SORTS,
    check_filters,
    choose_filters,
    class_words,
    noun_of,
    odd_words,
    statistics_of,
)
from kerasviz.plots._maps.kinds import check_class_names

FilterSort = Literal["selectivity", "maximum", "mean", "rate", "odd"]
OWN_KEYWORDS = (
    "filters",
    "labels",
    "class_names",
    "sort",
    "images",
    "preferred",
    "steps",
    "seed",
    "batch_size",
    "verbose",
)


@shows_keywords(FigureOptions, FIGURE_DEFAULTS, without=("ax",))
def plot_filters(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    filters: int | slice | Sequence[int] | Literal["all"] = 8,
    labels: Any = None,
    class_names: Sequence[str] | None = None,
    sort: FilterSort | None = "selectivity",
    images: int = 9,
    preferred: bool = True,
    steps: int = 128,
    seed: int = 0,
    batch_size: int = 32,
    verbose: int = 0,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw what filters of a layer respond to in a data set, one card per filter.

    A card is a row: the kernel; the input that drives one unit most, which is synthetic; the images
    with the strongest responses, each with the part framed that the unit sees; the mean response to
    each class; and at the left what is odd about the filter. The title counts the filters that are
    dead, rare or duplicates.

    Args:
        model: A Keras model.
        layer: The address of one layer.
        inputs: What `filter_statistics` takes: arrays, or batches of any number of images; or the
            statistics that it returned, or that were loaded from a file.
        filters: How many are drawn, or which: a list of indices in this order, a slice, or "all".
        labels: The class of each image, as in `filter_statistics`. Statistics, and batches
            `(x, y)`, have their own.
        class_names: The name of each class, where labels are integers.
        sort: Which come first. "selectivity": those that respond to one class most of all, and rare
            ones last; without labels it is "maximum". "maximum": the largest response. "mean": the
            largest mean. "rate": those that fire in most images. "odd": the dead, the rare, the
            duplicates. `None`: by index. A list of `filters` has its own order.
        images: How many images a card has.
        preferred: Whether to make the input that drives a unit most, see `get_preferred_inputs`.
        steps: How many steps this takes.
        seed: As there.
        batch_size: How many images run at a time.
        verbose: 0 or 1; 1 shows a progress bar.
        **options: `title`, `figsize` and `figure`, as for every plot.

    Returns:
        A `Plot`. Each panel has the filter's index in `indices`, and as `values` the kernel
        `(*window, input channels)`, the preferred input, the strongest images `(images, ...)`, or
        the class means `(classes,)`.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument has a value that cannot be used or does not fit the model; the
            statistics are of another layer or model; or the figure is too small.

    Notes:
        All cards have one scale for kernels, for images and for bars. A kernel of several input
        channels is drawn as its principal pattern, as in `plot_kernels`. The preferred input is
        found by gradient ascent on one unit before its activation; it shows what drives the unit,
        and not what a class looks like. Of a volume one slice is drawn, through the middle of what
        the unit sees; of a signal the window that it sees. A figure of your own size that has no
        room for all cards has the first ones, and its title says how many.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> kerasviz.plot_filters(model, "conv2d_1", images, labels=labels, filters=2, steps=8)
        Plot(8 panels)
    """
    refuse_ax(options)
    place = check_placement(*OWN_KEYWORDS, **options)
    check_filters(filters)
    if sort is not None:
        check_choice("sort", sort, SORTS, "None")
    check_type("preferred", preferred, (bool, np.bool_), "True or False")
    check_count("steps", steps)
    check_seed(seed)
    check_verbose(verbose)
    names = check_class_names(class_names)
    statistics = statistics_of(
        model,
        layer,
        inputs,
        labels=labels,
        images=images,
        batch_size=batch_size,
        verbose=verbose,
    )
    indices, words = choose_filters(statistics, filters, sort)
    source = _CardSource(statistics, indices, class_words(statistics, names))
    kernels = kernel_patterns(model, statistics.address, indices, len(statistics.mean))
    made = source.preferred(model, steps, seed) if preferred else None
    table = source.table(kernels, made, words)
    return draw_filter_cards(table, place)


class _CardSource:
    """Makes the cards of filters from their statistics.

    Args:
        statistics: The statistics.
        indices: The filters.
        class_names: The name of each class of the statistics.
    """

    def __init__(
        self, statistics: FilterStatistics, indices: np.ndarray, class_names: Sequence[str]
    ) -> None:
        self._statistics = statistics
        self._indices = indices
        self._class_names = class_names
        self._names = dict(zip(statistics.classes, class_names, strict=True))
        self._remarks = statistics.remarks
        self._dead = set(statistics.dead.tolist())
        self._notes: list[str] = []
        self._noun = noun_of(statistics)
        self._colors: InputColors | None = None
        if statistics.has_images:
            named = np.unique(statistics.indices[indices])
            self._colors = InputColors.of([statistics.image(int(index)) for index in named])
            self._window = field_size(statistics)[0]

    def preferred(self, model: keras.Model, steps: int, seed: int) -> list[Pattern] | None:
        """Return the inputs that drive one unit of each filter most, where these can be made."""
        colors = self._colors
        try:
            made = get_preferred_inputs(
                model,
                self._statistics.address,
                filters=self._indices,
                limits=None if colors is None else colors.range,
                steps=steps,
                seed=seed,
            )
        except ValueError as error:
            reason = str(error).partition(" Received:")[0].rstrip(".")
            self._notes.append(f"No preferred inputs: {reason}")
            return None
        colors = colors or InputColors.of(list(made.images))
        return [
            Pattern(
                values=image,
                view=colors.middle_slice(image),
                kind="curves" if colors.is_flat else "picture",
                caption=write_value(float(value)),
            )
            for image, value in zip(made.images, made.values, strict=True)
        ]

    def table(
        self, kernels: list[Pattern] | None, made: list[Pattern] | None, words: str
    ) -> CardTable:
        """Return all cards."""
        cards = [
            self._card(int(index), kernels[row] if kernels else None, made[row] if made else None)
            for row, index in enumerate(self._indices)
        ]
        title = (
            f"{self._statistics.address}: {words}, over {self._statistics.samples:,} images. "
            f"Of all: {odd_words(self._statistics)}."
        )
        headings = self._headings(kernels, made)
        if not headings:
            raise ValueError(
                f"There is nothing of '{self._statistics.address}' that can be drawn: it has no "
                "kernel, its inputs are not images, and there are no labels."
            )
        return CardTable(
            address=self._statistics.address,
            cards=cards,
            headings=headings,
            title=" ".join([title, *(f"{note}." for note in self._notes)]),
            class_names=self._class_names,
            is_flat=self._colors is not None and self._colors.is_flat,
            noun=self._noun,
            limits=(0.0, 1.0) if self._colors is None else self._colors.range,
        )

    def _headings(
        self, kernels: list[Pattern] | None, made: list[Pattern] | None
    ) -> dict[CellKind, str]:
        statistics = self._statistics
        headings: dict[CellKind, str] = {}
        if kernels is not None:
            headings["kernel"] = "kernel" + _reach(kernels)
        if made is not None:
            headings["preferred"] = "preferred input (synthetic)"
        if self._colors is not None:
            headings["examples"] = self._examples_heading(self._colors)
        else:
            self._notes.append("The statistics hold no images")
        if len(statistics.classes) > 1:
            headings["classes"] = "mean of each image's strongest response"
        return headings

    def _examples_heading(self, colors: InputColors) -> str:
        statistics = self._statistics
        total = f"{statistics.samples:,}"
        if colors.is_flat:
            steps = f"({self._window} steps)"
            return f"the windows {steps} with the {PLACES} strongest responses in {total} signals"
        shapes = {
            statistics.image(int(n)).shape[:-1] for n in statistics.indices[self._indices].flat
        }
        field = field_size(statistics)
        sees = f"framed: what the {self._noun} sees ({write_size(*field)})"
        if shapes == {field}:
            sees = f"the {self._noun} sees all of each"
        return f"the {PLACES} strongest of {total} images; {sees}"

    def _card(self, index: int, kernel: Pattern | None, made: Pattern | None) -> FilterCard:
        statistics = self._statistics
        examples, images = self._examples(index)
        has_classes = len(statistics.classes) > 1
        return FilterCard(
            index=index,
            notes=self._facts(index),
            remark=self._remarks[index],
            kernel=kernel,
            preferred=made,
            examples=examples,
            class_means=statistics.class_means[:, index] if has_classes else None,
            images=images,
            words=self._words(index, len(examples)),
        )

    def _facts(self, index: int) -> list[str]:
        """Return what is said of every filter."""
        statistics = self._statistics
        facts = []
        if np.isfinite(statistics.selectivity[index]):
            facts.append(f"selectivity {statistics.selectivity[index]:.2f}")
        if index in self._dead:
            return [*facts, f"{write_value(float(statistics.maximum[index]))} everywhere"]
        facts.append(f"fires in {write_share(statistics.image_rate[index])} of images")
        others = np.nan_to_num(np.delete(statistics.correlation[index], index), nan=-1)
        if len(others):
            nearest = int(others.argmax())
            twin = nearest + (nearest >= index)
            if f"like filter {twin}" in self._remarks[index].split(", "):
                return facts  # in red already
            facts.append(f"like {self._noun} {twin} (r{SPACE}{others.max():.2f})")
        return facts

    def _examples(self, index: int) -> tuple[list[Example], np.ndarray | None]:
        """Return the strongest places of a filter, and their images."""
        statistics, colors = self._statistics, self._colors
        if colors is None or index in self._dead:
            return [], None
        examples, images = [], []
        for place, number in enumerate(statistics.indices[index].tolist()):
            if statistics.values[index, place] <= statistics.minimum[index]:
                break  # no response: one of many images that are alike to the filter
            image = statistics.image(number)
            part = seen_part(image, statistics.boxes[index, place], self._window, colors)
            lines = [write_value(float(statistics.values[index, place]))]
            label = statistics.labels[index][place]
            lines += [part.note] if part.note else []
            lines += [] if label is None else [self._names[label]]
            examples.append(Example(view=part.view, box=part.box, lines=lines))
            images.append(part.view if colors.is_flat else image)
        is_one_shape = len({image.shape for image in images}) == 1
        return examples, np.stack(images) if is_one_shape else None

    def _words(self, index: int, count: int) -> str:
        """Return the strongest images in words."""
        statistics = self._statistics
        pairs = zip(statistics.indices[index], statistics.values[index], strict=True)
        facts = [f"image {number}: {write_value(float(value))}" for number, value in pairs]
        return f"{count} strongest of {statistics.samples:,} images ({', '.join(facts[:count])})"


def _reach(kernels: Sequence[Pattern]) -> str:
    """Return the largest weight that is drawn, at which colours end."""
    reach = max(float(np.abs(kernel.view).max()) for kernel in kernels)
    return "" if kernels[0].kind == "colors" else f", to ±{write_limit(reach)}"
