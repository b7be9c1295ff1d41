"""`plot_feature_maps`: what a layer makes of an image, or of several, as one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence, Sized
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import Unpack

from kerasviz.draw.layout import check_panels, draw_panels
from kerasviz.draw.options import (
    TileOptions,
    Tiles,
    check_choice,
    check_options,
    order_tiles,
    select_tiles,
    tile_strength,
)
from kerasviz.draw.overlay import Opacity, picture_colors
from kerasviz.draw.panel import Panel, Plot, Table
from kerasviz.model.feature_maps import Request, compute, prepare
from kerasviz.model.layers import Target
from kerasviz.plots.pictures import Interpolation, Overlay, check_overlay, find_pictures

STRIP = 32
"""Values of a vector in a row."""

Samples = int | slice | Sequence[int] | Literal["all"]


def plot_feature_maps(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    sample: Samples = 0,
    sample_names: Sequence[str] | None = None,
    overlay: bool | ArrayLike = False,
    picture: str | int | ArrayLike | None = None,
    alpha: Opacity = "strength",
    interpolation: Interpolation = "nearest",
    slices: Tiles | None = None,
    patch_grid: tuple[int, int] | None = None,
    **options: Unpack[TileOptions],
) -> Plot:
    """Draw every feature map that a layer makes of one sample, or of several, as one picture.

    Args:
        model: A Keras model.
        layer: A layer address; several give a panel each, from one forward pass.
        inputs: What the model takes: a batch, or one sample without the batch axis, or either
            without the channel axis where there is one channel; a list or dict of these for
            several inputs. The values are passed on as they are. Of a data set (a `PyDataset`, a
            `tf.data.Dataset`, a PyTorch `DataLoader`) the first batch is used. The path of an
            image file, or a list of paths, is read in the colours and at the size that the model
            takes, which may squash the image, as floats from 0 to 255; a model that was trained
            on other values needs the image as an array.
        sample: Which sample of the batch; negative numbers count from the end. A slice, a list or
            "all" makes a table: a row a sample, which begins with its picture where an input is
            an image, and a column a map. Only the samples that are drawn are computed.
        sample_names: A name for each sample of `inputs`, such as its class, for the rows of the
            table or the title.
        overlay: Whether to draw each map over the picture that caused it, as large as that. An
            array is the picture itself, such as the photo before it was preprocessed.
        picture: Which of several inputs is the picture, by name or index; or an array
            `(height, width)` or `(height, width, 1 or 3)`, or one for each sample of `inputs`.
        alpha: How much of the picture a map covers: "strength", nothing where it is 0 and most
            where it is strongest; or a number from 0 to 1, everywhere.
        interpolation: How a map is enlarged over the picture. "nearest": every value covers the
            part of the picture that it stands for. "bilinear": smooth between their middles.
        slices: Of outputs with more axes than height, width and channels, such as volumes or the
            frames of a video, which positions along these to draw: an int, a slice or a list.
        patch_grid: Of outputs `(tokens, channels)`, the rows and columns of patches that the
            tokens stand for, to lay each channel out as an image. Tokens before these, such as a
            class token, are left out.
        **options: The keywords of every plot of tiles, see `TileOptions`; `sort` goes by all the
            samples that are drawn.

    Returns:
        A `Plot` with a panel a layer. `images[i].get_array()` holds the values of the maps, also
        where they are drawn over a picture; with `interpolation="bilinear"` the enlarged ones.

    Raises:
        TypeError: `model` is no Keras model, `layer` no address, or a keyword of the wrong type.
        ValueError: No layer has that address, it has several outputs, `inputs` does not fit the
            model, it cannot be told which picture is meant, or a keyword has no meaning.

    Notes:
        Each channel is a tile. Of a vector it is one value, of a sequence a row; of a volume it is
        a group of slices, and so are the frames of a video and the steps of a ConvLSTM.

        A map is stretched over the whole picture, as if each of its values stood for an equal part
        of it. Layers that do not pad their input ("valid") in truth leave out a border of half a
        kernel each.

        The picture is shown as it was given to the model. What is not in 0 to 1 or 0 to 255 is put
        between black and white for the eye alone, and the title says so. Some models'
        `preprocess_input` puts the colours into another order; `overlay=photo` shows them as they
        were. Where maps are drawn over pictures, the left half of the colour bar shows their
        colours over black and the right half over white.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.plot_feature_maps(model, 0, np.zeros((28, 28)))
        Plot(conv2d: 32 feature maps, 26×26)
    """
    merged = check_options(options, *OWN_KEYWORDS)
    over = check_overlay(overlay, picture, alpha, interpolation)
    keywords = check_keywords(merged, sample, sample_names, over, slices, patch_grid)
    return draw_panels(prepare_maps(model, layer, inputs, keywords).panels(), merged)


OWN_KEYWORDS = (
    "sample",
    "sample_names",
    "overlay",
    "picture",
    "alpha",
    "interpolation",
    "slices",
    "patch_grid",
)


class MapKeywords(NamedTuple):
    """What the user said about maps, checked as far as it can be without model and inputs."""

    options: TileOptions
    sample: Samples
    sample_names: Sequence[str] | None
    overlay: Overlay
    slices: Tiles | None
    patch_grid: tuple[int, int] | None


def check_keywords(
    options: TileOptions,
    sample: Samples,
    sample_names: Sequence[str] | None,
    overlay: Overlay,
    slices: Tiles | None,
    patch_grid: tuple[int, int] | None,
) -> MapKeywords:
    """Check the keywords of `plot_feature_maps` that can be checked without model and inputs."""
    check_patch_grid(patch_grid)
    _check_sample(sample, options)
    is_single = isinstance(sample, (int, np.integer))
    if overlay.picture is not None and is_single and not overlay.wanted:
        raise ValueError("`picture` has a meaning with `overlay` or with several samples only.")
    return MapKeywords(options, sample, sample_names, overlay, slices, patch_grid)


class Maps(NamedTuple):
    """Maps that were asked for and checked, to be computed once or again and again."""

    request: Request
    shown: ShownSamples
    keywords: MapKeywords

    def panels(self) -> list[Panel]:
        """Run the model once, and return a panel a layer."""
        said = self.keywords
        return [
            map_panel(array, address, self.shown, said.options, said.slices, said.patch_grid)
            for address, array in compute(self.request).items()
        ]


def prepare_maps(model: keras.Model, layer: Any, inputs: Any, keywords: MapKeywords) -> Maps:
    """Check everything that can be checked before the model runs."""
    options, sample, names, overlay, slices, patch_grid = keywords
    request = prepare(model, layer, inputs)
    targets = request.targets.targets
    check_panels(len(targets), options)
    for target in targets:
        check_target(target, options, slices, patch_grid, over=overlay.wanted)
    shown = _choose_samples(request, sample, names, overlay, patch_grid)
    return Maps(_take(request, shown.numbers), shown, keywords)


@dataclass(frozen=True)
class ShownSamples:
    """The samples that are drawn.

    Args:
        numbers: Their numbers in the batch.
        total: How many the batch has.
        overlay: What the user said about pictures.
        is_table: Whether they are the rows of a table.
        names: A name for each that is drawn.
        pictures: The picture of each, unsigned bytes `(samples, height, width, 3)`.
        note: What has to be said about the pictures.
    """

    numbers: np.ndarray
    total: int
    overlay: Overlay
    is_table: bool = False
    names: tuple[str, ...] = ()
    pictures: np.ndarray | None = None
    note: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Facts for the title."""
        notes = []
        if self.is_table:
            count, total = len(self.numbers), self.total
            shown = str(count) if count == total else f"{count} of {total}"
            notes.append(f"{shown} sample{'s' if total > 1 else ''}")
        else:
            notes += self.names
        if self.pictures is not None and self.overlay.wanted:
            notes.append(self.overlay.note(self.pictures.shape[1:3]))
        return (*notes, self.note) if self.note else tuple(notes)


def _check_sample(sample: Any, options: TileOptions) -> None:
    """Check the type of `sample`, and refuse what has no meaning for a table."""
    if isinstance(sample, str):
        check_choice("sample", sample, ("all",), "an int, a slice or a list of ints")
    elif isinstance(sample, (bool, np.bool_)) or not isinstance(
        sample, (int, np.integer, slice, list, tuple, range, np.ndarray)
    ):
        raise TypeError(
            "`sample` must be an int, a slice, a list of ints or 'all'. "
            f"Received: sample={sample!r}"
        )
    if not isinstance(sample, (int, np.integer)) and options["columns"] is not None:
        raise ValueError(
            "`columns` cannot be given with several samples, where each map has a column. "
            f"Received: columns={options['columns']}, sample={sample!r}"
        )


def _choose_samples(
    request: Request,
    sample: Samples,
    names: Sequence[str] | None,
    overlay: Overlay,
    patch_grid: tuple[int, int] | None,
) -> ShownSamples:
    """Find the samples that are wanted, their names and their pictures."""
    total = len(request.batch)
    is_table = not isinstance(sample, (int, np.integer))
    if isinstance(sample, (int, np.integer)) and not -total <= sample < total:
        raise ValueError(
            f"`sample` must be between {-total} and {total - 1}, since `inputs` has {total}. "
            f"Received: sample={sample}"
        )
    wanted = slice(None) if isinstance(sample, str) else sample
    numbers = select_tiles(wanted, total, "sample", "`inputs`")
    shown = ShownSamples(numbers, total, overlay, is_table)
    if names is not None:
        if isinstance(names, str) or not isinstance(names, Sized) or len(names) != total:
            raise ValueError(
                f"`sample_names` must have a name for each of the {total} samples in `inputs`. "
                f"Received: sample_names={names!r:.80}"
            )
        shown = replace(shown, names=tuple(str(names[number]) for number in numbers))
    if not is_table and not overlay.wanted:
        return shown
    calls = [target.call for target in request.targets.targets]
    grey = patch_grid is not None or any(len(call.output_shape or ()) > 3 for call in calls)
    pictures = find_pictures(request, overlay, numbers, grey=grey)
    if pictures is None:
        return shown
    colors, note = picture_colors(pictures)
    return replace(shown, pictures=colors, note=note)


def _take(request: Request, numbers: np.ndarray) -> Request:
    """Return the request for some of the samples."""
    batch = request.batch
    arrays = tuple(array[numbers] for array in batch.arrays)
    return request._replace(batch=replace(batch, arrays=arrays))


def check_target(
    target: Target,
    options: TileOptions,
    slices: Tiles | None = None,
    patch_grid: tuple[int, int] | None = None,
    *,
    over: bool = False,
) -> None:
    """Refuse, before anything is computed, a layer whose output cannot be drawn as tiles.

    Args:
        target: The layer.
        options: The caller's keywords, checked and complete.
        slices: Which positions along further axes.
        patch_grid: Rows and columns of the image that a sequence stands for.
        over: Whether its maps are to be drawn over a picture.
    """
    shape = target.call.output_shape
    if shape is None:
        return
    if any(isinstance(size, tuple) for size in shape):
        raise ValueError(
            "`layer` must name layers with one output. "
            f"Received: '{target.address}', with outputs {', '.join(map(str, shape))}"
        )
    if len(shape) < 2:
        raise ValueError(
            "`layer` must name layers with an output of shape (samples, ..., channels). "
            f"Received: '{target.address}', whose output has the shape {shape}"
        )
    axes = list(shape)
    channels = axes.pop(target.call.channel_axis)
    del axes[0]
    if isinstance(channels, int):
        select_tiles(options["tiles"], channels, of=repr(target.address))
    if over and patch_grid is None:
        _check_image_axes(len(axes), target.address)
    sizes = [size for size in axes if isinstance(size, int)]
    if len(sizes) < len(axes):
        return
    if patch_grid is not None:
        _leading_tokens(sizes, target.address, patch_grid)
        sizes = [*patch_grid]
    if slices is not None:
        select_tiles(slices, math.prod(sizes[:-2]), "slices", of=repr(target.address))


def _check_image_axes(count: int, name: str) -> None:
    if count < 2:
        raise ValueError(
            "`overlay` takes layers whose maps have a height and a width. "
            f"Received: '{name}', whose output has {'one axis' if count else 'no axis'} "
            "between samples and channels"
        )


def map_panel(
    maps: np.ndarray,
    name: str,
    shown: ShownSamples,
    options: TileOptions,
    slices: Tiles | None = None,
    patch_grid: tuple[int, int] | None = None,
) -> Panel:
    """Choose and order the maps of the samples that are drawn.

    Args:
        maps: Array `(samples, ..., channels)`: of vectors, sequences, images, or images along
            further axes.
        name: The layer's address.
        shown: The samples.
        options: The caller's keywords, checked and complete.
        slices: Which positions along the further axes.
        patch_grid: Rows and columns of the image that a sequence stands for.
    """
    notes: tuple[str, ...] = ()
    if patch_grid is not None:
        maps, notes = _lay_out_patches(maps, name, patch_grid)
    samples, *axes, channels = maps.shape
    if shown.overlay.wanted:
        _check_image_axes(len(axes), name)
    numbers = select_tiles(options["tiles"], channels, of=repr(name))
    if options["sort"] is not None:
        strength = tile_strength(np.moveaxis(maps[..., numbers], -1, 0), options["sort"])
        numbers = numbers[order_tiles(numbers, strength)]
    height, width = ([1, 1, *axes])[-2:]
    volumes = maps.reshape(samples, -1, height, width, channels)
    parts = None
    if slices is not None:
        count = volumes.shape[1]
        parts = select_tiles(slices, count, "slices", of=repr(name))
        word = "slice" if len(parts) == 1 else "slices"
        notes += (f"{word} {', '.join(map(str, parts))} of {count}",)
        volumes = volumes[:, parts]
    tiles = np.moveaxis(volumes[..., numbers], -1, 1).reshape(-1, height, width)
    noun = "feature maps" if axes else "values"
    table = None
    if shown.is_table:
        rows = np.array(shown.names or shown.numbers)
        picture = shown.overlay.noun
        table = Table(rows, numbers, "sample", noun[:-1], "tiles", picture, every=True)
    size = f"{axes[0]} steps" if len(axes) == 1 else "×".join(map(str, axes))
    return Panel(
        tiles,
        numbers,
        channels,
        name,
        noun,
        size,
        notes + shown.notes,
        table,
        slices=volumes.shape[1],
        columns=None if axes else STRIP,
        slice_numbers=parts,
        pictures=shown.pictures,
        alpha=shown.overlay.alpha if shown.overlay.wanted else None,
        smooth=shown.overlay.interpolation == "bilinear",
    )


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
    if len(sizes) != 2 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in sizes):
        raise TypeError(
            "`patch_grid` must be rows and columns, two positive integers. "
            f"Received: patch_grid={patch_grid!r}"
        )
