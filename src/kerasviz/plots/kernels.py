"""`plot_kernels`: the filters of a layer as one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_choice, is_int
from kerasviz._selection import choose_tiles
from kerasviz.compute.kernel_patterns import (
    CHANNELS,
    Channel,
    align_signs,
    kernel_agreement,
    kernel_tiles,
    principal_patterns,
    resolve_channel,
)
from kerasviz.compute.kernels import kernel_steps, matrix_axes, read_kernel, resolve_kernels
from kerasviz.draw.charts.strips import MAX_STEMS
from kerasviz.draw.figure import check_panels
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.tiles.panel import Form, TileMatrix, TilePanel
from kerasviz.draw.tiles.picture import draw_panels
from kerasviz.draw.tiles.style import DEFAULTS, TileOptions, TileStyle, check_style

KernelKind = Literal["stems", "lines", "rows"]
CURVES = (2, 3)
"""How many input channels of a kernel of one dimension are drawn as curves in one strip."""
MAX_TABLE = 16
"""How many filters a table of stems has at most."""
COLORS_NDIM = 4


@shows_keywords(TileOptions, DEFAULTS)
def plot_kernels(
    model: keras.Model,
    layer: Any = None,
    *,
    channel: Channel = "auto",
    kind: KernelKind | None = None,
    **options: Unpack[TileOptions],
) -> Plot:
    """Draw every filter of a convolution, or the weights of another layer, as one picture.

    Args:
        model: The model that has the layer.
        layer: A layer address; several give one panel each. `None` is every convolution. Layers
            that have a matrix for a kernel, such as `Dense`, `Embedding` and `LSTM`, can be named
            too, as in `get_kernels`.
        channel: Which of the kernel's input channels to draw. "auto": the only one, three as
            colours, of more the principal pattern; of a 1×1 convolution all of them as a matrix,
            see Notes. An int: that channel. "mean": their mean. "principal": the pattern that
            explains most of each filter, see Notes. "rgb": three channels as colours. "all": a
            table with one row per input channel and one column per filter.
        kind: How kernels of one dimension are drawn, as of a `Conv1D`. "stems": a stem per weight,
            red above 0 and blue below. "lines": curves. "rows": rows of colours. `None`: stems of
            at most 24 steps, and lines of more. Two or three input channels are curves in one
            strip; `channel="all"` of more than 16 filters is always rows.
        **options: The keywords of every plot of tiles, see `TileOptions`; `sort` goes by the whole
            filter, whichever channel is drawn.

    Returns:
        A `Plot` with one panel per layer.

    Raises:
        TypeError: `model` is not a Keras model, `layer` is not an address, or a keyword is of the
            wrong type.
        ValueError: No layer has that address, it has no kernel, or a keyword cannot be used.

    Notes:
        The principal pattern of a filter is its first left singular vector over positions and
        input channels, times the first singular value: what the filter does to the mix of channels
        (of unit length) to which it responds most. Its sign is chosen so that the channel loadings
        have a non-negative sum. The title says how much of the filters' energy it explains on
        average.

        A filter of a 1×1 convolution is a list of weights, one per input channel, and has no
        pattern over positions. Its layer is drawn as a matrix, with one row per input channel and
        one column per filter. So is the kernel of a layer that is not a convolution: `Dense` and
        the recurrent layers with one row per input, `Embedding` with one row per token. A matrix
        that is more than four times as long as wide is drawn with cells that are not square.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> kerasviz.plot_kernels(model, "conv2d")
        Plot(conv2d: 32 kernels, 3×3)
    """
    style = check_style("channel", "kind", **options)
    check_channel(channel)
    check_kernel_kind(kind)
    targets, _ = resolve_kernels(model, layer)
    check_panels(len(targets), style.place.ax)
    check_some_sequences([target.call.layer for target in targets], kind)
    panels = [
        kernel_panel(
            read_kernel(call.layer, address),
            address,
            channel,
            style,
            axes=matrix_axes(call.layer),
            form=kernel_form(call.layer, kind),
        )
        for address, call in targets
    ]
    return draw_panels(panels, style)


def check_channel(channel: object) -> None:
    """Raise `ValueError` unless `channel` is one of its words or an int."""
    if not is_int(channel):
        check_choice("channel", channel, CHANNELS, "an int")


def check_kernel_kind(kind: object) -> None:
    """Raise `ValueError` unless `kind` is one of its words or `None`."""
    if kind is not None:
        check_choice("kind", kind, get_args(KernelKind), "None")


def check_some_sequences(layers: Sequence[Any], kind: KernelKind | None) -> None:
    """Refuse a `kind` where no layer has a kernel of one dimension."""
    if kind in ("stems", "lines") and not any(map(kernel_steps, layers)):
        raise ValueError(
            f"`kind` can be {kind!r} for kernels of one dimension, such as those of a Conv1D. "
            f"Received: kind={kind!r}, for {', '.join(repr(layer.name) for layer in layers[:8])}"
        )


def kernel_form(layer: Any, kind: KernelKind | None) -> Form:
    """Return how the kernel of a layer is drawn."""
    steps = kernel_steps(layer)
    if steps < 2 or kind == "rows":  # a single step has no course
        return "tiles"
    return kind or ("stems" if steps <= MAX_STEMS else "lines")


def kernel_panel(
    kernel: np.ndarray,
    address: str,
    channel: Channel,
    style: TileStyle,
    *,
    axes: tuple[str, str] = ("input channel", "filter"),
    reference: np.ndarray | None = None,
    form: Form = "tiles",
) -> TilePanel:
    """Choose, order and reduce the filters of a kernel.

    Args:
        kernel: Array `(height, width, in_channels, filters)`, or with the depth before it; or a
            matrix, which is drawn as the kernel of a 1×1 convolution is.
        address: The layer's address.
        channel: The caller's `channel`.
        style: The caller's keywords.
        axes: What a row and a column are, where the kernel is drawn as a matrix.
        reference: A kernel of the same shape, with which the signs of principal patterns agree.
        form: How a kernel of one dimension is drawn; see `kernel_form`.
    """
    *window, in_channels, filters = kernel.shape
    resolved = resolve_channel(channel, in_channels, address, is_point=math.prod(window) == 1)
    if channel == "all" and style.layout.columns is not None:
        raise ValueError(
            "`columns` cannot be given with channel='all', where each filter has a column. "
            f"Received: columns={style.layout.columns}"
        )
    kind = "kernels" if window else f"{axes[1]}s"
    is_matrix = _is_matrix(kernel, resolved)
    chosen = choose_tiles(
        np.moveaxis(kernel, -1, 0),
        style.choice,
        kind,
        name=f"{axes[1]}s",
        of=repr(address),
        is_limited=not is_matrix,
    )
    if form != "tiles" and channel == "auto" and in_channels in CURVES:
        reduced = _curves(kernel, chosen.indices)
    elif is_matrix:
        reduced = _matrix(kernel.reshape(in_channels, filters), resolved, chosen.indices, axes)
    else:
        reduced = _patterns(kernel, resolved, chosen.indices, reference)
    size = "×".join(map(str, window if in_channels == 1 else (*window, in_channels)))
    return TilePanel(
        values=reduced.tiles,
        indices=chosen.indices,
        total=filters,
        address=address,
        kind=kind,
        size=size if window else f"{in_channels} {axes[0]}s",
        notes=(*filter(None, [reduced.note]), *chosen.notes),
        is_numbered=bool(chosen.note),
        table=reduced.table,
        slices=reduced.slices,
        form=form if reduced.may_be_charts else "tiles",
        words=chosen.words,
        signed=True,
        absent_rule="zero",
    )


def _is_matrix(kernel: np.ndarray, channel: Channel) -> bool:
    """Whether a kernel is drawn as a matrix: of one position, with its channels as they are."""
    return math.prod(kernel.shape[:-2]) == 1 and (channel == "all" or not isinstance(channel, str))


class _Tiles(NamedTuple):
    tiles: np.ndarray
    note: str
    table: TileMatrix | None
    slices: int = 1

    @property
    def may_be_charts(self) -> bool:
        """Whether stems or curves can show them: of numbers, and of few filters in a table."""
        is_large = self.table is not None and len(self.table.columns) > MAX_TABLE
        return self.tiles.ndim != COLORS_NDIM and not is_large


def _matrix(
    weights: np.ndarray, channel: Channel, indices: np.ndarray, axes: tuple[str, str]
) -> _Tiles:
    """Return weights `(in_channels, filters)` as they are: each filter is a column."""
    rows, note = np.arange(len(weights)), ""
    if not isinstance(channel, str):
        note = f"{axes[0]} {rows[channel]} of {len(rows)}" if len(rows) > 1 else ""
        rows = rows[[channel]]
    tiles = weights[np.ix_(rows, indices)].T[..., np.newaxis]
    table = TileMatrix(
        rows=rows,
        columns=indices,
        row_kind=axes[0],
        column_kind=axes[1],
        cell_kind=f"{axes[1]}s",
        is_matrix=True,
    )
    return _Tiles(tiles, note, table)


def _curves(kernel: np.ndarray, indices: np.ndarray) -> _Tiles:
    """Return a kernel `(1, steps, in_channels, filters)` as one curve per channel and filter."""
    steps = kernel.shape[1]
    curves = np.transpose(kernel[0][..., indices], (2, 1, 0)).reshape(-1, 1, steps)
    return _Tiles(curves, "one curve per input channel", None, kernel.shape[2])


def _patterns(
    kernel: np.ndarray, channel: Channel, indices: np.ndarray, reference: np.ndarray | None
) -> _Tiles:
    """Return each filter as a pattern over positions, or, with "all", one per input channel."""
    *window, in_channels, filters = kernel.shape
    height, width = ([1, 1, *window])[-2:]
    # The slices of a volume are below one another while its channels are reduced.
    flat_shape = (-1, width, in_channels, filters)
    flat = kernel.reshape(flat_shape)[..., indices]
    tiles, note = kernel_tiles(flat, channel)
    if channel == "principal" and reference is not None:
        compared = reference.reshape(flat_shape)[..., indices]
        patterns, _ = principal_patterns(compared)
        tiles = align_signs(tiles, patterns, kernel_agreement(flat, compared))
    table = None
    if channel == "all":
        table = TileMatrix(
            rows=np.arange(in_channels),
            columns=indices,
            row_kind="input channel",
            column_kind="filter",
        )
    tiles = tiles.reshape(-1, height, width, *tiles.shape[3:])
    return _Tiles(tiles, note, table, math.prod(window[:-2]))
