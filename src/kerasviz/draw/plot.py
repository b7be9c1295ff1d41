"""`Plot`, what every plot function returns."""

from __future__ import annotations

import os
import pathlib
import zlib
from dataclasses import dataclass
from typing import IO, Any, cast

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure, FigureBase
from matplotlib.image import AxesImage

from kerasviz._files import replacing


@dataclass(frozen=True, eq=False, repr=False)
class Plot:
    """A finished picture and the Matplotlib artists in it.

    Nothing is shown or saved: call pyplot's `show` or `savefig`. In a notebook the figure appears
    by itself, as that of every pyplot call does.

    Args:
        figure: The Figure, or the SubFigure that was drawn into.
        axes: The Axes of each panel.
        images: The image of each panel, none where there are curves or boxes. Of tiles,
            `images[i].get_array()` is the masked array of the values that are shown, one masked
            row or column or more between two tiles. Pictures under or beside the tiles are
            images of their own, in `axes[i].images` alone. Where there are more values than
            pixels, what is drawn are averages in which single strong values stay visible, and
            `get_array` still has every value.
        colorbars: The colour bar of each image, `None` where there is none.

    Example:
        >>> import numpy as np, kerasviz
        >>> plot = kerasviz.plot_tiles(np.eye(3)[:, :, np.newaxis])
        >>> plot.images[0].get_array().shape
        (3, 3)
    """

    figure: FigureBase
    axes: tuple[Axes, ...]
    images: tuple[AxesImage, ...]
    colorbars: tuple[Colorbar | None, ...]

    def savefig(self, path: str | os.PathLike[str] | IO[bytes], **kwargs: Any) -> None:
        """Save the whole figure to a file or a stream, with the keywords of `Figure.savefig`.

        The file appears under its name when it is complete: if the figure cannot be saved, a file
        that was there stays as it was. A link stays, and the file that it leads to is replaced.

        A PNG is compressed less than Matplotlib does it, which takes a third to half of the time
        and makes the file some percent larger; `pil_kwargs={"compress_level": 6}` is Matplotlib's
        way.
        """
        figure = cast(Figure, self.axes[0].get_figure(root=True))
        is_path = isinstance(path, (str, os.PathLike))
        if not is_path and not hasattr(path, "write"):
            raise TypeError(f"`path` must be a path or a stream. Received: path={path!r:.80}")
        suffix = pathlib.Path(cast(str, path)).suffix[1:] if is_path else ""
        kind = (kwargs.get("format") or suffix or rcParams["savefig.format"]).lower()
        if kind == "png":
            settings = kwargs.get("pil_kwargs") or {}
            if settings.keys().isdisjoint({"compress_level", "compress_type", "optimize"}):
                ours = PNG_COMPRESSION_OF_TILES if self._is_of_tiles_alone else PNG_COMPRESSION
                kwargs = {**kwargs, "pil_kwargs": {**ours, **settings}}
        if not is_path or kind == "pgf":  # which writes its images into files beside it
            figure.savefig(path, **kwargs)
            return
        name = os.fspath(cast(str, path))
        if not suffix and not kwargs.get("format"):  # as Matplotlib does
            name = f"{name.rstrip('.')}.{kind}"
        with replacing(pathlib.Path(name), tidy=True) as stream:
            figure.savefig(stream, **{**kwargs, "format": kind})

    @property
    def _is_of_tiles_alone(self) -> bool:
        """Whether each panel shows its values and no picture, curve or box."""
        shown = [artist for ax in self.axes for artist in (*ax.images, *ax.lines, *ax.patches)]
        return shown == list(self.images)

    def __repr__(self) -> str:
        if len(self.images) == 1:
            return f"Plot({self.images[0].get_label()})"
        return f"Plot({len(self.axes)} panel{'s' if len(self.axes) != 1 else ''})"


PNG_COMPRESSION = {"compress_level": 3}
"""Of 9; zlib's own choice, 6, takes twice as long for files 1 to 15 % smaller."""


PNG_COMPRESSION_OF_TILES = {"compress_level": 3, "compress_type": zlib.Z_RLE}
"""Tiles repeat themselves within a value's dots alone: there to look for more takes time only."""
