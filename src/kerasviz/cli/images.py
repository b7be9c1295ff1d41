"""Image files to what a model takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import keras
import numpy as np

from kerasviz.cli.errors import CommandError
from kerasviz.cli.terminal import printable
from kerasviz.draw.tiles.background import picture_colors
from kerasviz.model.inputs.image_files import ImageFile, ImageShape, image_shape, read_image

NPY_MAGIC = b"\x93NUMPY"
RANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "0-255": lambda image: image,
    "0-1": lambda image: image / 255,
    "-1-1": lambda image: image / 127.5 - 1,
}


class Images(NamedTuple):
    """Images as a model takes them, and as they are.

    Args:
        inputs: The batch, `(samples, height, width, channels)` or as the model has its axes.
        pictures: The images before their values were changed for the model, unsigned bytes
            `(samples, height, width, channels)`; `None` where all of them are arrays.
        names: A name for each, that of its file.
        remarks: What reading them changed that can be seen.
    """

    inputs: np.ndarray
    pictures: np.ndarray | None
    names: tuple[str, ...]
    remarks: tuple[str, ...]


def load_images(model: keras.Model, paths: Sequence[Path], values: str) -> Images:
    """Read images, resized to what a model takes.

    Args:
        model: A model with one image as its input.
        paths: The files; a `.npy` file holds one image as the model takes it.
        values: "0-255", "0-1", "-1-1", or the name of an architecture of `keras.applications`.

    Raises:
        CommandError: The model takes no image, a file is none, or `values` is unknown.
    """
    shape = _image_shape(model)
    convert = _conversion(values, shape.channels)
    inputs, remarks = [], []
    photos: dict[int, np.ndarray] = {}
    for index, path in enumerate(paths):
        content = _read(path, shape)
        if isinstance(content, np.ndarray):
            inputs.append(content)
            continue
        photos[index] = content.pixels
        remarks += _remarks(path, content)
        array = convert(content.pixels)
        inputs.append(np.moveaxis(array, -1, 0) if shape.channels_first else array)
    sizes = {array.shape for array in inputs}
    if len(sizes) > 1:
        shapes = ", ".join(str(size) for size in sorted(sizes))
        raise CommandError(f"the images must be of one size for this model, and are of {shapes}")
    if not photos:
        return Images(np.stack(inputs), None, _names(paths), ())
    pictures = []
    for index, (path, array) in enumerate(zip(paths, inputs, strict=True)):
        if index in photos:
            pictures.append(np.rint(photos[index]).astype("uint8"))
        else:
            picture, note = _as_picture(array, shape)
            pictures.append(picture)
            remarks += [f"{path} is an array, its {note}"] if note else []
    # Without transparency.
    colors = np.stack([picture[..., :3] for picture in pictures])
    return Images(np.stack(inputs), colors, _names(paths), tuple(remarks))


def _read(path: Path, shape: ImageShape) -> ImageFile | np.ndarray:
    """Return what a file holds: an image, or an array as the model takes it."""
    try:
        is_array = path.suffix.lower() == ".npy"
        return _load_array(path, shape) if is_array else read_image(path, shape)
    except (OSError, ValueError, EOFError) as error:
        raise CommandError(f"{path} cannot be read as an image: {error}") from None
    except MemoryError:
        raise CommandError(f"{path} is too large for the memory") from None


def _as_picture(array: np.ndarray, shape: ImageShape) -> tuple[np.ndarray, str]:
    """Return an array as unsigned bytes to draw it beside photos, and what its black and white are.

    Its limits are its own: those of photos would make one colour of all that was preprocessed.
    """
    image = np.moveaxis(array, 0, -1) if shape.channels_first else array
    colors, note = picture_colors(image[np.newaxis, ..., :3])
    return colors[0, ..., : image.shape[2]], note


def _load_array(path: Path, shape: ImageShape) -> np.ndarray:
    with path.open("rb") as file:
        start = file.read(len(NPY_MAGIC))
        if start != NPY_MAGIC:
            raise ValueError("it is not a .npy file")
        file.seek(0)
        try:
            array = np.load(file, allow_pickle=False)
        except ValueError as error:  # NumPy's own says how to load a file of code
            is_of_objects = "allow_pickle" in str(error)
            raise ValueError("its values must be numbers" if is_of_objects else error) from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"its values must be numbers, and are {array.dtype}")
    sizes = [shape.height, shape.width]
    sizes.insert(0 if shape.channels_first else 2, shape.channels)
    plane = [shape.height, shape.width] if shape.channels == 1 else sizes
    if not (_fits(array, sizes) or _fits(array, plane)):
        expected = ", ".join("any" if size is None else str(size) for size in sizes)
        raise ValueError(f"its shape must be ({expected}), and is {array.shape}")
    return array if array.ndim == 3 else np.expand_dims(array, sizes.index(1))


def _fits(array: np.ndarray, sizes: list[int | None]) -> bool:
    return array.ndim == len(sizes) and all(
        size in (None, length) for size, length in zip(sizes, array.shape, strict=True)
    )


def _remarks(path: Path, photo: ImageFile) -> list[str]:
    (width, height), (rows, columns) = photo.size, photo.pixels.shape[:2]
    changes = []
    if photo.is_squashed:
        changes.append(f"is squashed from {width}×{height} to {columns}×{rows} pixels")
    if photo.is_greyed:
        changes.append("loses its colours")
    if photo.is_made_opaque:
        changes.append("loses its transparency")
    remarks = [f"{path} {' and '.join(changes)}, to fit the model"] if changes else []
    if photo.frames > 1:
        remarks.append(f"{path} has {photo.frames} frames; the first is read")
    return remarks


def _names(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the name of each file, with its folder where two have the same name."""
    counts = Counter(path.name for path in paths)
    return tuple(printable(path.name if counts[path.name] == 1 else path) for path in paths)


def _conversion(values: str, channels: int) -> Callable[[np.ndarray], np.ndarray]:
    if values in RANGES:
        return RANGES[values]
    modules = {
        name: module
        for name, module in vars(keras.applications).items()
        if isinstance(module, ModuleType) and hasattr(module, "preprocess_input")
    }
    if values not in modules:
        choices = ", ".join([*RANGES, *sorted(modules)])
        raise CommandError(f"--values must be one of {choices}: {values}")
    preprocess = modules[values].preprocess_input

    def convert(image: np.ndarray) -> np.ndarray:
        return np.asarray(preprocess(image.copy(), data_format="channels_last"))

    try:
        convert(np.zeros((1, 1, channels), "float32"))
    except (IndexError, ValueError):
        raise CommandError(
            f"--values {values} is for images of 3 channels, and the model takes {channels}"
        ) from None
    return convert


def _image_shape(model: keras.Model) -> ImageShape:
    inputs = model.inputs or []
    shape = image_shape(tuple(inputs[0].shape)) if len(inputs) == 1 else None
    if shape is None:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in inputs) or "unknown"
        raise CommandError(
            "maps can be drawn from image files only for a model that takes one image of 1, 3 or "
            f"4 channels; its inputs are: {shapes}. In Python, plot_feature_maps takes any inputs"
        )
    return shape
