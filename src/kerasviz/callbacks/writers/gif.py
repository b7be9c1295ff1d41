"""The steps of a training run as an animation, on one colour scale that is known at the end."""

from __future__ import annotations

import errno
import io
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from itertools import count
from pathlib import Path
from typing import IO, cast

import numpy as np
from matplotlib.colors import to_rgb
from PIL import GifImagePlugin, Image

from kerasviz._files import replacing
from kerasviz.callbacks.colors import FixedColors, Range, fix_colors
from kerasviz.callbacks.schedule import Every
from kerasviz.callbacks.signs import DrawnPatterns
from kerasviz.callbacks.writers.folder import last_number, open_folder
from kerasviz.callbacks.writers.png import discard, encode, png_size
from kerasviz.draw.color import INVALID, ColorChoice, ColorScale
from kerasviz.draw.tiles.panel import CROSS_COLOR, TilePanel
from kerasviz.draw.tiles.picture import draw_apart
from kerasviz.draw.tiles.style import TileStyle

FRAME_TIME, LAST_TIME = 250, 2000
"""How long a step is shown, and the last one, in milliseconds."""
UNREADABLE = (OSError, KeyError, ValueError, zipfile.BadZipFile)
"""The exceptions that a file without the values of a step raises."""
GREYS = 32
"""How many of a palette's 256 colours are for text; nearly all others are for values."""


class Animation:
    """A GIF a layer, `conv2d/kernels.gif`, and the values that it is made from.

    Colours can only be chosen when the last values are known. Until then the values of each step
    wait in `conv2d/kernels-frames`, where a run that is resumed finds them.

    Args:
        folder: The folder.
        kind: What the pictures show, the first word of each name.
        every: What is counted.
        style: How to draw the pictures.
    """

    keyword = "gif"

    def __init__(self, folder: Path, kind: str, every: Every, style: TileStyle) -> None:
        self.folder = folder
        self.kind = kind
        self.every = every
        self.style = style
        self._key = ""
        self._reels: dict[str, _Reel] = {}
        self._has_new = False

    def open(self) -> int:
        """Check that the folder can be written to; return the number of the last step in it."""
        open_folder(self.folder, self.keyword)
        frames = self.folder.glob(f"*/{self.kind}*-frames/{self.every.unit}-*.npz")
        return last_number(frames, self.every)

    def begin(self, key: str) -> None:
        """Take note of what the values depend on; only steps with the same key are one run."""
        self._key = key
        self._reels = {}

    def write(self, name: str, number: int, panel: TilePanel) -> None:
        """Put a step aside.

        Args:
            name: The name of the layer's folder.
            number: The number of the step.
            panel: What is drawn of it, on no scale yet.
        """
        folder = self.folder / name
        folder.mkdir(exist_ok=True)  # without parents: one that vanished must not come back
        key = self._full_key(panel)
        if name not in self._reels:
            self._reels[name] = _Reel(self._choose_path(folder, key), panel)
        reel = self._reels[name]
        reel.latest = panel
        reel.frames.mkdir(exist_ok=True)
        values = io.BytesIO()
        np.savez(
            values,
            tiles=panel.tiles,
            indices=panel.indices,
            notes=np.array(panel.notes, str),
            key=np.array(key),
        )
        with replacing(reel.frames / f"{self.every.stem(number)}.npz") as stream:
            stream.write(values.getbuffer())
        self._has_new = True

    def read_patterns(self, name: str, panel: TilePanel, drawn: DrawnPatterns) -> None:
        """Remember the last step that an earlier run put aside, if this one goes on from it.

        Args:
            name: The name of the layer's folder.
            panel: What is drawn of the next step.
            drawn: What remembers it.
        """
        files = _frame_files(self._choose_path(self.folder / name, self._full_key(panel)))
        with suppress(*UNREADABLE):
            for file in files[-1:]:
                with np.load(file) as data:
                    drawn.remember(data["tiles"], data["indices"])

    def _full_key(self, panel: TilePanel) -> str:
        """Return what tells the values of a layer's steps apart from those of something else."""
        return f"{self._key}, {panel.total} {panel.kind}, {panel.tiles.shape}"

    def _choose_path(self, folder: Path, key: str) -> Path:
        """Return the first name under which no animation of something else is kept."""
        kinds = (self.kind if number == 1 else f"{self.kind}-{number}" for number in count(1))
        return next(path for kind in kinds if _is_free(path := folder / f"{kind}.gif", key))

    def finish(self) -> None:
        """Draw every animation, if there are new steps."""
        if not self._has_new:
            return
        ranges = {name: reel.measure(self.style.colors) for name, reel in self._reels.items()}
        if self.style.colors.scale == "figure":
            whole = reduce(Range.join, [limits.whole for limits in ranges.values()])
            ranges = dict.fromkeys(ranges, whole)
        for name, reel in self._reels.items():
            reel.draw(fix_colors(ranges[name], reel.latest, self.style))
        self._has_new = False


def _frames_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}-frames")


def _frame_files(path: Path) -> list[Path]:
    """Return the files with the values of an animation, in the order of the steps."""
    return sorted(_frames_of(path).glob("*.npz"))


def _is_free(path: Path, key: str) -> bool:
    """Whether an animation may be written here: a new one, or one that goes on."""
    files = _frame_files(path)
    return _read_key(files[-1]) == key if files else not path.exists()


def _read_key(file: Path) -> str | None:
    try:
        with np.load(file) as data:
            return str(data["key"])
    except UNREADABLE:
        return None  # no file of ours


@dataclass
class _Reel:
    """The animation of one layer.

    Args:
        path: The GIF.
        latest: The latest step.
    """

    path: Path
    latest: TilePanel

    @property
    def frames(self) -> Path:
        return _frames_of(self.path)

    def steps(self) -> Iterator[TilePanel]:
        """Yield what each step shows, one at a time, the tiles in the order of the latest."""
        for file in _frame_files(self.path):
            try:
                with np.load(file) as data:
                    tiles = _reorder(data["tiles"], data["indices"], self.latest)
                    notes = tuple(data["notes"].tolist())
            except UNREADABLE as error:
                raise OSError(errno.EIO, f"the values in '{file}' cannot be read") from error
            yield replace(self.latest, values=tiles, notes=notes)

    def measure(self, colors: ColorChoice) -> Range:
        ranges = [Range.of(step, colors) for step in self.steps()]
        if not ranges:
            raise FileNotFoundError(errno.ENOENT, f"the values in '{self.frames}' are gone")
        return reduce(Range.join, ranges)

    def draw(self, colors: FixedColors) -> None:
        has_palette = colors.scale is not None and self.latest.backgrounds is None
        palette = _palette(cast(ColorScale, colors.scale)) if has_palette else None
        with tempfile.TemporaryFile(dir=self.path.parent) as file, replacing(self.path) as stream:
            pictures = _PictureStore(file)
            for step in self.steps():
                pictures.add(_render(colors.apply(step), colors.style))
            _write_gif(stream, pictures, palette)


def _reorder(tiles: np.ndarray, indices: np.ndarray, like: TilePanel) -> np.ndarray:
    """Put tiles in the order of another panel, since `sort` may order each step differently."""
    places = {number: place for place, number in enumerate(indices.tolist())}
    order = [places[number] for number in like.indices.tolist()]
    groups = tiles.reshape(-1, len(indices), like.slices, *tiles.shape[1:])
    return np.asarray(groups[:, order].reshape(tiles.shape))


def _render(panel: TilePanel, style: TileStyle) -> bytes:
    (plot,) = draw_apart([panel], style)
    png = encode(plot)
    discard(plot)
    return png


class _PictureStore:
    """Pictures in a file, so that none is held in memory until the size of all is known."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lengths: list[int] = []
        self.size = (0, 0)

    def add(self, png: bytes) -> None:
        self._file.write(png)
        self._lengths.append(len(png))
        sizes = zip(self.size, png_size(png), strict=True)
        self.size = cast(tuple[int, int], tuple(map(max, sizes)))

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[Image.Image]:
        """Yield the pictures in one size, room added at the top, where titles differ in length."""
        self._file.seek(0)
        for length in self._lengths:
            picture = Image.open(io.BytesIO(self._file.read(length))).convert("RGB")
            if picture.size != self.size:
                whole = Image.new("RGB", self.size, cast(tuple[int, ...], picture.getpixel((0, 0))))
                whole.paste(picture, (0, self.size[1] - picture.height))
                picture = whole
            yield picture


def _palette(scale: ColorScale) -> Image.Image:
    """Return a palette in which a value has the same colour at every step."""
    greys = np.linspace(0, 1, GREYS)[:, np.newaxis].repeat(3, axis=1)
    marks = np.array([to_rgb(CROSS_COLOR), to_rgb(INVALID)])
    values = scale.cmap(np.linspace(0, 1, 256 - GREYS - len(marks)))[:, :3]
    image = Image.new("P", (1, 1))
    image.putpalette(
        (255 * np.concatenate([greys, marks, values])).round().astype("uint8").tobytes()
    )
    return image


def _write_gif(stream: IO[bytes], pictures: _PictureStore, palette: Image.Image | None) -> None:
    """Write pictures one by one; Pillow's own way to save several holds all of them in memory.

    The format: a header with width and height, an extension that repeats the whole for ever, then
    the pictures, each with its palette, and a semicolon.
    Source: "GIF89a Specification", sections 17 to 27.
    """
    stream.write(b"GIF89a" + struct.pack("<HH3B", *pictures.size, 0x70, 0, 0))
    stream.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
    for index, picture in enumerate(pictures, start=1):
        frame = picture.quantize(256, palette=palette, dither=Image.Dither.NONE)
        time = FRAME_TIME if index < len(pictures) else LAST_TIME
        for part in GifImagePlugin.getdata(frame, duration=time, include_color_table=True):
            stream.write(part)
    stream.write(b";")
