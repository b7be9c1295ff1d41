"""Image files to what a model takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import keras
import numpy as np

from kerasviz.cli.failure import CommandError
from kerasviz.cli.terminal import printable
from kerasviz.model.inputs.image_files import ImageFile, ImageShape, image_shape, read_image

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
            `(samples, height, width, channels)`; `None` where an array was given for one.
        names: A name for each, that of its file.
        remarks: What resizing them changed that can be seen.
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
    inputs, photos, remarks = [], [], []
    for path in paths:
        try:
            if path.suffix == ".npy":
                inputs.append(_load_array(path, shape))
                continue
            photo = read_image(path, shape)
        except (OSError, ValueError, EOFError) as error:
            raise CommandError(f"{path} cannot be read as an image: {error}") from None
        photos.append(photo.pixels)
        remarks += _remarks(path, photo)
        array = convert(photo.pixels)
        inputs.append(np.moveaxis(array, -1, 0) if shape.channels_first else array)
    sizes = {array.shape for array in inputs}
    if len(sizes) > 1:
        shapes = ", ".join(str(size) for size in sorted(sizes))
        raise CommandError(f"the images must be of one size for this model, and are of {shapes}")
    pictures = None
    if len(photos) == len(paths):
        pictures = np.rint(np.stack(photos)).astype("uint8")[..., :3]  # without transparency
    return Images(np.stack(inputs), pictures, _names(paths), tuple(remarks))


def _load_array(path: Path, shape: ImageShape) -> np.ndarray:
    array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise ValueError(f"its values must be numbers, and are {getattr(array, 'dtype', 'none')}")
    sizes = [shape.height, shape.width]
    sizes.insert(0 if shape.channels_first else 2, shape.channels)
    plane = [shape.height, shape.width] if shape.channels == 1 else sizes
    if not (_fits(array, sizes) or _fits(array, plane)):
        expected = ", ".join("any" if size is None else str(size) for size in sizes)
        raise ValueError(f"its shape must be ({expected}), and is {array.shape}")
    return array


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
    return [f"{path} {' and '.join(changes)}, to fit the model"] if changes else []


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
