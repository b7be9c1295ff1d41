"""`compare_kernels`: the kernels of one layer in several models, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz._selection import TileChoice
from kerasviz.compute.kernel_patterns import Channel
from kerasviz.compute.kernel_statistics import (
    NEAR_ZERO,
    LayerStatistics,
    check_near_zero,
    describe_kernel,
    write_number,
    write_share,
)
from kerasviz.compute.kernels import matrix_axes, read_kernel
from kerasviz.compute.layer_matching import check_models, join_addresses, match_layers
from kerasviz.draw.figure import check_panels
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.text import SPACE, fix_minus
from kerasviz.draw.tiles.comparison import Compared, draw_comparison
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.style import DEFAULTS, TileOptions, check_style
from kerasviz.model.addresses import NamedCall
from kerasviz.plots.kernels import (
    KernelKind,
    check_channel,
    check_kernel_kind,
    check_some_sequences,
    kernel_form,
    kernel_panel,
)

MAX_ADDRESSES = 8
"""How many of the layers that `layer` names an error lists."""


@shows_keywords(TileOptions, DEFAULTS)
def compare_kernels(
    models: Mapping[str, keras.Model],
    layer: Any = None,
    *,
    channel: Channel = "auto",
    kind: KernelKind | None = None,
    near_zero: float = NEAR_ZERO,
    **options: Unpack[TileOptions],
) -> Plot:
    """Draw the filters of one layer in several models side by side, all on one colour scale.

    Below each model's panel are the statistics of the weights of the whole kernel. The difference
    of two models, the second minus the first, is a panel of its own, on its own scale.

    Args:
        models: Names and models: `{"untrained": a, "trained": b}`.
        layer: A layer address that names one layer in each of the models, with kernels of one
            shape; `None` where each has one convolution.
        channel: Which of the kernel's input channels to draw, as for `plot_kernels`.
        kind: How kernels of one dimension are drawn, as for `plot_kernels`.
        near_zero: A weight counts as near zero if its magnitude is at most this fraction of the
            layer's largest, as for `kernel_statistics`.
        **options: The keywords of every plot of tiles, see `TileOptions`. `sort` and `top` go by
            the last model, and every panel has the same filters in the same order; `cmap`, `norm`,
            `vmin` and `vmax` apply to the models, and not to the difference. `title` is the line
            above all panels.

    Returns:
        A `Plot` with one panel per model, in their order, and one of the difference of two.
        Models beside one another share a colour bar.

    Raises:
        TypeError: `models` is not a dict of names and Keras models, `layer` is not an address, or a
            keyword is of the wrong type.
        ValueError: A model has no such layer or more than one, the kernels do not have the same
            shape, or a keyword cannot be used.

    Notes:
        A principal pattern has no sign of its own. Those of the second and of later models take the
        sign that agrees with the first model: two patterns are alike where the dot product of the
        two whole filters is positive, and opposite where it is negative.

        The difference is taken between the weights, and only then reduced to what can be drawn:
        with principal patterns it is the pattern of the difference, whose sign agrees with the
        first model too. The difference of two patterns would say nothing about the weights. A
        filter that is the same in both is counted as unchanged.

    Example:
        >>> import kerasviz
        >>> untrained = kerasviz.fashion_mnist.build_model()
        >>> trained = kerasviz.fashion_mnist.load_model()
        >>> kerasviz.compare_kernels({"untrained": untrained, "trained": trained}, "conv2d")
        Plot(3 panels)
    """
    models = check_models(models)
    _check_scale(options.get("scale", "figure"))
    options["scale"] = "figure"
    style = check_style("channel", "kind", "near_zero", **options)
    check_channel(channel)
    check_kernel_kind(kind)
    check_near_zero(near_zero)
    targets = _one_layer(models, layer)
    check_panels(len(models) + (len(models) == 2), style.place.ax, "panels")
    address = join_addresses(targets)
    kernels = [read_kernel(target.call.layer, target.address) for target in targets]
    _check_shapes(models, kernels, address)
    own = targets[0].call.layer
    check_some_sequences([own], kind)
    axes, form = matrix_axes(own), kernel_form(own, kind)
    last = kernel_panel(kernels[-1], address, channel, style, axes=axes, form=form)
    fixed = replace(style, choice=TileChoice(tiles=last.indices.tolist()))

    def draw(kernel: np.ndarray) -> TilePanel:
        """Choose the filters, and the signs of their patterns, by one of the models."""
        panel = kernel_panel(
            kernel, address, channel, fixed, axes=axes, reference=kernels[0], form=form
        )
        return replace(panel, words=last.words)

    compared = [
        Compared(draw(kernel), name, _caption(kernel, near_zero))
        for name, kernel in zip(models, kernels, strict=True)
    ]
    difference = None
    if len(models) == 2:
        difference = _difference(kernels, list(models), draw)
    return draw_comparison(compared, difference, style)


def _one_layer(models: Mapping[str, keras.Model], layer: Any) -> tuple[NamedCall, ...]:
    layers = match_layers(models, layer)
    if len(layers) > 1:
        raise ValueError(
            f"`layer` must name one layer. Received: layer={layer!r}, which names {len(layers)}: "
            f"{', '.join(join_addresses(targets) for targets in layers[:MAX_ADDRESSES])}"
            f"{', …' if len(layers) > MAX_ADDRESSES else ''}"
        )
    return layers[0]


def _check_shapes(models: Iterable[str], kernels: Sequence[np.ndarray], address: str) -> None:
    if len({kernel.shape for kernel in kernels}) > 1:
        shapes = ", ".join(
            f"{'×'.join(map(str, kernel.shape))} in {name!r}"
            for name, kernel in zip(models, kernels, strict=True)
        )
        raise ValueError(
            f"`models` must have kernels of one shape to be compared. Received: {address!r}, "
            f"which is {shapes}"
        )


def _check_scale(scale: object) -> None:
    if scale != "figure":
        raise ValueError(
            "`scale` can only be 'figure' in a comparison, whose models are all on one scale. "
            f"Received: scale={scale!r}"
        )


def _caption(kernel: np.ndarray, near_zero: float) -> str:
    row = describe_kernel(kernel, "", near_zero)
    return f"{_moments(row)}, {write_share(row.near_zero)}{SPACE}near{SPACE}zero"


def _moments(row: LayerStatistics) -> str:
    facts = {"mean": row.mean, "std": row.std, "norm": row.norm}
    return fix_minus(
        "weights: " + ", ".join(f"{name}{SPACE}{write_number(n)}" for name, n in facts.items())
    )


def _difference(
    kernels: Sequence[np.ndarray], names: Sequence[str], draw: Callable[[np.ndarray], TilePanel]
) -> Compared:
    """Subtract the first kernel from the second, before either is reduced to patterns."""
    first, second = kernels
    with np.errstate(invalid="ignore"):  # of two infinite weights
        kernel = second - first
    panel = draw(kernel)
    notes = [note.replace("principal pattern", "pattern of the difference") for note in panel.notes]
    unchanged = int((kernel == 0).reshape(-1, kernel.shape[-1])[:, panel.indices].all(axis=0).sum())
    if unchanged:
        notes = notes if unchanged < len(panel.indices) else []
        notes.append(f"{unchanged}{SPACE}unchanged")
    row, before = describe_kernel(kernel, ""), describe_kernel(first, "")
    caption = _moments(row)
    if before.norm > 0:
        caption += f" ({row.norm / before.norm:.0%}{SPACE}of{SPACE}{names[0]})"
    return Compared(
        replace(panel, notes=tuple(notes), absent_rule="none"),
        f"{names[1]} \N{MINUS SIGN} {names[0]}",
        caption,
    )
