"""`plot_convolution` and `animate_convolution`: how a layer makes its output, step by step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple, cast

import keras
import numpy as np
from matplotlib.colors import Colormap
from matplotlib.figure import Figure, SubFigure
from typing_extensions import Unpack

from kerasviz._checks import check_type
from kerasviz._selection import Tiles
from kerasviz.compute.convolution.query import Position, ask
from kerasviz.draw.convolution.animation import ConvolutionAnimation
from kerasviz.draw.convolution.layout import make_plan
from kerasviz.draw.convolution.picture import ConvolutionPicture
from kerasviz.draw.figure import (
    FIGURE_DEFAULTS,
    FigureOptions,
    Placement,
    check_placement,
    figure_for,
)
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.text import escape
from kerasviz.draw.tiles.style import check_style
from kerasviz.plots._convolution_view import (
    choose_channels,
    describe_moment,
    describe_scene,
    warn_of_values,
)

MOST_FRAMES = 200
"""An animation of all steps leaves out some where there are more."""


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def plot_convolution(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    position: Position,
    filter: int = 0,  # noqa: A002 - the field's word for it
    sample: int = 0,
    channel: Tiles | None = None,
    cmap: str | Colormap | None = None,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw how a convolution or a pooling makes one value of its output.

    From left to right: the layer's input with its padding and the window on it, the values under
    the window, the kernel, their products, and the output map with the value that comes of them.
    Below is the sum, with bias and activation. Hatched cells are not values of the input.

    Args:
        model: A Keras model.
        layer: A layer address that names one Conv2D, DepthwiseConv2D, Conv2DTranspose,
            MaxPooling2D or AveragePooling2D.
        inputs: What the model takes, as for `plot_feature_maps`.
        position: Row and column of the value in the output map; negative numbers count from the
            end.
        filter: Which channel of the output.
        sample: Which sample of the batch, by index. Only this one is computed; the title says which
            of how many.
        channel: Which of the input channels to draw, a row each; the others are one number in the
            sum. `None`: all of three or fewer, of more the three that contribute most.
        cmap: The colormap of input and output map; `None`: by the data.
        **options: `title` and `figure`, as for every plot.

    Returns:
        A `Plot` whose axes and images are, for each input channel that is drawn, the padded
        input, the values under the window, the kernel and the products (of a pooling the first
        two), and last the output map. Cells that are not values of the input are masked.

    Raises:
        TypeError: `model` is not a Keras model, `layer` is not an address, or a keyword has the
            wrong type.
        ValueError: The layer is of another class or computes something else than its class does,
            several are named, its values are complex, it returns rows that are not samples,
            `inputs` does not fit the model, or an index is out of range.

    Notes:
        A transposed convolution is drawn as what it gathers for one value: its input is spread by
        the stride, with zeros between the values, and its kernel is turned by 180°.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.plot_convolution(model, 0, np.ones((28, 28)), position=(5, 10))
        Plot(5 panels)
    """
    place = _check_options(cmap, "position", "filter", "sample", "channel", "cmap", **options)
    asked = ask(model, layer, inputs, filter, sample, channel)
    asked.check_position(position, asked.shape)
    walk = asked.walk()
    row, column = asked.check_position(position, walk.output.shape)
    step = walk.step(row, column)
    shown = choose_channels(walk, channel, step.sums)
    moment = describe_moment(walk, step, shown)
    heading = f"{asked.target.address}: row {row}, column {column} of the output"
    scene = describe_scene(
        walk, shown, [moment], _heading(place.title, heading, asked.which, shown.note), cmap
    )
    scene = replace(scene, address=asked.target.address)
    warn_of_values(scene)
    with figure_for(place, make_plan(scene).figure_size, layout="none") as figure:
        picture = ConvolutionPicture(cast(Figure | SubFigure, figure), scene)
        picture.show(moment, np.ones(walk.output.shape, bool))
    return replace(picture.plot, owns_figure=place.is_new)


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def animate_convolution(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    filter: int = 0,  # noqa: A002 - the field's word for it
    sample: int = 0,
    channel: Tiles | None = None,
    positions: Iterable[Position] | None = None,
    interval: float = 200,
    cmap: str | Colormap | None = None,
    **options: Unpack[FigureOptions],
) -> ConvolutionAnimation:
    """Show a window on its way over an image, and the output map that it fills.

    In a notebook the animation is a player. `animation.save("steps.gif")` writes a GIF,
    `animation.save("steps.mp4")` a video where ffmpeg is installed. The model runs once.

    Args:
        model: A Keras model.
        layer: A layer address that names one layer, as for `plot_convolution`.
        inputs: What the model takes.
        filter: Which channel of the output.
        sample: Which sample of the batch.
        channel: Which of the input channels to draw, a row each. `None`: all of three or fewer,
            of more the three that contribute most over all steps.
        positions: Row and column of each step in the output map. `None`: all in reading order; of
            more than 200 every second, third or so, which the title says, and the last.
        interval: How long a step is shown, in milliseconds.
        cmap: The colormap of input and output map; `None`: by the data.
        **options: `title` and `figure`, as for every plot. Without `figure` the animation has one
            that pyplot does not know, so that it is not shown a second time as a still. To see it
            in a window, give `figure=plt.figure(figsize=(10, 4))` and keep the animation in a
            variable.

    Returns:
        A `matplotlib.animation.FuncAnimation`. Its `plot` has the axes and images, as
        `plot_convolution` returns them; values that the output map does not have yet are masked.

    Raises:
        TypeError: `model` is not a Keras model, `layer` is not an address, or a keyword has the
            wrong type.
        ValueError: As for `plot_convolution`, or there are no positions.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
        >>> animation = kerasviz.animate_convolution(model, 0, np.ones((4, 4)))
        >>> animation.plot
        Plot(5 panels)
    """
    own = ("filter", "sample", "channel", "positions", "interval", "cmap")
    place = _check_options(cmap, *own, **options)
    _check_interval(interval)
    asked = ask(model, layer, inputs, filter, sample, channel)
    if positions is not None:
        check_type("positions", positions, (Iterable,), "a list of rows and columns")
        positions = asked.check_positions(list(positions), asked.shape)
    walk = asked.walk()
    shape = walk.output.shape
    if positions is None:
        way = _all_steps(shape)
    else:
        way = _some_steps(asked.check_positions(list(positions), shape), shape)
    shown = choose_channels(walk, channel, np.abs(walk.sums).mean(axis=(0, 1)))
    moments = [describe_moment(walk, walk.step(*position), shown) for position in way.positions]
    said = f"{asked.target.address}: step by step"
    heading = _heading(place.title, said, asked.which, way.note, shown.note)
    scene = describe_scene(walk, shown, moments, heading, cmap)
    scene = replace(scene, address=asked.target.address)
    warn_of_values(scene)
    figure = place.figure
    if figure is None:
        figure = Figure(figsize=make_plan(scene).figure_size)
    return ConvolutionAnimation(
        ConvolutionPicture(figure, scene),
        moments,
        way.written_at,
        interval=float(interval),
        is_seen=place.figure is not None,
    )


REAL = (int, float, np.integer, np.floating)


def _check_interval(interval: object) -> None:
    if isinstance(interval, bool) or not isinstance(interval, REAL):
        raise TypeError(f"`interval` must be a number. Received: interval={interval!r}")
    if not math.isfinite(interval):
        raise ValueError(f"`interval` must be a finite number. Received: interval={interval!r}")
    if interval <= 0:
        raise ValueError(f"`interval` must be above 0. Received: interval={interval!r}")


class _Way(NamedTuple):
    """Where a window goes, which frame writes each value of the output, and what to say of it."""

    positions: list[Position]
    written_at: np.ndarray
    note: str


def _all_steps(shape: tuple[int, ...]) -> _Way:
    """Go over all of an output in reading order; where it is large, in longer steps."""
    rows, columns = shape
    count = rows * columns
    every = -(-count // MOST_FRAMES)
    numbers = np.unique([*range(0, count, every), count - 1])
    written_at = np.searchsorted(numbers, np.arange(count)).reshape(rows, columns)
    note = f"1 in {every} of {count} steps, and the last" if every > 1 else ""
    return _Way([divmod(int(n), columns) for n in numbers], written_at, note)


def _some_steps(positions: list[Position], shape: tuple[int, ...]) -> _Way:
    """Go where the user says, and write nothing else."""
    written_at = np.full(shape, len(positions))
    for number, position in reversed(list(enumerate(positions))):
        written_at[position] = number
    count = len(set(positions))
    note = f"{count} of {written_at.size} steps" if count < written_at.size else ""
    return _Way(positions, written_at, note)


def _heading(title: str | bool | None, text: str, *notes: str) -> str:
    """Return the title of the picture."""
    if isinstance(title, str):
        return title
    said = [note for note in notes if note]
    return escape("\n".join([text, ", ".join(said)]).rstrip()) if title else ""


def _check_options(
    cmap: str | Colormap | None, *own: str, **options: Unpack[FigureOptions]
) -> Placement:
    place = check_placement(*own, **options)
    check_style(cmap=cmap)
    if place.ax is not None:
        raise ValueError(
            "This plot has several panels and cannot be drawn into one `ax`; pass `figure` "
            f"instead. Received: ax={place.ax!r}"
        )
    return place
