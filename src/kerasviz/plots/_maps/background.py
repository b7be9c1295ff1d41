"""Find the pictures behind feature maps: an input of the model, or an array of the caller's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import keras
import numpy as np

from kerasviz._checks import check_choice, suggest
from kerasviz.compute.feature_maps import Extraction
from kerasviz.draw.tiles.background import Opacity

MIN_PIXELS, MAX_PICTURE_ASPECT = 4, 5
"""The smallest side of an input that is an image, and how many times as long as wide it may be."""

Interpolation = Literal["nearest", "bilinear"]


@dataclass(frozen=True, kw_only=True)
class Background:
    """The keywords about the pictures behind maps, checked as far as possible without the inputs.

    Args:
        is_beneath: Whether the maps are drawn over the pictures, not beside them.
        picture: The name or the index of an input, an array of pictures, or `None`.
        alpha: How much of a picture the maps cover.
        interpolation: How the maps are enlarged.
        source: The keyword that an array came by.
    """

    is_beneath: bool
    picture: str | int | np.ndarray | None
    alpha: Opacity
    interpolation: Interpolation
    source: str = "picture"

    @property
    def kind(self) -> str:
        """The word for the pictures."""
        return "picture" if isinstance(self.picture, np.ndarray) else "input"

    def note(self, size: tuple[int, int], kind: str | None = None) -> str:
        """Say over what the maps are drawn, and how; labels have no strength."""
        if kind == "labels" and self.alpha == "strength":
            return f"over the {size[0]}×{size[1]} {self.kind}"
        how = "by strength" if self.alpha == "strength" else f"{self.alpha:.2g}"
        smooth = ", bilinear" if self.interpolation == "bilinear" else ""
        return f"over the {size[0]}×{size[1]} {self.kind}{smooth}, opacity {how}"


def check_background(overlay: Any, picture: Any, alpha: Any, interpolation: Any) -> Background:
    """Check the keywords that have to do with pictures, as `plot_feature_maps` takes them.

    Raises:
        TypeError: A value of the wrong type.
        ValueError: A value that does not exist, or keywords that contradict each other.
    """
    source, value = _check_picture(overlay, picture)
    is_beneath = source == "overlay" or bool(overlay)
    _check_alpha(alpha)
    check_choice("interpolation", interpolation, get_args(Interpolation))
    for name, own, default in (
        ("alpha", alpha, "strength"),
        ("interpolation", interpolation, "nearest"),
    ):
        if not is_beneath and own != default:
            raise ValueError(
                f"`{name}` can only be used together with `overlay`. Received: {name}={own!r}"
            )
    return Background(
        is_beneath=is_beneath,
        picture=value,
        alpha=alpha,
        interpolation=interpolation,
        source=source,
    )


def _check_picture(overlay: Any, picture: Any) -> tuple[str, str | int | np.ndarray | None]:
    """Return the keyword that a picture comes by, and the picture or the input that is one."""
    if _is_bool(picture):
        raise TypeError(
            "`picture` must be the name or the index of an input, or an array. "
            f"Received: picture={picture!r}"
        )
    if _is_bool(overlay):
        is_name = picture is None or isinstance(picture, (str, int, np.integer))
        return "picture", picture if is_name else _as_array("picture", picture)
    if overlay is None or isinstance(overlay, (str, int, np.integer)):
        raise TypeError(
            "`overlay` must be a bool or an array, the picture; `picture` names an input. "
            f"Received: overlay={overlay!r}"
        )
    if picture is not None:
        raise ValueError("`overlay` and `picture` cannot both be a picture.")
    return "overlay", _as_array("overlay", overlay)


def _is_bool(value: object) -> bool:
    return isinstance(value, (bool, np.bool_))


def _check_alpha(alpha: Any) -> None:
    if isinstance(alpha, str):
        check_choice("alpha", alpha, ("strength",), "a number from 0 to 1")
    elif _is_bool(alpha) or not isinstance(alpha, (int, float, np.integer, np.floating)):
        raise TypeError(
            f"`alpha` must be 'strength' or a number from 0 to 1. Received: alpha={alpha!r}"
        )
    elif not 0 <= alpha <= 1:
        raise ValueError(
            f"`alpha` must be 'strength' or a number from 0 to 1. Received: alpha={alpha!r}"
        )


def _as_array(name: str, value: Any) -> np.ndarray:
    """Return a picture or a signal of the caller's as an array of real numbers."""
    try:
        array = np.asarray(
            keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value
        )
    except ValueError as error:
        raise ValueError(f"`{name}` must be an array that is not ragged. {error}") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"`{name}` must hold real numbers. Received: dtype {array.dtype}")
    if not array.size:
        raise _wrong_shape(name, array)
    return array


def _wrong_shape(name: str, array: np.ndarray) -> ValueError:
    return ValueError(
        f"`{name}` must have the shape (height, width) or (height, width, 1 or 3), with an "
        f"axis for the samples before these where there are several. "
        f"Received: an array of shape {array.shape}"
    )


def _pictures_of(array: np.ndarray, name: str) -> np.ndarray:
    """Return pictures of the caller's as `(samples, height, width, 1 or 3)`."""
    has_colors = array.ndim > 2 and array.shape[-1] in (1, 3)
    if array.ndim - has_colors not in (2, 3):
        raise _wrong_shape(name, array)
    if not has_colors:
        array = array[..., np.newaxis]
    return array if array.ndim == 4 else array[np.newaxis]


def as_pictures(name: str, value: Any) -> np.ndarray:
    """Return a keyword's pictures as `(samples, height, width, 1 or 3)`, or refuse them."""
    return _pictures_of(_as_array(name, value), name)


def find_backgrounds(
    extraction: Extraction, background: Background, indices: np.ndarray, *, grey: bool
) -> np.ndarray | None:
    """Return the picture of each sample that is drawn, or `None` where there is none.

    Args:
        extraction: What is drawn.
        background: The checked keywords.
        indices: The indices of the samples.
        grey: Whether inputs without an axis of channels may be pictures.

    Returns:
        Array `(samples, height, width, 1)` or `(samples, height, width, 3)` of the values as they
        were given.

    Raises:
        ValueError: It cannot be told which picture is meant, or there is none and one is needed.
    """
    if not isinstance(background.picture, np.ndarray):
        picture = _input_picture(extraction, background, grey=grey)
        return None if picture is None else picture[indices]
    pictures = _pictures_of(background.picture, background.source)
    count, total = len(pictures), len(extraction.batch)
    if count == total:
        return np.asarray(pictures[indices])
    if count > 1 or len(indices) > 1:
        raise ValueError(
            f"The picture must be one for each of the {total} samples in `inputs`, "
            f"or one where one sample is drawn. Received: {count} for {len(indices)} drawn"
        )
    return pictures


def _input_picture(
    extraction: Extraction, background: Background, *, grey: bool
) -> np.ndarray | None:
    """Return the input that is the picture, or `None` where there is none and none is needed."""
    names = [str(tensor.name) for tensor in keras.tree.flatten(extraction.specs)]
    arrays = extraction.batch.arrays
    candidates = _picture_inputs(extraction, grey=grey)
    if background.picture is not None:
        index = find_input(background.picture, names)
        if index not in candidates:
            raise ValueError(
                "`picture` must name an input of shape (samples, height, width, 1 or 3). "
                f"Received: picture={background.picture!r}, of shape {arrays[index].shape}"
            )
        return candidates[index]
    if len(candidates) > 1:
        raise ValueError(
            "`picture` must say which of the inputs is the picture: "
            f"{' or '.join(repr(names[i]) for i in candidates)}. Received: picture=None"
        )
    if not candidates and background.is_beneath:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(
            "`overlay` can be True where an input has the shape (samples, height, width, 1 or 3); "
            f"else it must be the picture itself. Received: overlay=True, inputs of shape {shapes}"
        )
    return next(iter(candidates.values()), None)


def _picture_inputs(extraction: Extraction, *, grey: bool) -> dict[int, np.ndarray]:
    """Return the inputs that are like pictures, channels last, by their index."""
    arrays = extraction.batch.arrays
    pictures = {i: _as_pictures(array) for i, array in enumerate(arrays)}
    candidates = {i: picture for i, picture in pictures.items() if picture is not None}
    if not candidates and grey:
        candidates = {
            i: array[..., np.newaxis] for i, array in enumerate(arrays) if array.ndim == 3
        }
    return candidates


def find_picture_beside(
    extraction: Extraction, background: Background, index: int, *, grey: bool
) -> np.ndarray | None:
    """Return the picture of one sample that is drawn beside its maps, if it is known which one.

    Args:
        extraction: What is drawn, with all samples.
        background: The checked keywords.
        index: The index of the sample.
        grey: Whether inputs without an axis of channels may be pictures.

    Returns:
        Array `(height, width, 1)` or `(height, width, 3)`.

    Raises:
        ValueError: The caller's choice is not a picture.
    """
    if background.picture is not None:
        pictures = find_backgrounds(extraction, background, np.array([index]), grey=grey)
        return None if pictures is None else np.asarray(pictures[0])
    candidates = _picture_inputs(extraction, grey=grey)
    if len(candidates) != 1:
        return None
    (picture,) = candidates.values()
    low, high = sorted(picture.shape[1:3])
    is_image = low >= MIN_PIXELS and high <= MAX_PICTURE_ASPECT * low
    return np.asarray(picture[index]) if is_image else None


def _as_pictures(array: np.ndarray) -> np.ndarray | None:
    """Return an input as pictures, channels last, if it is like some."""
    if array.ndim != 4 or array.dtype.kind not in "biuf":
        return None
    if array.shape[3] in (1, 3):
        return array
    return np.moveaxis(array, 1, 3) if array.shape[1] in (1, 3) else None


def find_input(picture: str | int | np.ndarray, names: list[str]) -> int:
    if isinstance(picture, str):
        if picture not in names:
            raise ValueError(
                f"`picture` must be one of the inputs {', '.join(map(repr, names))}."
                f"{suggest(picture, names)} Received: picture={picture!r}"
            )
        return names.index(picture)
    if not -len(names) <= int(picture) < len(names):
        raise ValueError(
            f"`picture` must be between {-len(names)} and {len(names) - 1}, since the model has "
            f"{len(names)} inputs. Received: picture={picture}"
        )
    return range(len(names))[int(picture)]
