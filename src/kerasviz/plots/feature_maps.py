"""`plot_feature_maps`: what a layer makes of an image, or of several, as one picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args

import keras
import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import Unpack

from kerasviz._checks import check_choice, is_int
from kerasviz._selection import (
    Tiles,
    TileSelection,
    check_tile_names,
    choose_tiles,
    select_tiles,
)
from kerasviz.compute.feature_maps import Extraction, has_fixed_rows, plan_extraction
from kerasviz.draw.figure import check_panels
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.tiles.background import Opacity, Picture
from kerasviz.draw.tiles.panel import Form, TilePanel
from kerasviz.draw.tiles.picture import draw_panels
from kerasviz.draw.tiles.style import DEFAULTS, TileOptions, TileStyle, check_style
from kerasviz.model.addresses import NamedCall, Selection
from kerasviz.model.channel_axes import channel_axis
from kerasviz.plots._maps.background import Background, Interpolation, check_background
from kerasviz.plots._maps.image_outputs import check_label_colors, is_picture, picture_panel
from kerasviz.plots._maps.input_signals import find_signals, may_be_signal
from kerasviz.plots._maps.kinds import (
    Kind,
    are_shares,
    check_class_names,
    choose_bars,
    choose_form,
)
from kerasviz.plots._maps.receptive_field_frame import (
    check_position,
    find_field,
    frame_panel,
    frame_picture,
)
from kerasviz.plots._maps.samples import (
    Samples,
    ShownSamples,
    check_sample,
    choose_samples,
    not_samples,
    rows_of_sample,
    take_samples,
)

PICTURES = ("image", "labels")
"""Kinds of outputs that are pictures."""
STRIP = 32
"""Values of a vector in a row."""


@shows_keywords(TileOptions, DEFAULTS)
def plot_feature_maps(
    model: keras.Model,
    layer: Any = None,
    inputs: Any = None,
    *,
    sample: Samples = 0,
    sample_names: Sequence[str] | None = None,
    overlay: bool | ArrayLike = False,
    picture: str | int | ArrayLike | None = None,
    alpha: Opacity = "strength",
    interpolation: Interpolation = "nearest",
    slices: Tiles | None = None,
    patch_grid: tuple[int, int] | None = None,
    kind: Kind | None = None,
    class_names: Sequence[str] | None = None,
    position: tuple[int, int] | None = None,
    **options: Unpack[TileOptions],
) -> Plot:
    """Draw every feature map of a layer, for one sample or for several, as one picture.

    Args:
        model: A Keras model.
        layer: A layer address; several, or `None` for every convolution, give one panel each, from
            one forward pass.
        inputs: What the model takes: a batch, or one sample without the batch axis, or either
            without the channel axis where there is one channel; a list or dict of these for
            several inputs. The values are passed on as they are. Of a data set (a `PyDataset`, a
            `tf.data.Dataset`, a PyTorch `DataLoader`) the first batch is used. The path of an
            image file, or a list of paths, is read in the colours and at the size that the model
            takes, which may squash the image, as floats from 0 to 255; a model that was trained
            on other values needs the image as an array.
        sample: Which sample of the batch, by index; negative ones count from the end. The title
            says which of how many. A slice, a list or "all" draws a table with one row per sample,
            which begins with its picture where an input is an image, and one column per map. Only
            the samples that are drawn are computed.
        sample_names: A name for each sample of `inputs`, such as its class, for the rows of the
            table or the title.
        overlay: Whether to draw each map over the picture that caused it, as large as that. An
            array is the picture itself, such as the photo before it was preprocessed. Of a sequence
            it is the signal: lines are drawn over it, and rows are colours under it.
        picture: Which of several inputs is the picture, by name or index; or an array
            `(height, width)` or `(height, width, 1 or 3)`, or one for each sample of `inputs`,
            such as the photo before it was preprocessed. Of a sequence, which input is the signal,
            or `(steps,)` or `(steps, channels)`.
        alpha: How much of the picture a map covers: "strength", nothing where it is 0 and most
            where it is strongest; or a number from 0 to 1, everywhere.
        interpolation: How a map is enlarged over the picture. "nearest": every value covers the
            part of the picture that it stands for. "bilinear": smooth between their middles.
        slices: Of outputs with more axes than height, width and channels, such as volumes or the
            frames of a video, which positions along these to draw: an int, a slice or a list.
        patch_grid: Of outputs `(tokens, channels)`, the rows and columns of patches that the
            tokens stand for, to lay each channel out as an image. Tokens before these, such as a
            class token, are left out.
        kind: How an output is drawn. "lines": a sequence `(samples, steps, channels)` as one curve
            per channel, all on one scale, below the signal itself where an input is one. "rows": a
            sequence with one row of colours per channel, or a vector in rows of 32 values. "bars":
            the values of a vector, the ten largest where `tiles`, `sort` and `top` choose no
            others. "image": the last two axes are the height and the width of one picture per
            sample, such as a mask or a depth map `(samples, height, width)`, in greys; or the
            output `(samples, height, width, 1 or 3)` is a picture in greys or colours, as of an
            autoencoder. "labels": a label map with a legend, of whole numbers, or of the largest
            of the channels `(samples, height, width, classes)`. `None`: a sequence of
            one sample is drawn as lines where these are at most 32, and as rows else; a vector of
            one sample as bars; several samples as a table of colours; more axes are images.
        class_names: A name for each value of a vector, such as the classes of a softmax, or for
            each label. Vectors with another number of values keep their indices.
        position: Row and column of a cell, which is framed in every map of one layer, as is in the
            input beside them what the unit there saw; see `receptive_field`. Of maps over the input
            it is this alone.
        **options: The keywords of every plot of tiles, see `TileOptions`; `sort` goes by all the
            samples that are drawn.

    Returns:
        A `Plot` with one panel per layer. `images[i].get_array()` holds the values of the maps,
        also where they are drawn over a picture; with `interpolation="bilinear"` the enlarged ones.
        `plot.picture` is the panel of the input, which is none of `plot.panels`; `None` where there
        is none.

    Raises:
        TypeError: `model` is not a Keras model, `layer` is not an address, `inputs` is missing, or
            a keyword has the wrong type.
        ValueError: No layer has that address, it has several outputs, `inputs` does not fit the
            model, it cannot be told which picture is meant, several samples are drawn of an output
            whose rows are not samples, or a keyword cannot be used as it is.

    Notes:
        Each channel is a tile, a curve or a bar. Of a volume it is a group of slices, and so are
        the frames of a video and the steps of a ConvLSTM. Of complex values the magnitudes are
        drawn, and the title says so.

        A sequence is stretched over the time axis of its signal, as if each of its steps stood for
        an equal part of it. An input is a signal if it has the shape `(samples, steps, channels)`
        with at most 6 channels, or `(samples, steps)` and is not whole numbers, which are tokens.

        A map that has one value everywhere is crossed out, and the title counts it as "constant
        here": whether its filter is dead, one image cannot tell.

        Some layers return rows that are not samples, such as the windows of a Swin transformer,
        images folded into the batch, or a table of positions. Of one sample, all the rows that the
        layer returns for it are drawn, one below the other; of several, it cannot be known which
        rows belong to which, and a `ValueError` says so.

        Only the samples that are drawn are computed: of a model that mixes the samples of a batch,
        such as by their mean, a map is that of these samples together. `get_feature_maps` returns
        those of all samples.

        A map is stretched over the whole picture, as if each of its values stood for an equal part
        of it. Layers that do not pad their input ("valid") in truth leave out a border of half a
        kernel each.

        Of one sample, the input is drawn beside the maps where it is an image and the figure is a
        new one, at least 6.5 inches wide where `figsize` says how large: not in an `ax` or a
        `figure` of yours, nor where maps are over it, nor where it cannot be told which of several
        inputs is meant.

        The picture is shown as it was given to the model. What is not in 0 to 1 or 0 to 255 is put
        between black and white for the eye alone, and the title says so. Some models'
        `preprocess_input` puts the colours into another order; `overlay=photo` shows them as they
        were. Where maps are drawn over pictures, the left half of the colour bar shows their
        colours over black and the right half over white.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> kerasviz.plot_feature_maps(model, "conv2d", images, sample=9)
        Plot(conv2d: 32 feature maps, 28×28)
    """
    style = check_style(*OWN_KEYWORDS, **options)
    if inputs is None:
        raise TypeError(
            "`inputs` is missing: give what the model takes, as plot_feature_maps(model, layer, "
            "inputs) or plot_feature_maps(model, inputs=...). Received: inputs=None"
        )
    keywords = MapKeywords(
        style=style,
        sample=sample,
        sample_names=sample_names,
        background=check_background(overlay, picture, alpha, interpolation),
        slices=slices,
        patch_grid=patch_grid,
        kind=kind,
        class_names=check_class_names(class_names),
    )
    check_keywords(keywords)
    cell = check_position(position)
    maps = prepare_maps(model, layer, inputs, keywords)
    if cell is None:
        return draw_panels(maps.panels(), style, maps.picture)
    field = find_field(model, maps.extraction.targets.targets, cell)
    is_over = keywords.background.is_beneath
    panels = [frame_panel(panel, field, is_over=is_over) for panel in maps.panels()]
    return draw_panels(panels, style, frame_picture(maps.picture, field))


OWN_KEYWORDS = (
    "sample",
    "sample_names",
    "overlay",
    "picture",
    "alpha",
    "interpolation",
    "slices",
    "patch_grid",
    "kind",
    "class_names",
    "position",
)


@dataclass(frozen=True, kw_only=True)
class MapKeywords:
    """The keywords about maps, checked as far as possible without a model.

    `is_recorded` is whether the maps are recorded again and again, as by a callback.
    """

    style: TileStyle
    sample: Samples
    sample_names: Sequence[str] | None
    background: Background
    slices: Tiles | None
    patch_grid: tuple[int, int] | None
    kind: Kind | None
    class_names: tuple[str, ...] | None = None
    is_recorded: bool = False

    def names_of(self, channels: int) -> tuple[str, ...] | None:
        """Return the names of the channels of an output; `None` where it has another number."""
        names = self.class_names
        return names if names is not None and len(names) == channels else None


def check_keywords(keywords: MapKeywords) -> None:
    """Check what can be checked of the keywords without model and inputs."""
    kind, patch_grid, background = keywords.kind, keywords.patch_grid, keywords.background
    check_patch_grid(patch_grid)
    if kind is not None:
        check_choice("kind", kind, get_args(Kind), "None")
        if patch_grid is not None:
            raise ValueError(
                "`kind` and `patch_grid` cannot both be given: a grid lays out a sequence as an "
                f"image already. Received: kind={kind!r}, patch_grid={patch_grid!r}"
            )
    check_sample(keywords.sample, keywords.style.layout.columns)
    check_label_colors(kind, keywords.style.colors)
    if kind == "bars" and not isinstance(keywords.sample, (int, np.integer)):
        raise ValueError(
            "`kind` can be 'bars' for one sample; several are a table, with kind=None. "
            f"Received: kind='bars', sample={keywords.sample!r}"
        )
    is_beside = isinstance(keywords.sample, (int, np.integer)) and not background.is_beneath
    if background.picture is not None and is_beside and not keywords.style.place.is_new:
        raise ValueError(
            "`picture` can only be used together with `overlay` or several samples, or in a new "
            "figure, where it is beside the maps."
        )


class Maps(NamedTuple):
    """Maps that were requested and checked, to be computed once or several times."""

    extraction: Extraction
    samples: ShownSamples
    keywords: MapKeywords

    def panels(self, style_of: Callable[[str], TileStyle] | None = None) -> list[TilePanel]:
        """Run the model once, and return one panel per layer.

        Args:
            style_of: Gives the style of each address, where layers have styles of their own.
        """
        arrays = self.extraction.run()
        panels = []
        for target in self.extraction.targets.targets:
            address, call = target
            maps = _output_of(arrays[address], target, self.keywords.kind)
            fixed = has_fixed_rows(call, 0, self.extraction.specs)
            samples = rows_of_sample(maps, self.samples, address, fixed=fixed)
            style = style_of(address) if style_of is not None else self.keywords.style
            panels.append(map_panel(maps, address, samples, replace(self.keywords, style=style)))
        return panels

    @property
    def picture(self) -> Picture | None:
        """The image that the maps were computed from, where it is drawn beside them."""
        targets = self.extraction.targets.targets
        if self.samples.beside is None or all(
            has_fixed_rows(target.call, 0, self.extraction.specs) for target in targets
        ):
            return None
        return Picture(self.samples.beside, self.samples.background.kind)


def prepare_maps(model: keras.Model, layer: Any, inputs: Any, keywords: MapKeywords) -> Maps:
    """Check everything that can be checked before the model runs."""
    extraction = plan_extraction(model, layer, inputs)
    if not extraction.targets.single and not isinstance(layer, (list, tuple)):
        extraction = replace(extraction, targets=_select_drawable(extraction.targets, keywords))
    targets = extraction.targets.targets
    check_panels(len(targets), keywords.style.place.ax)
    for target in targets:
        check_target(target, keywords)
    _check_names_fit(targets, keywords)
    grey = keywords.patch_grid is not None or keywords.kind in PICTURES
    grey = grey or any(len(target.call.output_shape or ()) > 3 for target in targets)
    steps = [steps for target in targets if (steps := _sequence_steps(target, keywords))]
    background = keywords.background
    is_over_signal = background.is_beneath or may_be_signal(background)
    samples = choose_samples(
        extraction,
        keywords.sample,
        keywords.sample_names,
        background,
        grey=grey,
        has_pictures=not (is_over_signal and len(steps) == len(targets)),
    )
    samples = replace(samples, kind=keywords.kind)
    if steps:
        signals = find_signals(extraction, background, samples.indices, steps=max(steps))
        samples = replace(samples, signals=signals)
    for address, call in targets:
        if len(samples.indices) > 1 and has_fixed_rows(call, 0, extraction.specs):
            raise not_samples(address, None, len(samples.indices))
    return Maps(take_samples(extraction, samples.indices), samples, keywords)


def _check_names_fit(targets: Sequence[NamedCall], keywords: MapKeywords) -> None:
    """Refuse `class_names` that no layer has the right number of values for."""
    names = keywords.class_names
    if (
        names is None
        or keywords.kind == "labels"
        or any(target.call.output_shape is None for target in targets)
    ):
        return
    vectors = [target for target in targets if not _split_shape(target, keywords.kind)[0]]
    counts = [_split_shape(target, keywords.kind)[1] for target in vectors]
    if not counts:
        raise ValueError(
            "`class_names` can only be used for a vector of values, such as those of a softmax. "
            f"Received: {targets[-1].address!r}, whose values have positions"
        )
    if len(names) not in counts:
        raise ValueError(
            f"`class_names` must have a name for each of the {counts[-1]} values of "
            f"{vectors[-1].address!r}. Received: {len(names)} names"
        )


def _sequence_steps(target: NamedCall, keywords: MapKeywords) -> int:
    """Return how many steps the maps of a layer have; 0 where they are no sequences.

    Where the number of steps is known only when the model runs, it is 1.
    """
    axes, _ = _split_shape(target, keywords.kind)
    if len(axes) != 1 or keywords.kind in PICTURES or keywords.patch_grid is not None:
        return 0
    return axes[0] if isinstance(axes[0], int) else 1


def _select_drawable(targets: Selection, keywords: MapKeywords) -> Selection:
    """Return those layers of a pattern or a class that can be drawn; all where none can."""

    def is_drawable(target: NamedCall) -> bool:
        try:
            _check_output_shape(target, keywords)
        except ValueError:
            return False
        return True

    drawable = tuple(filter(is_drawable, targets.targets))
    return targets._replace(targets=drawable or targets.targets)


def check_target(target: NamedCall, keywords: MapKeywords) -> None:
    """Refuse, before anything is computed, a layer that cannot be drawn with these keywords."""
    _check_output_shape(target, keywords)
    address = target.address
    axes, channels = _split_shape(target, keywords.kind)
    if isinstance(channels, int):
        select_tiles(keywords.style.choice.tiles, channels, of=repr(address))
        check_tile_names(keywords.style.layout.tile_names, channels, "feature maps", repr(address))
    sizes = [size for size in axes if isinstance(size, int)]
    if target.call.output_shape is None or len(sizes) < len(axes):
        return
    if keywords.patch_grid is not None:
        _leading_tokens(sizes, address, keywords.patch_grid)
        sizes = [*keywords.patch_grid]
    if keywords.slices is not None:
        select_tiles(keywords.slices, math.prod(sizes[:-2]), "slices", of=repr(address))


def _split_shape(target: NamedCall, kind: Kind | None) -> tuple[list[Any], int | None]:
    """Return the axes between samples and channels, and how many channels there are."""
    axes: list[Any] = list(target.call.output_shape or ())
    if not axes:
        return [], None
    channels = 1 if kind in PICTURES else axes.pop(target.call.channel_axis)
    return axes[1:], channels


def _check_output_shape(target: NamedCall, keywords: MapKeywords) -> None:
    """Refuse a layer whose output, as far as its shape is known, cannot be drawn as tiles."""
    shape, address = target.call.output_shape, target.address
    if shape is None:
        return
    if any(isinstance(size, tuple) for size in shape):
        raise ValueError(
            "`layer` must name layers with one output. "
            f"Received: '{address}', with outputs {', '.join(map(str, shape))}"
        )
    _check_rank(shape, address)
    axes, _ = _split_shape(target, keywords.kind)
    _check_kind(len(shape), address, keywords.kind)
    if keywords.background.is_beneath and keywords.patch_grid is None:
        _check_overlay_axes(len(axes), address)


def _check_rank(shape: Sequence[Any], address: str) -> None:
    if len(shape) < 2:
        raise ValueError(
            "`layer` must name layers with an output of shape (samples, ..., channels). "
            f"Received: '{address}', whose output has the shape {tuple(shape)}"
        )


def _check_kind(rank: int, address: str, kind: Kind | None) -> None:
    """Refuse a `kind` for an output that has another number of axes."""
    ranks = {"image": rank > 2, "lines": rank == 3, "rows": rank in (2, 3), "bars": rank == 2}
    ranks["labels"] = rank in (3, 4)
    if kind is None or ranks[kind]:
        return
    axes = "(samples, steps, channels)"
    if kind == "labels":
        axes = "(samples, height, width) or (samples, height, width, classes)"
    elif kind in ("image", "bars"):
        axes = "(samples, height, width)" if kind == "image" else "(samples, values)"
    raise ValueError(
        f"`kind` can be {kind!r} for an output of shape {axes}. "
        f"Received: kind={kind!r}, for '{address}', whose output has {rank} axes"
    )


def _check_overlay_axes(count: int, name: str) -> None:
    if not count:
        raise ValueError(
            "`overlay` takes layers whose maps have a height and a width, or steps. "
            f"Received: '{name}', whose output has no axis between samples and channels"
        )


def _output_of(array: Any, target: NamedCall, kind: Kind | None) -> np.ndarray:
    """Return what a layer computed as maps `(rows, ..., channels)`, or say why it cannot be drawn.

    Args:
        array: What the layer returned, with the axis of its channels moved to the end.
        target: The layer.
        kind: The caller's `kind`.
    """
    address, call = target
    if not isinstance(array, np.ndarray):
        count = len(keras.tree.flatten(array))
        raise ValueError(
            f"`layer` must name layers with one output. Received: '{address}', which has {count}"
        )
    _check_rank(array.shape, address)
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"`layer` must name layers whose outputs are numbers. Received: '{address}', whose "
            f"output has dtype {array.dtype}"
        )
    _check_kind(array.ndim, address, kind)
    if is_picture(array.shape, kind) and array.ndim == 4:
        return array
    if kind in PICTURES:
        axis = call.channel_axis if call.channel_axes else channel_axis(call.layer, array.ndim)
        array = np.moveaxis(array, -1, axis)
        return array if kind == "labels" else np.expand_dims(array, -1)
    return array


def map_panel(
    maps: np.ndarray, address: str, samples: ShownSamples, keywords: MapKeywords
) -> TilePanel:
    """Choose and order the maps of the samples that are drawn.

    Args:
        maps: Array `(rows, ..., channels)`: of vectors, sequences, images, or images along further
            axes, with one row per sample or, of one sample, all rows that belong to it.
        address: The layer's address.
        samples: The samples.
        keywords: The caller's keywords, checked and complete.
    """
    if samples.rows is not None and keywords.style.layout.columns is not None:
        raise ValueError(
            f"`columns` cannot be given for '{address}', whose rows are not samples, so that each "
            f"map has a column. Received: columns={keywords.style.layout.columns}"
        )
    notes: tuple[str, ...] = ()
    if np.iscomplexobj(maps):
        maps, notes = np.abs(maps), ("magnitudes of complex values",)
    if is_picture(maps.shape, keywords.kind):
        return picture_panel(
            maps, address, samples, keywords.kind, class_names=keywords.class_names
        )
    if keywords.patch_grid is not None:
        maps, more = _lay_out_patches(maps, address, keywords.patch_grid)
        notes += more
    if samples.background.is_beneath:
        _check_overlay_axes(maps.ndim - 2, address)
    chosen, form = _choose_maps(maps, address, samples, keywords)
    indices, axes = chosen.indices, maps.shape[1:-1]
    kind = "feature maps" if axes else "values"
    volumes, parts, more = _cut_slices(maps, keywords.slices, address)
    panel = TilePanel(
        values=np.moveaxis(volumes[..., indices], -1, 1).reshape(-1, *volumes.shape[2:4]),
        indices=indices,
        total=maps.shape[-1],
        address=address,
        kind=kind,
        size=f"{axes[0]} steps" if len(axes) == 1 else "×".join(map(str, axes)),
        notes=notes + more + samples.notes + chosen.notes,
        is_numbered=bool(chosen.note),
        table=samples.table(indices, kind),
        slices=volumes.shape[1],
        slice_indices=parts,
        words=chosen.words,
        absent_rule="constant here",
        form=form,
    )
    panel = _with_inputs(panel, samples, len(axes))
    return panel if axes else _with_names(panel, maps[0], keywords)


def _with_inputs(panel: TilePanel, samples: ShownSamples, axes: int) -> TilePanel:
    """Return maps with the pictures or the signals that caused them, where these are drawn.

    Args:
        panel: The maps.
        samples: The samples, with their pictures and signals.
        axes: How many axes the maps have between samples and channels.
    """
    is_over = samples.background.is_beneath
    has_pictures = panel.form == "tiles" and not (is_over and axes < 2)
    backgrounds = samples.backgrounds if has_pictures else None
    signals = samples.signals if panel.form in ("lines", "heat") else None
    note = ("over the signal",) if signals is not None and is_over else ()
    return replace(
        panel,
        notes=note + panel.notes,
        backgrounds=backgrounds,
        signals=signals,
        alpha=samples.background.alpha if is_over else None,
        smooth=samples.background.interpolation == "bilinear",
        # Rows of values have no height of their own; a vector in rows of values has.
        free_height=axes < 2 and backgrounds is None and bool(axes or panel.table is not None),
    )


def _with_names(panel: TilePanel, vector: np.ndarray, keywords: MapKeywords) -> TilePanel:
    """Return the values of a vector with their names, in rows of `STRIP`."""
    names = keywords.names_of(panel.total)
    return replace(
        panel,
        columns=STRIP,
        is_share=panel.form == "bars" and are_shares(vector),
        tile_names=() if names is None else tuple(names[index] for index in panel.indices),
    )


def _choose_maps(
    maps: np.ndarray, address: str, samples: ShownSamples, keywords: MapKeywords
) -> tuple[TileSelection, Form]:
    """Return which maps are drawn, and as what."""
    axes, choice, of = maps.shape[1:-1], keywords.style.choice, repr(address)
    kind = "feature maps" if axes else "values"
    chosen = choose_tiles(np.moveaxis(maps, -1, 0), choice, kind, of=of, is_limited=bool(axes))
    form = choose_form(
        axes,
        keywords.kind,
        len(chosen.indices),
        is_table=samples.is_table or samples.rows is not None,
        is_recorded=keywords.is_recorded,
        is_over=samples.background.is_beneath and len(axes) == 1,
    )
    return (choose_bars(maps[0], choice, of), form) if form == "bars" else (chosen, form)


def _cut_slices(
    maps: np.ndarray, slices: Tiles | None, address: str
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Return maps as `(rows, slices, height, width, channels)`, and which slices these are."""
    rows, *axes, channels = maps.shape
    volumes = maps.reshape(rows, -1, *([1, 1, *axes])[-2:], channels)
    if slices is None:
        return volumes, None, ()
    count = volumes.shape[1]
    indices = select_tiles(slices, count, "slices", of=repr(address))
    word = "slice" if len(indices) == 1 else "slices"
    note = f"{word} {', '.join(map(str, indices))} of {count}"
    return volumes[:, indices], indices, (note,)


def _lay_out_patches(
    maps: np.ndarray, name: str, patch_grid: tuple[int, int]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Put the tokens of a vision transformer where their patches are in the image."""
    leading = _leading_tokens(maps.shape[1:-1], name, patch_grid)
    word = "token" if leading == 1 else "tokens"
    notes = (f"without {leading} leading {word}",) if leading else ()
    return maps[:, leading:].reshape(len(maps), *patch_grid, -1), notes


def _leading_tokens(sizes: Sequence[int], name: str, patch_grid: tuple[int, int]) -> int:
    """Return how many tokens come before the patches, of an output with these axes a channel."""
    leading = sizes[0] - math.prod(patch_grid) if len(sizes) == 1 else -1
    if leading < 0:
        raise ValueError(
            f"`patch_grid` must lay out the tokens of '{name}', whose channels have the shape "
            f"{tuple(sizes)}. Received: patch_grid={patch_grid}"
        )
    return leading


def check_patch_grid(patch_grid: object) -> None:
    """Raise `TypeError` unless `patch_grid` is `None` or two positive integers."""
    if patch_grid is None:
        return
    sizes = list(patch_grid) if isinstance(patch_grid, (tuple, list)) else []
    if len(sizes) != 2 or not all(map(is_int, sizes)) or min(sizes) < 1:
        raise TypeError(
            "`patch_grid` must be rows and columns, two positive integers. "
            f"Received: patch_grid={patch_grid!r}"
        )
