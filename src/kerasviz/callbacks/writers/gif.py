"""Animations of the steps of a training, on one colour scale that is known at the end."""

from __future__ import annotations

import errno

from kerasviz._files import replacing
from kerasviz.callbacks.writers.record_folder import RecordFolder
from kerasviz.draw.tiles.style import TileStyle
from kerasviz.plots.snapshots import StepMovie, StepSeries, limit_frames, share_scales


class GifBuilder:
    """Builds one GIF per layer from the records beside it: `conv2d/kernels.gif`.

    Args:
        records: The folder of the records.
        style: How to draw the frames.
    """

    def __init__(self, records: RecordFolder, style: TileStyle) -> None:
        self.records = records
        self.style = style
        self.has_new_steps: bool = False

    def build(self) -> None:
        """Draw every animation, if there are new steps.

        Raises:
            OSError: The records cannot be read, or the GIF cannot be written.
            ValueError: The values cannot be drawn, such as 0 alone on a logarithmic scale.
        """
        if not self.has_new_steps:
            return
        written = self.records.written()
        for path, files in written.items():
            if not files:
                raise FileNotFoundError(errno.ENOENT, f"the values for '{path}.gif' are gone")
        every_series = [
            limit_frames(StepSeries(address=path.parent.name, files=tuple(files)))
            for path, files in written.items()
        ]
        shared_colors = share_scales(every_series, self.style.colors)
        for path, series, shared in zip(written, every_series, shared_colors, strict=True):
            movie = StepMovie(series=series, shared=shared, style=self.style)
            with replacing(path.with_name(f"{path.name}.gif")) as stream:
                movie.save_gif(stream)
        self.has_new_steps = False
