"""Image files to arrays of the size and the channels that a model takes."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kerasviz.model.layer_call import Shape

if TYPE_CHECKING:
    from PIL import Image

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's name for images, by their number of channels."""
MAX_16_BITS = 65535
DRAWINGS = ("EPS", "WMF")
"""Formats without pixels, for which Pillow runs another program on what may be anyone's file."""


DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    struct.error,
    zlib.error,
)
"""The errors that Pillow raises for damaged files, beside `OSError` and `ValueError`."""


class ImageShape(NamedTuple):
    """The images that a model takes: a size that is `None` may be any."""

    height: int | None
    width: int | None
    channels: int
    channels_first: bool


class ImageFile(NamedTuple):
    """An image as a model takes it, and what it was before.

    Args:
        pixels: Array `(height, width, channels)` of floats from 0 to 255.
        size: The width and the height of the file.
        is_squashed: Whether its sides had another ratio.
        is_greyed: Whether it had colours, and the model takes none.
        is_made_opaque: Whether parts of it were transparent, and the model takes no opacity.
        frames: The number of images in the file, of which the first is read.
    """

    pixels: np.ndarray
    size: tuple[int, int]
    is_squashed: bool
    is_greyed: bool
    is_made_opaque: bool
    frames: int


def image_shape(shape: Shape) -> ImageShape | None:
    """Return what images fit the batch shape of a model's input, `None` where none does."""
    if len(shape) == 4 and shape[3] in MODES:
        return ImageShape(shape[1], shape[2], shape[3], channels_first=False)
    if len(shape) == 4 and shape[1] in MODES:
        return ImageShape(shape[2], shape[3], shape[1], channels_first=True)
    return None


def read_image(path: str | os.PathLike[str], shape: ImageShape) -> ImageFile:
    """Read an image file, resized to what a model takes, which may change the ratio of its sides.

    Values are 0 to 255 whatever the file has: of 16 bits, 65535 becomes 255; floats are 0 to 1, or
    0 to 255 where there are larger ones. A photo is turned upright, as its Exif orientation says,
    and of an animation the first image is read.

    Raises:
        ValueError: The file is not an image, it is too large or cut, or it has other values.
        OSError: The file cannot be read.
    """
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # sizes, and what surrounds the pixels
        try:
            with Image.open(path) as file:
                if file.format in DRAWINGS:
                    raise ValueError(
                        f"it is a drawing in the format {file.format}; save it as a PNG"
                    )
                return _fit(file, shape)
        except UnidentifiedImageError:
            raise ValueError(
                "it is not an image, or of a format that Pillow does not know"
            ) from None
        except Image.DecompressionBombError:
            raise ValueError("it has too many pixels; make it smaller") from None
        except DAMAGED as error:
            raise ValueError(f"it is damaged: {error}") from None


def read_images(paths: Sequence[str | os.PathLike[str]], shape: ImageShape) -> np.ndarray:
    """Read image files as a batch that a model takes.

    Raises:
        ValueError: A file cannot be read, or they have different sizes and the model takes any.
    """
    images = []
    for path in paths:
        try:
            images.append(read_image(path, shape).pixels)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"`inputs` is the path of a file that cannot be read as an image: {error}. "
                f"Received: path {os.fspath(path)!r}"
            ) from error
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        raise ValueError(
            "`inputs` must be image files of one size, since the model takes any. "
            f"Received: {', '.join(f'{width}×{height}' for height, width in sorted(sizes))} pixels"
        )
    batch = np.stack(images)
    return np.moveaxis(batch, -1, 1) if shape.channels_first else batch


def _fit(file: Image.Image, shape: ImageShape) -> ImageFile:
    from PIL import ImageOps

    frames = getattr(file, "n_frames", 1)
    photo = ImageOps.exif_transpose(file)
    width, height = photo.size
    is_deep = photo.mode.startswith(("I", "F"))  # of more than 8 bits, and without colours
    image = _from_0_to_255(photo) if is_deep else photo.convert(MODES[shape.channels])
    is_greyed = shape.channels == 1 and not is_deep and _has_colors(photo)
    is_made_opaque = shape.channels < 4 and not is_deep and _is_see_through(photo)
    is_squashed = False
    if shape.height and shape.width:
        image = image.resize((shape.width, shape.height))
        # By more than the pixel by which sides of the same ratio may be rounded.
        is_squashed = abs(width * shape.height - height * shape.width) > max(width, height)
    pixels = np.asarray(image, "float32").reshape(image.height, image.width, -1)
    if is_deep:
        pixels = np.repeat(pixels.clip(0, 255), shape.channels, axis=2)  # resizing overshoots
        pixels[..., 3:] = 255  # opaque
    return ImageFile(
        pixels=pixels,
        size=photo.size,
        is_squashed=is_squashed,
        is_greyed=is_greyed,
        is_made_opaque=is_made_opaque,
        frames=frames,
    )


def _from_0_to_255(image: Image.Image) -> Image.Image:
    """Return an image of 16 bits or of floats as one of floats from 0 to 255."""
    from PIL import Image

    values = np.asarray(image).astype("float64")
    low, high = values.min(), values.max()
    limit = MAX_16_BITS if image.mode.startswith("I") else 1 if high <= 1 else 255
    if low < 0 or not high <= limit:  # or NaN
        raise ValueError(
            f"its values must be from 0 to {limit}, and are from {low:g} to {high:g}; save them as "
            "a .npy file"
        )
    return Image.fromarray((values * (255 / limit)).astype("float32"))


def _is_see_through(image: Image.Image) -> bool:
    """Whether a pixel is transparent, be it in part."""
    if image.mode not in ("RGBA", "RGBa", "LA", "La", "PA") and "transparency" not in image.info:
        return False
    return bool((np.asarray(image.convert("RGBA"))[..., 3] < 255).any())


def _has_colors(image: Image.Image) -> bool:
    """Whether an image is in colour, and not grey in three channels."""
    if image.mode in ("1", "L", "LA", "La"):
        return False
    rgb = np.asarray(image.convert("RGB"))
    return bool((rgb != rgb[..., :1]).any())
