"""Turn a picture that was dropped on the page into what the model takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from kerasviz.compute.feature_maps import Extraction
from kerasviz.model.inputs.image_files import ImageShape

LUMA = (0.299, 0.587, 0.114)
"""The shares of red, green and blue in grey, as in Pillow."""
MAX_SIDE = 1024
"""The largest side of a picture, of a model that takes any size."""
PHOTO = 20.0
"""Values beyond this, with a sign, are those of photos without their mean colour."""


def _imagenet(mode: str) -> Callable[[np.ndarray], np.ndarray]:
    def convert(pixels: np.ndarray) -> np.ndarray:
        # It writes into the array that it is given.
        return np.asarray(
            keras.applications.imagenet_utils.preprocess_input(
                pixels.copy(), data_format="channels_last", mode=mode
            )
        )

    return convert


CONVERSIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "0-255": lambda pixels: pixels,
    "0-1": lambda pixels: pixels / 255,
    "-1-1": lambda pixels: pixels / 127.5 - 1,
    "caffe": _imagenet("caffe"),
    "torch": _imagenet("torch"),
}
"""Functions of values from 0 to 255; the last two are modes of Keras's `preprocess_input`."""


def conversions(shape: ImageShape) -> list[str]:
    """Return the names of the conversions for images of a shape."""
    return [name for name in CONVERSIONS if shape.channels == 3 or "-" in name]


def guess_conversion(extraction: Extraction | None, shape: ImageShape) -> str:
    """Return the conversion that gives values in the range of the inputs; without any, "0-255"."""
    if extraction is None:
        return "0-255"
    values = np.asarray(extraction.batch.arrays[0], "float32")
    low, high = (float(f(values[np.isfinite(values)], initial=0)) for f in (np.min, np.max))
    if low >= 0:
        return "0-1" if high <= 1.01 else "0-255"
    if low >= -1.01 and high <= 1.01:
        return "-1-1"
    if shape.channels != 3:
        return "-1-1"
    return "caffe" if max(-low, high) > PHOTO else "torch"


def read_picture(data: bytes, size: Sequence[int]) -> np.ndarray:
    """Return red, green and blue of a picture, `(height, width, 3)`, unsigned bytes.

    Args:
        data: Red, green, blue and opacity of each pixel.
        size: The height and the width.

    Raises:
        ValueError: The size is not that of the data.
    """
    height, width = size
    if height < 1 or width < 1 or len(data) != 4 * height * width:
        raise ValueError("The picture was not received as a whole.")
    return np.frombuffer(data, "uint8").reshape(height, width, 4)[..., :3]


def as_input(picture: np.ndarray, shape: ImageShape, conversion: str) -> np.ndarray:
    """Return the one sample that a model takes.

    Args:
        picture: Array `(height, width, 3)` of unsigned bytes, of the model's own size.
        shape: What the model takes.
        conversion: One of `CONVERSIONS`.
    """
    pixels = picture.astype("float32")
    if shape.channels == 1:
        pixels = (pixels @ np.array(LUMA, "float32"))[..., np.newaxis]
    elif shape.channels == 4:
        pixels = np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=-1)
    values = np.asarray(CONVERSIONS[conversion](pixels), "float32")
    return (np.moveaxis(values, -1, 0) if shape.channels_first else values)[np.newaxis]
