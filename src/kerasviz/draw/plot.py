"""`Plot`, which every plot function returns, and `Panel`, the data of one part of it."""

from __future__ import annotations

import os
import pathlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure, FigureBase
from matplotlib.image import AxesImage

from kerasviz._files import replacing


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Panel:
    """One part of a plot: the data that it shows, and the artists that show them.

    Args:
        address: The layer address, or the name of the metric or statistic; "" where there is none.
        indices: The index of each tile in its layer, `(tiles,)`, in the order in which they are
            drawn: after `sort=` and `top=` it says which filter is which tile. `None` where there
            are no tiles.
        values: The values themselves, whatever scale they are drawn on. Of tiles `values[i]` are
            those of `indices[i]`: `(tiles, height, width)`; with a last axis of 3 where they are
            drawn as colours; `(tiles, slices, height, width)` of several slices;
            `(tiles, rows, ...)` of a table with one row per sample or input channel;
            `(tiles, rows)` of a matrix. Of curves `(curves, points)`, NaN where a curve has no
            value; of histograms `(distributions, bins)`, the heights; of an image its values.
            `None` where there is no array, such as of the boxes of an architecture.
        limits: The lowest and highest value of the colours, as `image.get_clim()`; `None` where
            values are colours themselves, or there is no image.
        title: What is shown in words, address and count first, whichever title is drawn.
        ax: The Axes.
        image: The image of the values, `None` of curves and boxes. Of tiles, `image.get_array()` is
            the masked array of the values as they are drawn, one masked row or column or more
            between two tiles. Pictures under or beside the tiles are images of their own, in
            `ax.images` alone. Where there are more values than pixels, what is drawn are averages
            in which single strong values stay visible, and `get_array` still has every value.
        colorbar: The colour bar of the image, `None` where there is none. Panels may share one.

    Example:
        >>> import numpy as np, kerasviz
        >>> array = np.stack([np.eye(3), 2 * np.eye(3)], axis=-1)
        >>> (panel,) = kerasviz.plot_tiles(array, sort="norm").panels
        >>> panel.indices
        array([1, 0])
        >>> panel.values.shape, panel.limits
        ((2, 3, 3), (0.0, 2.0))
    """

    address: str = ""
    indices: np.ndarray | None = None
    values: np.ndarray | None = None
    limits: tuple[float, float] | None = None
    title: str = ""
    ax: Axes
    image: AxesImage | None = None
    colorbar: Colorbar | None = None

    def __repr__(self) -> str:
        first_line = self.title.partition("\n")[0] or self.address
        return f"Panel({first_line})"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Plot:
    """A finished picture: the data of each panel, and the Matplotlib artists that show them.

    Nothing is shown or saved: call pyplot's `show` or `savefig`. In a notebook the figure appears
    by itself, as that of every pyplot call does.

    Args:
        figure: The Figure, or the SubFigure that was drawn into.
        panels: The data and the artists of each part.
        picture: The input image, where one is drawn beside the panels; it is none of them.
        owns_figure: Whether the figure was made for this plot, so that `close` closes it.

    Example:
        >>> import numpy as np, kerasviz
        >>> plot = kerasviz.plot_tiles(np.eye(3)[:, :, np.newaxis])
        >>> plot.panels[0].values.shape
        (1, 3, 3)
        >>> plot.close()
    """

    figure: FigureBase
    panels: tuple[Panel, ...]
    picture: Panel | None = None
    owns_figure: bool = False

    @classmethod
    def of_axes(
        cls,
        figure: FigureBase,
        axes: Sequence[Axes],
        *,
        addresses: Sequence[str],
        titles: Sequence[str],
        values: Sequence[np.ndarray | None] | None = None,
        owns_figure: bool = False,
    ) -> Plot:
        """Return the plot of Axes that hold curves, bars or boxes: one panel per Axes, no images.

        Args:
            figure: The figure.
            axes: The Axes, in order.
            addresses: What each shows, see `Panel`.
            titles: The words of each.
            values: The array of each, where there is one.
            owns_figure: Whether the figure was made for this plot.
        """
        facts = zip(axes, addresses, titles, values or [None] * len(axes), strict=True)
        panels = [
            Panel(ax=ax, address=address, title=title, values=array)
            for ax, address, title, array in facts
        ]
        return cls(figure=figure, panels=tuple(panels), owns_figure=owns_figure)

    @property
    def axes(self) -> tuple[Axes, ...]:
        """The Axes of the panels, each once."""
        return tuple(dict.fromkeys(panel.ax for panel in self.panels))

    @property
    def images(self) -> tuple[AxesImage, ...]:
        """The image of each panel that has one."""
        return tuple(panel.image for panel in self.panels if panel.image is not None)

    @property
    def colorbars(self) -> tuple[Colorbar | None, ...]:
        """The colour bar of each image, `None` where there is none."""
        return tuple(panel.colorbar for panel in self.panels if panel.image is not None)

    def close(self) -> None:
        """Close the figure in pyplot, if it was made for this plot; a figure of yours stays open.

        The plot keeps its data and its figure, which can still be saved.
        """
        if self.owns_figure:
            plt.close(cast(Figure, self.figure))

    def savefig(self, path: str | os.PathLike[str] | IO[bytes], **kwargs: Any) -> None:
        """Save the whole figure to a file or a stream, with the keywords of `Figure.savefig`.

        The file appears under its name when it is complete: if the figure cannot be saved, a file
        that was there stays as it was. A link stays, and the file that it leads to is replaced.

        A PNG is compressed less than Matplotlib does it: that takes a third to half of Matplotlib's
        time, and the file is a few percent larger. `pil_kwargs={"compress_level": 6}` is
        Matplotlib's way.
        """
        figure = self.figure.get_figure(root=True)
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
        artists = [artist for ax in self.axes for artist in (*ax.images, *ax.lines, *ax.patches)]
        return artists == list(self.images)

    def __repr__(self) -> str:
        labels = [str(image.get_label()) for image in self.images]
        if len(labels) == 1 and not labels[0].startswith("_"):  # which are Matplotlib's own
            return f"Plot({labels[0]})"
        if len(self.panels) == 1 and self.panels[0].indices is not None:  # a chart of a layer
            return f"Plot({self.panels[0].title.partition(chr(10))[0]})"
        return f"Plot({len(self.panels)} panel{'s' if len(self.panels) != 1 else ''})"


PNG_COMPRESSION = {"compress_level": 3}
"""Of 9; zlib's own choice, 6, takes twice as long for files 1 to 15 % smaller."""


PNG_COMPRESSION_OF_TILES = {"compress_level": 3, "compress_type": zlib.Z_RLE}
"""Only the dots of one value repeat in tiles: to look for other repetitions takes time alone."""
