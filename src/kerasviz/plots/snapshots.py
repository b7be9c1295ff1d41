"""`plot_snapshots` and `animate_snapshots`: what `KernelSnapshots` and others recorded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, reduce
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image
from typing_extensions import Unpack

from kerasviz._checks import check_type, is_int, suggest
from kerasviz._selection import (
    MAX_TILES,
    choose_tiles,
    order_tiles,
    select_tiles,
    tile_strength,
)
from kerasviz._wording import list_indices
from kerasviz.draw.animations.animation import FrameAnimation
from kerasviz.draw.animations.gif import fit_frame, render_frame, save_gif, value_palette
from kerasviz.draw.color import ColorChoice, warn_invalid
from kerasviz.draw.figure import check_panels
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.tiles.panel import TileMatrix, TilePanel
from kerasviz.draw.tiles.picture import (
    draw_apart,
    draw_scaled,
    draw_unmanaged,
    panel_title,
)
from kerasviz.draw.tiles.shared_colors import SharedColors, ValueRange, share_colors
from kerasviz.draw.tiles.style import DEFAULTS, TileOptions, TileStyle, check_style
from kerasviz.logs.snapshots import SnapshotRecord, Unit, list_records, read_record

MAX_PANELS = 12
"""How many steps a picture shows where the caller chooses none."""
MAX_FRAMES = 1000
"""How many steps an animation shows where the caller chooses none: four minutes of them."""
Steps = int | slice | Sequence[int]
OWN_KEYWORDS = ("steps", "kind")


@shows_keywords(TileOptions, DEFAULTS)
def plot_snapshots(
    folder: str | os.PathLike[str],
    layer: str | Sequence[str] | None = None,
    *,
    steps: Steps | None = None,
    kind: str | None = None,
    **options: Unpack[TileOptions],
) -> Plot:
    """Draw what `KernelSnapshots` or `FeatureMapSnapshots` recorded, one panel per step.

    Args:
        folder: The `directory` or the `gif` folder of a callback.
        layer: The address of a layer that was recorded, or several. `None` is every layer.
        steps: Which epochs or batches, by the number in the titles and names of files: an int, a
            list of them, or a slice, which chooses those from its start up to its stop and of these
            every n-th. Negative numbers count from the last record, -1. `None` is all of them, or
            of more than 12 as many, evenly chosen; the title says so.
        kind: Which records, where the folder holds several kinds: "kernels", "feature_maps", or
            "kernels-2" for those of a second callback with other settings.
        **options: The keywords of every plot of tiles, see `TileOptions`; `sort` and `top` go by
            the recorded values of the last step. All steps of a layer have the same colours, with
            `scale="tile"` the same for each tile.

    Returns:
        A `Plot` with one panel per layer and step, the last step last.

    Raises:
        TypeError: A keyword is of the wrong type.
        ValueError: `folder` holds no records, or none of that layer, step or kind; or a keyword
            cannot be used.

    Notes:
        The picture of a single step is the one that the callback draws, to the pixel. Of more than
        128 tiles a callback records the 64 that were the strongest in its first step, unless it was
        told which; of records with `tiles="all"` the 64 strongest of the last step are drawn.
        Signs of principal patterns are recorded as they were drawn: they agree from step to step.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.build_model()
        >>> model.compile("adam", "sparse_categorical_crossentropy")
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> snapshots = kerasviz.KernelSnapshots("conv2d", directory="pictures")
        >>> _ = model.fit(
        ...     images, labels, batch_size=1, epochs=10, verbose=0, callbacks=[snapshots]
        ... )
        >>> kerasviz.plot_snapshots("pictures", steps=[1, 10])
        Plot(2 panels)
    """
    style = check_style(*OWN_KEYWORDS, **options)
    layers = _find_series(folder, layer, kind)
    count = max(2, MAX_PANELS // len(layers))
    chosen = [_choose(series, steps, count, style) for series in layers]
    check_panels(sum(len(series) for series in chosen), style.place.ax, "steps")
    panels, scales = [], []
    for series, shared in zip(chosen, share_scales(chosen, style.colors), strict=True):
        for panel in series.panels():
            scaled, scale = shared.apply(panel)
            panels.append(scaled)
            scales.append(scale)
    warn_invalid(sum(panel.invalid for panel in panels), stacklevel=2)
    return draw_scaled(panels, scales, style)


@shows_keywords(TileOptions, DEFAULTS, without=("ax", "figure"))
def animate_snapshots(
    folder: str | os.PathLike[str],
    layer: str | None = None,
    *,
    steps: Steps | None = None,
    kind: str | None = None,
    **options: Unpack[TileOptions],
) -> FrameAnimation:
    """Animate what `KernelSnapshots` or `FeatureMapSnapshots` recorded of a layer.

    In a notebook the result is a player. `animation.save("kernels.gif")` writes the GIF that
    the callback writes with `gif=`.

    Args:
        folder: The `directory` or the `gif` folder of a callback.
        layer: The address of a layer that was recorded. `None` is the only one.
        steps: Which epochs or batches, as in `plot_snapshots`. `None` is all of them, or of more
            than 1000 as many, evenly chosen.
        kind: Which records, as in `plot_snapshots`.
        **options: The keywords of every plot of tiles, see `TileOptions`, without `ax` and
            `figure`; `sort` and `top` go by the recorded values of the last step.

    Returns:
        A `matplotlib.animation.FuncAnimation` with one frame per step, on one colour scale.

    Raises:
        TypeError: A keyword is of the wrong type.
        ValueError: `folder` holds no records, or none of that layer, step or kind; it holds several
            layers, and `layer` is `None`; or a keyword cannot be used.

    Example:
        >>> import kerasviz
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> snapshots = kerasviz.FeatureMapSnapshots(images[9:], "conv2d", directory="pictures")
        >>> model = kerasviz.fashion_mnist.build_model()
        >>> model.compile("adam", "sparse_categorical_crossentropy")
        >>> _ = model.fit(images, labels, epochs=3, verbose=0, callbacks=[snapshots])
        >>> kerasviz.animate_snapshots("pictures", "conv2d").save("maps.gif")
    """
    style = check_style(*OWN_KEYWORDS, **options)
    refuse_places(style)
    layers = _find_series(folder, layer, kind)
    if len(layers) > 1:
        raise ValueError(
            "`layer` must be the address of one layer, since each has an animation of its own: "
            f"{', '.join(repr(series.address) for series in layers)}. Received: layer={layer!r}"
        )
    series = replace(_choose(layers[0], steps, MAX_FRAMES, style), note="")
    (shared,) = share_scales([series], style.colors)
    movie = StepMovie(series=series, shared=shared, style=style)
    return FrameAnimation(movie.frame, len(series), movie.palette, make_bar=_make_bar)


def _make_bar(count: int) -> Any:
    """Return Keras's progress bar; records are drawn without Keras otherwise."""
    import keras

    return keras.utils.Progbar(count, unit_name="frame")


def refuse_places(style: TileStyle) -> None:
    """Raise `TypeError` where a picture cannot be drawn into a figure of the caller's."""
    for name in ("ax", "figure"):
        if getattr(style.place, name) is not None:
            raise TypeError(f"`{name}` cannot be given, since each picture is a new figure.")


def record_of(
    panel: TilePanel, *, kind: str, unit: Unit, step: int, order: int, key: str
) -> SnapshotRecord:
    """Return the record of a panel that is on no colour scale yet."""
    arrays = {"values": panel.values, "indices": panel.indices}
    arrays |= {
        name: getattr(panel, name)
        for name in ("backgrounds", "slice_indices", "signals")
        if getattr(panel, name) is not None
    }
    if panel.tile_names:
        arrays["tile_names"] = np.array(panel.tile_names)
    if panel.label_names:
        arrays["label_names"] = np.array(panel.label_names)
    facts = _plain_facts(panel)
    if panel.table is not None:
        arrays |= {"table_rows": panel.table.rows, "table_columns": panel.table.columns}
        facts["table"] = _plain_facts(panel.table)
    return SnapshotRecord(
        kind=kind,
        address=panel.address,
        order=order,
        unit=unit,
        step=step,
        key=key,
        notes=panel.notes,
        arrays=arrays,
        facts=facts,
    )


def _plain_facts(item: TilePanel | TileMatrix) -> dict[str, Any]:
    """Return the numbers and words among the fields of a dataclass."""
    values = {field.name: getattr(item, field.name) for field in fields(item)}
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in values.items()
        if isinstance(value, (str, bool, int, float, np.generic))
    }


def panel_of(record: SnapshotRecord) -> TilePanel:
    """Return what a record shows, with its step in the title."""
    arrays, facts, table = record.arrays, dict(record.facts), None
    if "table" in facts:
        table = TileMatrix(
            rows=arrays["table_rows"], columns=arrays["table_columns"], **facts.pop("table")
        )
    return TilePanel(
        values=arrays["values"],
        indices=arrays["indices"],
        backgrounds=arrays.get("backgrounds"),
        slice_indices=arrays.get("slice_indices"),
        signals=arrays.get("signals"),
        tile_names=tuple(map(str, arrays.get("tile_names", ()))),
        label_names=tuple(map(str, arrays.get("label_names", ()))),
        notes=(f"{record.unit} {record.step}", *record.notes),
        table=table,
        **facts,
    )


def draw_step(records: Sequence[SnapshotRecord], style: TileStyle) -> Iterator[Plot]:
    """Draw the layers of one step, each into a figure of its own, when it is requested."""
    return draw_apart([panel_of(record) for record in records], style)


@dataclass(frozen=True, kw_only=True)
class StepSeries:
    """The records of one layer that are drawn together.

    Args:
        address: The layer's address.
        files: Their files, in the order of the steps.
        indices: Which tiles to draw, in this order; `None` for those of each record as they are,
            or in the order of the last one where it has the same.
        words: Which tiles these are, for the title, where they are not all.
        note: What the title of the first step says of the choice of steps.
        tiles_note: What every title says of the choice of tiles, where the caller chose none.
    """

    address: str
    files: tuple[Path, ...]
    indices: np.ndarray | None = None
    words: str | None = None
    note: str = ""
    tiles_note: str = ""

    def __len__(self) -> int:
        return len(self.files)

    @cached_property
    def last(self) -> TilePanel:
        """The last step."""
        return self._arrange(panel_of(read_record(self.files[-1])), self.indices)

    def panel(self, index: int) -> TilePanel:
        """Return what is drawn of a step."""
        panel = panel_of(read_record(self.files[index]))
        order = self.last.indices if self.indices is None else self.indices
        panel = self._arrange(panel, order)
        if self.note and index == 0:
            step, *notes = panel.notes
            panel = replace(panel, notes=(step, self.note, *notes))
        return panel

    def panels(self) -> Iterator[TilePanel]:
        """Yield what is drawn of each step, one at a time."""
        return map(self.panel, range(len(self)))

    def _arrange(self, panel: TilePanel, indices: np.ndarray | None) -> TilePanel:
        """Choose and order the tiles of a panel, since `sort` may order each step differently."""
        if indices is None or np.array_equal(panel.indices, indices):
            return panel
        positions = {index: position for position, index in enumerate(panel.indices.tolist())}
        if self.indices is None and positions.keys() != set(indices.tolist()):
            return panel  # each step has the strongest tiles of its own
        order = [positions[index] for index in indices.tolist()]
        groups = panel.tiles.reshape(-1, len(positions), panel.slices, *panel.tiles.shape[1:])
        tiles = groups[:, order].reshape(-1, *panel.tiles.shape[1:])
        table = panel.table
        if table is not None:
            table = replace(table, columns=table.columns[order])
        words = panel.words if self.words is None else self.words
        names = tuple(panel.tile_names[position] for position in order if panel.tile_names)
        if self.tiles_note:
            panel = replace(panel, notes=(*panel.notes, self.tiles_note), is_numbered=True)
        return replace(
            panel, values=tiles, indices=indices, table=table, words=words, tile_names=names
        )


def share_scales(layers: Sequence[StepSeries], colors: ColorChoice) -> list[SharedColors]:
    """Choose the colours of each layer for all its steps; with `scale="figure"` of all layers."""
    ranges = [
        reduce(ValueRange.join, (_range_of(panel, colors) for panel in series.panels()))
        for series in layers
    ]
    samples = [_sample(series) if colors.may_be_robust else None for series in layers]
    if colors.scale == "figure":
        ranges = [reduce(ValueRange.join, ranges)] * len(ranges)
        together = [sample for sample in samples if sample is not None]
        samples = [np.concatenate(together) if together else None] * len(samples)
    return [
        share_colors(limits, series.last, colors, sample)
        for limits, series, sample in zip(ranges, layers, samples, strict=True)
    ]


def _sample(series: StepSeries) -> np.ndarray:
    """Return the values of all steps, or of many those of some, from which limits are chosen."""
    steps = np.unique(np.linspace(0, len(series) - 1, MAX_PANELS).round().astype(int))
    return np.concatenate([series.panel(int(step)).tiles.ravel() for step in steps])


def _range_of(panel: TilePanel, colors: ColorChoice) -> ValueRange:
    limits = ValueRange.of(panel, colors)
    return limits if colors.scale == "tile" else limits.whole


@dataclass(frozen=True, kw_only=True)
class StepMovie:
    """The steps of a layer as frames of one size.

    Args:
        series: The steps.
        shared: The colours of all of them.
        style: How to draw them.
    """

    series: StepSeries
    shared: SharedColors
    style: TileStyle

    def frame(self, index: int) -> Image.Image:
        """Draw a step."""
        return fit_frame(self._draw(index), self._size)

    def save_gif(self, stream: IO[bytes]) -> None:
        """Write all steps as a GIF, of which each is drawn when it is written."""
        frames = map(self.frame, range(len(self.series)))
        save_gif(stream, frames, len(self.series), self.palette)

    @property
    def palette(self) -> Image.Image | None:
        """The colours of all frames, `None` where tiles are colours or are over pictures."""
        last = self.series.last
        if self.shared.scale is None or last.backgrounds is not None or last.is_chart:
            return None
        return value_palette(self.shared.scale)

    def _draw(self, index: int) -> Image.Image:
        panel, scale = self.shared.apply(self.series.panel(index))
        return render_frame(draw_unmanaged(panel, scale, self.style))

    @cached_property
    def _size(self) -> tuple[int, int]:
        """The width and the height of the largest frame.

        Only titles differ, and only by numbers: of those that are alike but for digits, which are
        equally wide, one is drawn.
        """
        by_title: dict[str, int] = {}
        for index in range(len(self.series)):
            panel, _ = self.shared.apply(self.series.panel(index))
            title = panel_title(panel, self.style.place.title)
            by_title.setdefault(re.sub(r"\d", "0", title), index)
        widths, heights = zip(*(self._draw(index).size for index in by_title.values()), strict=True)
        return max(widths), max(heights)


def _find_series(folder: Any, layer: Any, kind: str | None) -> list[StepSeries]:
    """Return the records of each layer in a folder, in the order of the callback's layers."""
    check_type("folder", folder, (str, os.PathLike), "the path of a folder")
    check_type("kind", kind, (str, type(None)), "a string, such as 'kernels'")
    path = Path(folder)
    if not path.is_dir():
        raise ValueError(f"`folder` must be a folder that is there. Received: folder={folder!r}")
    by_kind: dict[str, list[StepSeries]] = {}
    orders: dict[str, int] = {}
    for child in sorted(path.iterdir()):
        for name, files in list_records(child).items() if child.is_dir() else ():
            record = _read(files[-1])
            orders.setdefault(record.address, record.order)
            by_kind.setdefault(name, []).append(
                StepSeries(address=record.address, files=tuple(files))
            )
    if not by_kind:
        raise ValueError(
            "`folder` must be the `directory` or the `gif` folder of a KernelSnapshots or a "
            f"FeatureMapSnapshots, with their records. Received: folder={str(folder)!r}"
        )
    addresses = _check_layer(layer, list(orders))
    matches = {
        name: [series for series in all_series if series.address in addresses]
        for name, all_series in by_kind.items()
    }
    records = _of_kind({name: some for name, some in matches.items() if some}, kind)
    return sorted(records, key=lambda series: (orders[series.address], series.address))


def _read(path: Path) -> SnapshotRecord:
    try:
        return read_record(path)
    except OSError as error:
        raise ValueError(f"`folder` must hold records that can be read: {error}") from error


def _check_layer(layer: Any, recorded: Sequence[str]) -> Sequence[str]:
    """Return the addresses that the caller means."""
    if layer is None:
        return recorded
    addresses = [layer] if isinstance(layer, str) else layer
    if not isinstance(addresses, (list, tuple)) or not all(isinstance(a, str) for a in addresses):
        raise TypeError(
            "`layer` must be the address of a layer that was recorded, or a list of them. "
            f"Received: layer={layer!r}"
        )
    for address in addresses:
        if address not in recorded:
            raise ValueError(
                f"`layer` must be the address of a layer that was recorded: "
                f"{', '.join(map(repr, recorded))}.{suggest(address, recorded)} "
                f"Received: layer={address!r}"
            )
    return addresses


def _of_kind(matches: Mapping[str, list[StepSeries]], kind: str | None) -> list[StepSeries]:
    names = ", ".join(map(repr, matches))
    if kind is None and len(matches) > 1:
        raise ValueError(
            f"`kind` must say which records to draw, since there are several: {names}. "
            "Received: kind=None"
        )
    if kind is not None and kind not in matches:
        raise ValueError(
            f"`kind` must be one of the kinds that were recorded: {names}."
            f"{suggest(kind, matches)} Received: kind={kind!r}"
        )
    return matches[next(iter(matches)) if kind is None else kind]


def _choose(series: StepSeries, steps: Steps | None, count: int, style: TileStyle) -> StepSeries:
    """Choose which steps of a layer to draw, and which of its tiles."""
    chosen = _choose_steps(series, steps, count)
    _check_records(chosen, style)
    return _choose_tiles(chosen, style)


def _choose_steps(series: StepSeries, steps: Steps | None, count: int) -> StepSeries:
    """Choose which steps of a layer to draw; without the caller's choice, at most `count`."""
    if steps is None:
        return _spread_steps(series, count)
    numbers = [int(path.stem.rpartition("-")[2]) for path in series.files]
    return replace(series, files=tuple(series.files[i] for i in _positions_of(steps, numbers)))


def _spread_steps(series: StepSeries, count: int) -> StepSeries:
    """Choose `count` steps evenly, the first and the last among them, where there are more."""
    total = len(series)
    if total <= count:
        return series
    positions = np.linspace(0, total - 1, count).round().astype(int)
    files = tuple(series.files[position] for position in positions)
    return replace(series, files=files, note=f"{count} of {total} steps")


def limit_frames(series: StepSeries) -> StepSeries:
    """Return the steps that an animation shows: all, or of more than it can hold as many."""
    return replace(_spread_steps(series, MAX_FRAMES), note="")


def _check_records(series: StepSeries, style: TileStyle) -> None:
    """Refuse records that cannot be read, or not be drawn on one scale."""
    last = _read(series.files[-1])
    for record in map(_read, series.files):
        if record.arrays["values"].shape != last.arrays["values"].shape:
            raise ValueError(
                f"`folder` must hold records of one shape for '{last.address}'. Received: "
                f"{record.unit} {record.step} with {record.arrays['values'].shape}, "
                f"{last.unit} {last.step} with {last.arrays['values'].shape}"
            )
        recorded = set(record.arrays["indices"].tolist())
        if style.colors.scale == "tile" and recorded != set(last.arrays["indices"].tolist()):
            raise ValueError(
                "scale='tile' cannot be used where each step shows other tiles, such as the "
                f"strongest ones. Received: scale='tile', for '{last.address}'"
            )


def _positions_of(steps: Any, numbers: Sequence[int]) -> list[int]:
    """Return which records the caller means.

    Args:
        steps: The caller's `steps`.
        numbers: The epoch or the batch of each record, ascending.
    """
    if steps is None:
        return list(range(len(numbers)))
    if isinstance(steps, slice):
        positions = _positions_in_slice(steps, numbers)
    else:
        requested = [steps] if is_int(steps) else steps
        if not isinstance(requested, (list, tuple, range, np.ndarray)) or not all(
            is_int(number) for number in requested
        ):
            raise TypeError(
                "`steps` must be an int, a slice or a list of ints: numbers of epochs or batches. "
                f"Received: steps={steps!r}"
            )
        positions = sorted({_position_of(int(number), numbers) for number in requested})
    if not positions:
        raise ValueError(
            f"`steps` must choose at least one of {_list_numbers(numbers)}. "
            f"Received: steps={steps!r}"
        )
    return positions


def _position_of(number: int, numbers: Sequence[int]) -> int:
    if -len(numbers) <= number < 0:
        return len(numbers) + number
    if number not in numbers:
        raise ValueError(
            f"`steps` must name steps that were recorded: {_list_numbers(numbers)}. "
            f"Received: {number}"
        )
    return numbers.index(number)


def _positions_in_slice(steps: slice, numbers: Sequence[int]) -> list[int]:
    """Return the records from the slice's start up to its stop, and of these every n-th."""
    parts = (steps.start, steps.stop, steps.step)
    if not all(part is None or is_int(part) for part in parts):
        raise TypeError(f"`steps` must be a slice of ints. Received: steps={steps!r}")
    if steps.step is not None and steps.step < 1:
        raise ValueError(f"`steps` must be a slice that goes forward. Received: steps={steps!r}")
    start, stop = (
        numbers[max(bound, -len(numbers))] if bound is not None and bound < 0 else bound
        for bound in parts[:2]
    )
    inside = [
        position
        for position, number in enumerate(numbers)
        if (start is None or number >= start) and (stop is None or number < stop)
    ]
    return inside[:: steps.step]


def _list_numbers(numbers: Sequence[int]) -> str:
    """Return the numbers of records for a message."""
    if len(numbers) <= MAX_PANELS:
        return ", ".join(map(str, numbers))
    return f"{', '.join(map(str, numbers[:3]))}, ..., {numbers[-1]}"


def _choose_tiles(series: StepSeries, style: TileStyle) -> StepSeries:
    """Choose and order the tiles of all steps, by the values of the last one."""
    choice, last = style.choice, series.last
    is_limited = choice.tiles is None and choice.top is None and not last.is_matrix
    if is_limited and len(last.indices) > MAX_TILES:
        groups = last.tiles.reshape(-1, len(last.indices), last.slices, *last.tiles.shape[1:])
        chosen = choose_tiles(np.moveaxis(groups, 1, 0), choice, last.kind)
        indices, note = last.indices[chosen.indices], chosen.note
        return replace(series, indices=indices, words="", tiles_note=note)
    if choice.tiles is None and choice.sort is None and choice.top is None:
        return series
    recorded, indices, words = last.indices.tolist(), last.indices, last.words
    if choice.tiles is not None:
        indices = select_tiles(choice.tiles, last.total, of=repr(series.address))
        missing = sorted(set(indices.tolist()) - set(recorded))
        if missing:
            raise ValueError(
                f"`tiles` must choose from those that were recorded of '{series.address}'. "
                f"Received: tiles={choice.tiles!r}, without a record of "
                f"{', '.join(map(str, missing))}"
            )
        words = list_indices(indices, last.total, last.kind.replace("kernels", "filters"))
    if choice.sort is not None or choice.top is not None:
        groups = last.tiles.reshape(-1, len(recorded), last.slices, *last.tiles.shape[1:])
        positions = [recorded.index(index) for index in indices.tolist()]
        strength = tile_strength(np.moveaxis(groups, 1, 0)[positions], choice.sort or "norm")
        if choice.top is not None and choice.top < len(indices):
            words = f"{choice.top} strongest of {words or f'{len(indices)} {last.kind}'}"
            words += ", by mean" if choice.sort == "mean" else ""
        indices = indices[order_tiles(indices, strength)[: choice.top]]
    return replace(series, indices=indices, words=words)
