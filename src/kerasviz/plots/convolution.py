"""Draw how a layer computes its output: `plot_convolution` and `animate_convolution`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from numbers import Real
from typing import Any, cast

import keras
import numpy as np
from matplotlib.colors import Colormap
from matplotlib.figure import Figure, SubFigure
from typing_extensions import Unpack

from kerasviz._checks import check_type, is_finite_number
from kerasviz._selection import Tiles
from kerasviz.compute.convolution.query import ConvolutionQuery, parse_query
from kerasviz.compute.convolution.schedule import (
    Position,
    StepSchedule,
    schedule_all,
    schedule_positions,
)
from kerasviz.draw.convolution.animation import ConvolutionAnimation
from kerasviz.draw.convolution.picture import ConvolutionPicture, natural_size
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
from kerasviz.plots._convolution.shown_channels import choose_channels
from kerasviz.plots._convolution.step_content import describe_steps
from kerasviz.plots._convolution.view import describe_view, warn_of_values


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def plot_convolution(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    position: Position | int | tuple[int],
    filter: int = 0,
    sample: int = 0,
    channel: Tiles | None = None,
    cmap: str | Colormap | None = None,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw how a convolution or a pooling makes one value of its output.

    From left to right: the layer's input with its padding and the window on it, the values under
    the window, the kernel, their products, and the output map with the value that comes of them.
    Below is the sum, with bias and activation. Hatched cells are not values of the input. The
    channels of a colour image are red, green and blue. A sequence is a strip of cells, and where it
    is too long for numbers a curve runs over them.

    Args:
        model: A Keras model.
        layer: A layer address that names one Conv2D, DepthwiseConv2D, Conv2DTranspose,
            MaxPooling2D or AveragePooling2D, or the same with 1D.
        inputs: What the model takes, as for `plot_feature_maps`.
        position: Row and column of the value in the output map, of a sequence its step alone,
            such as `position=20`; negative numbers count from the end.
        filter: Which channel of the output.
        sample: Which sample of the batch, by index. Only this one is computed; the title says which
            of how many.
        channel: Which of the input channels to draw, one row per channel; the others are one number
            in the sum. `None`: all of three or fewer, of more the three that contribute most.
        cmap: The colormap of input and output map; `None`: by the data.
        **options: `title`, `figsize` and `figure`, as for every plot.

    Returns:
        A `Plot` whose axes and images are, for each input channel that is drawn, the padded
        input, the values under the window, the kernel and the products (of a pooling the first
        two), and last the output map. Cells that are not values of the input are masked. An array
        of a sequence has one row.

    Raises:
        TypeError: `model` is not a Keras model, `layer` is not an address, or a keyword has the
            wrong type.
        ValueError: The layer is of another class or computes something else than its class does,
            several are named, its values are complex, it returns rows that are not samples,
            `inputs` does not fit the model, an index is out of range, or the figure is too small,
            and the message says the least size.

    Notes:
        A transposed convolution is drawn as what it gathers for one value: its input is spread by
        the stride, with zeros between the values, and its kernel is turned by 180°, that of a
        sequence reversed.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> kerasviz.plot_convolution(model, "conv2d", images[9], position=(11, 15), filter=5)
        Plot(5 panels)
    """
    own = ("position", "filter", "sample", "channel", "cmap")
    place = _check_options(cmap, *own, **options)
    query = parse_query(model, layer, inputs, filter_index=filter, sample=sample, channel=channel)
    query.check_position(position, query.output_shape)
    trace = query.trace()
    # The position again, since without a known input size only the trace knows the output's.
    row, column = query.check_position(position, trace.output.shape)
    choice = choose_channels(trace, channel, trace.sums[row, column])
    (step_view,) = describe_steps(trace, [(row, column)], choice)
    place_words = f"step {column}" if trace.is_sequence else f"row {row}, column {column}"
    text = f"{query.target.address}: {place_words} of the output"
    heading = _write_heading(place.title, text, query.sample_note, choice.note)
    view = describe_view(trace, choice, [step_view], heading=heading, cmap=cmap)
    view = replace(view, address=query.target.address)
    warn_of_values(view)
    size = natural_size(view) if place.grows else (1.0, 1.0)
    with figure_for(place, size, layout="none") as figure:
        picture = ConvolutionPicture(cast(Figure | SubFigure, figure), view)
        picture.show(step_view, np.ones(trace.output.shape, bool))
    return replace(picture.plot, owns_figure=place.is_new)


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def animate_convolution(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    filter: int = 0,
    sample: int = 0,
    channel: Tiles | None = None,
    positions: Iterable[Position | int | tuple[int]] | None = None,
    interval: float = 200,
    cmap: str | Colormap | None = None,
    **options: Unpack[FigureOptions],
) -> ConvolutionAnimation:
    """Show a window on its way over an image or a sequence, and the output map that it fills.

    In a notebook the animation is a player with the numbers of each step: the space bar starts and
    stops it, and arrow keys move it by a step. `animation.save("steps.gif")` writes a GIF,
    `animation.save("steps.mp4")` a video where ffmpeg is installed; `verbose=1` prints a progress
    bar. The model runs once.

    Args:
        model: A Keras model.
        layer: A layer address that names one layer, as for `plot_convolution`.
        inputs: What the model takes.
        filter: Which channel of the output.
        sample: Which sample of the batch.
        channel: Which of the input channels to draw, one row per channel. `None`: all of three
            or fewer, of more the three that contribute most over all steps.
        positions: Row and column of each value in the output map, of a sequence the steps alone.
            `None`: all in reading order; of more than 200 every second, third or so, which the
            title says, and the last.
        interval: How long a step is shown, in milliseconds.
        cmap: The colormap of input and output map; `None`: by the data.
        **options: `title`, `figsize` and `figure`, as for every plot. Without `figure` the
            animation has one that pyplot does not know, so that it is not shown a second time as a
            still. To see it in a window, give `figure=plt.figure(figsize=(10, 4))` and keep the
            animation in a variable.

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
    query = parse_query(model, layer, inputs, filter_index=filter, sample=sample, channel=channel)
    if positions is not None:
        items = "ints" if query.is_sequence else "rows and columns"
        check_type("positions", positions, (Iterable,), f"a list of {items}")
        positions = list(positions)
        query.check_positions(positions, query.output_shape)
    trace = query.trace()
    schedule = _make_schedule(query, positions, trace.output.shape)
    choice = choose_channels(trace, channel, np.abs(trace.sums).mean(axis=(0, 1)))
    steps = describe_steps(trace, schedule.positions, choice)
    text = f"{query.target.address}: step by step"
    heading = _write_heading(place.title, text, query.sample_note, schedule.note, choice.note)
    view = describe_view(trace, choice, steps, heading=heading, cmap=cmap)
    view = replace(view, address=query.target.address)
    warn_of_values(view)
    figure = place.figure
    if figure is None:
        figure = Figure(figsize=place.figsize or natural_size(view))
    return ConvolutionAnimation(
        ConvolutionPicture(figure, view),
        steps,
        frame_indices=schedule.frame_indices,
        interval=float(interval),
        make_bar=partial(keras.utils.Progbar, unit_name="frame"),
        is_seen=place.figure is not None,
    )


def _check_interval(interval: object) -> None:
    if isinstance(interval, bool) or not isinstance(interval, Real):
        raise TypeError(f"`interval` must be a number. Received: interval={interval!r}")
    if not is_finite_number(interval) or float(interval) <= 0:
        raise ValueError(
            f"`interval` must be a finite number above 0. Received: interval={interval!r}"
        )


def _make_schedule(
    query: ConvolutionQuery, positions: Sequence[Any] | None, shape: tuple[int, ...]
) -> StepSchedule:
    rows, columns = shape
    if positions is None:
        return schedule_all((rows, columns))
    return schedule_positions(query.check_positions(positions, shape), (rows, columns))


def _write_heading(title: str | bool | None, text: str, *notes: str) -> str:
    """Return the title of the picture: the caller's, or a text with all notes in a second line."""
    if isinstance(title, str):
        return title
    note = ", ".join(filter(None, notes))
    return escape("\n".join(filter(None, [text, note]))) if title else ""


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
