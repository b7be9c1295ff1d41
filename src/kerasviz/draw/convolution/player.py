"""Describe an animation of a convolution as data, and put it into a player.

Two pictures are embedded, those of input and output; a script moves a frame over each and writes
the numbers of the step, in the colours and the notation of the Matplotlib picture.
"""

from __future__ import annotations

import base64
import io
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from kerasviz.draw.animations.player import Player
from kerasviz.draw.color import INVALID, ColorScale, value_range
from kerasviz.draw.convolution.colors import BARS, ConvolutionColors, choose_colors
from kerasviz.draw.convolution.content import ConvolutionView, StepView
from kerasviz.draw.convolution.layout import SIGNS

CONTENT = Path(__file__).with_name("player.html")
SCRIPT = Path(__file__).with_name("player.js")
MAX_NUMBERED_CELLS = 49
"""A window with more cells has no numbers in the player."""
MAX_VALUES = 32_000
"""Up to this count the numbers under the window, of all steps, are embedded as they are."""
MAX_PICTURE = 18_000
"""A picture that needs more bytes as a PNG becomes a JPEG, and smaller until it has fewer."""
LEVELS = 254
"""Colours of values in a PNG; the two others are for invalid values and for no value."""


def make_player(
    view: ConvolutionView, steps: Sequence[StepView], frame_indices: np.ndarray, interval: float
) -> str:
    """Return a player for steps, a piece of HTML that needs no network.

    Args:
        view: What does not change.
        steps: What each frame shows.
        frame_indices: For each value of the output, the first frame that shows it.
        interval: How long a frame is shown, in milliseconds.
    """
    colors = choose_colors(view)
    windows = np.stack([np.ma.getdata(step.windows) for step in steps])
    has_few = windows.size <= MAX_VALUES or len(np.unique(windows)) <= 256
    is_numbered = math.prod(view.window_shape) <= MAX_NUMBERED_CELLS and has_few
    data = {
        **_describe_view(view, colors),
        "numbered": is_numbered,
        "windows": _encode_values(windows, exact=is_numbered),
        "kernel": None if view.kernels is None else _encode_values(view.kernels, exact=True),
        "spacing": _spacing(steps[0]),
        "steps": [_describe_step(step) for step in steps],
        "runs": _count_runs(frame_indices.ravel()),
    }
    heading = str(data["heading"])
    return Player(
        label=" ".join(heading.split()) or "step by step",
        content=CONTENT.read_text(encoding="utf-8"),
        script=SCRIPT.read_text(encoding="utf-8"),
        data=data,
        count=len(steps),
        interval=interval,
    ).write()


def _describe_view(view: ConvolutionView, colors: ConvolutionColors) -> dict[str, Any]:
    is_data = np.logical_and.outer(*view.is_data)
    inputs = [
        _encode_picture(colors.scale(row, "input"), np.ma.MaskedArray(values, ~is_data))
        for row, values in enumerate(view.padded_inputs)
    ]
    bars = [bar for bar in BARS if bar in view.parts]
    return {
        "heading": _unescape(view.heading),
        "titles": {
            part: _unescape(title + colors.formats[part].unit)
            for part, title in view.titles.items()
            if part in view.parts
        },
        "rows": [
            {"name": name, "input": source}
            for name, source in zip(view.row_names, inputs, strict=True)
        ],
        "input_shape": view.shape("input"),
        "output_shape": view.shape("output"),
        "output": _encode_picture(colors.scales["output"], np.ma.MaskedArray(view.output)),
        "window": view.window_shape,
        "sequence": view.is_sequence,
        "dilation": view.is_dilated,
        "is_data": ["".join("01"[cell] for cell in axis.astype(int)) for axis in view.is_data],
        "numbers_masked": view.counts_padding,
        "formats": {
            part: {"decimals": each.decimals, "unit": 10.0**each.exponent}
            for part, each in colors.formats.items()
        },
        "letters": {
            part: max(len(colors.formats[part](value)) for value in value_range(view.values(part)))
            for part in view.parts
        },
        "scales": {part: _describe_scale(part, view, colors) for part in view.parts},
        "ticks": {bar: [label for _, label in colors.ticks(bar)] for bar in bars},
        "signs": SIGNS,
        "invalid": INVALID,
    }


def _describe_scale(part: str, view: ConvolutionView, colors: ConvolutionColors) -> dict[str, Any]:
    rows = len(view.row_names) if part in BARS["input"] and colors.row_cmaps else 1
    scales = [colors.scale(row, part) for row in range(rows)]
    tables = [scale.cmap(np.linspace(0, 1, 256), bytes=True)[:, :3] for scale in scales]
    norm = scales[0].norm
    return {
        "low": norm.vmin,
        "high": norm.vmax,
        "colors": [_encode(np.ascontiguousarray(table, "uint8").tobytes()) for table in tables],
    }


def _describe_step(step: StepView) -> dict[str, Any]:
    rows, columns = step.indices
    return {
        "place": [*map(int, step.position), int(rows[0]), int(columns[0])],
        "captions": list(step.captions),
        "formula": step.formula,
        "largest": step.largest,
    }


def _spacing(step: StepView) -> list[int]:
    """Return the distance between two cells under the window, down and to the right."""
    return [int(axis[1] - axis[0]) if len(axis) > 1 else 1 for axis in step.indices]


def _encode_values(values: np.ndarray, *, exact: bool) -> dict[str, Any]:
    """Return numbers as text: few different ones as a table, and one or two bytes for each.

    Where no number is written, 256 levels are enough for colours.
    """
    values = values.astype("<f4")
    table, codes = np.unique(values, return_inverse=True)
    if len(table) > 256 and not exact:
        low, high = value_range(values)
        table = np.linspace(low, high, 256, dtype="<f4")
        table[-1] = high if np.isfinite(values).all() else np.nan
        levels = np.nan_to_num((values - low) / ((high - low) or 1), nan=1, posinf=1, neginf=1)
        codes = np.rint(np.clip(levels, 0, 1) * 255)
    if 2 * len(table) > values.size or len(table) > 2**16:
        return {"table": None, "bytes": 4, "data": _encode(values.tobytes())}
    kind = "u1" if len(table) <= 256 else "<u2"
    return {
        "table": _encode(table.tobytes()),
        "bytes": np.dtype(kind).itemsize,
        "data": _encode(codes.astype(kind).tobytes()),
    }


def _encode_picture(scale: ColorScale, values: np.ma.MaskedArray) -> str:
    """Return an image with one dot per value, or fewer where it would be too large."""
    data, mask = np.ma.getdata(values), np.ma.getmaskarray(values)
    finite = np.where(np.isfinite(data), data, 0.0)
    levels = np.clip(np.asarray(scale.norm(finite)), 0, 1) * (LEVELS - 1)
    codes = np.where(np.isfinite(data), np.rint(levels), LEVELS)
    palette = np.concatenate([scale.cmap(np.linspace(0, 1, LEVELS))[:, :3], [to_rgb(INVALID)]])
    image = Image.fromarray(np.where(mask, LEVELS + 1, codes).astype("uint8"))
    image.putpalette(np.rint(255 * np.vstack([palette, [[0.95] * 3]])).astype("uint8").tobytes())
    stream = io.BytesIO()
    image.save(stream, format="png", optimize=True, transparency=LEVELS + 1)
    if stream.tell() <= MAX_PICTURE:
        return f"data:image/png;base64,{_encode(stream.getvalue())}"
    return _encode_photo(image.convert("RGB"))


def _encode_photo(image: Image.Image) -> str:
    side = 512.0
    while True:
        smaller = image.copy()
        smaller.thumbnail((int(side), int(side)), Image.Resampling.BOX)
        stream = io.BytesIO()
        smaller.save(stream, format="jpeg", quality=90, subsampling=0)
        if stream.tell() <= MAX_PICTURE or side < 96:
            return f"data:image/jpeg;base64,{_encode(stream.getvalue())}"
        side = 0.85 * min(side, max(image.size))


def _count_runs(frames: np.ndarray) -> list[list[int]]:
    """Return each first frame and of how many values in a row it is the first."""
    return [[int(frame), len(list(group))] for frame, group in itertools.groupby(frames)]


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unescape(text: str) -> str:
    """Undo what keeps Matplotlib from reading a formula."""
    return text.replace(r"\$", "$")
