"""Image files to what a model takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import keras
import numpy as np

from kerasviz.cli.failure import CommandError

RANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "0-255": lambda image: image,
    "0-1": lambda image: image / 255,
    "-1-1": lambda image: image / 127.5 - 1,
}
MODES = {1: "grayscale", 3: "rgb", 4: "rgba"}


def load_images(model: keras.Model, paths: Sequence[Path], values: str) -> np.ndarray:
    """Read images, resized to what a model takes, as a batch `(samples, height, width, channels)`.

    Args:
        model: A model with one image as its input.
        paths: The files; a `.npy` file holds one image as the model takes it.
        values: "0-255", "0-1", "-1-1", or the name of an architecture of `keras.applications`.

    Raises:
        CommandError: The model takes no image, a file is none, or `values` is unknown.
    """
    convert = _conversion(values)
    height, width, channels, channels_first = _image_shape(model)

    def load(path: Path) -> np.ndarray:
        if path.suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        image = keras.utils.load_img(path, color_mode=MODES[channels])
        if height and width:
            image = image.resize((width, height))
        array = convert(keras.utils.img_to_array(image, data_format="channels_last"))
        return np.moveaxis(array, -1, 0) if channels_first else array

    images = []
    for path in paths:
        try:
            images.append(load(path))
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} cannot be read as an image: {error}") from None
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        sizes = ", ".join(str(shape) for shape in sorted(shapes))
        raise CommandError(f"the images must be of one size for this model, and are of {sizes}")
    return np.stack(images)


def _conversion(values: str) -> Callable[[np.ndarray], np.ndarray]:
    if values in RANGES:
        return RANGES[values]
    modules = {
        name: module
        for name, module in vars(keras.applications).items()
        if isinstance(module, ModuleType) and hasattr(module, "preprocess_input")
    }
    if values not in modules:
        known = ", ".join([*RANGES, *sorted(modules)])
        raise CommandError(f"--values must be one of {known}: {values}")
    preprocess = modules[values].preprocess_input
    return lambda image: np.asarray(preprocess(image.copy(), data_format="channels_last"))


def _image_shape(model: keras.Model) -> tuple[int | None, int | None, int, bool]:
    """Return height, width and channels of the images that a model takes, and their order."""
    inputs = model.inputs or []
    shape = tuple(inputs[0].shape[1:]) if len(inputs) == 1 else ()
    if len(shape) == 3 and shape[2] in MODES:
        return shape[0], shape[1], shape[2], False
    if len(shape) == 3 and shape[0] in MODES:
        return shape[1], shape[2], shape[0], True
    shapes = ", ".join(str(tuple(tensor.shape)) for tensor in inputs) or "unknown"
    raise CommandError(
        "maps can be drawn from image files only for a model that takes one image of 1, 3 or 4 "
        f"channels; its inputs are: {shapes}. In Python, plot_feature_maps takes any inputs"
    )
