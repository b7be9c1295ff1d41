"""Time kerasviz against what one would write by hand, as ratios within one run.

python benchmarks/run.py           writes the tables to benchmarks/results.md
python benchmarks/run.py --short   writes no file, unless --output names one
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from animations import compare_players
from arrays import MOSAIC_HEADS, compare_principal, measure_mosaic
from attributions import COUNT_HEADS, compare_attributions, count_traces_and_passes
from feature_maps import (
    ARCHITECTURES,
    PARTS,
    compare_feature_maps,
    compare_notes,
    compare_parts,
)
from filters import FIGURE_HEADS, compare_ascent, compare_passes, measure_fields, measure_memory
from first_look import compare_first_looks
from importing import IMPORT_HEADS, measure_import
from pictures import (
    AS_ONE_IMSHOW,
    MAP_CASES,
    compare_bare,
    compare_loop,
    plot_all_channels,
    plot_maps,
)
from streaming import STREAM_HEADS, measure_streaming

from report import RATIO_HEADS, Row, environment, table

RESULTS = Path(__file__).parent / "results.md"


@dataclass(frozen=True)
class Effort:
    """How often everything is repeated, and how large the mosaics become."""

    pairs: int
    loop_pairs: int
    warmup: int
    mosaics: tuple[int, ...]
    network_pairs: int
    architectures: tuple[str, ...]
    parts: tuple[str, ...]
    images: int


FULL = Effort(
    pairs=7,
    loop_pairs=3,
    warmup=1,
    mosaics=(16, 64, 256, 1024, 4096, 16384, 65536),
    network_pairs=3,
    architectures=ARCHITECTURES,
    parts=PARTS,
    images=10_000,
)
SHORT = Effort(
    pairs=2,
    loop_pairs=1,
    warmup=0,
    mosaics=(16, 1024),
    network_pairs=1,
    architectures=ARCHITECTURES[:1],
    parts=PARTS[:1],
    images=1_000,
)


def ratio_rows(effort: Effort) -> Iterator[Row]:
    """Yield every comparison of two ways, Keras last: a large heap slows all that follows."""
    pairs, warmup = effort.pairs, effort.warmup
    for case in MAP_CASES:
        if case.subplots is not None:
            yield compare_loop(case, pairs=effort.loop_pairs, warmup=warmup)
    case = MAP_CASES[0]
    yield compare_loop(case, pairs=effort.loop_pairs, warmup=warmup, strongest=True)
    for case in MAP_CASES:
        make_plot = plot_maps(case, case.maps())
        yield compare_bare(case.name, make_plot, pairs=pairs, warmup=warmup)
    yield compare_principal(pairs=pairs, warmup=warmup)
    name = 'channel="all" of 64×64 channels, 4096 tiles 3×3'
    make_plot = plot_all_channels(64, 64)
    for labels in (True, False):
        yield compare_bare(
            name, make_plot, pairs=pairs, warmup=warmup, labels=labels, goals=AS_ONE_IMSHOW
        )


def network_rows(effort: Effort) -> Iterator[Row]:
    """Yield every comparison that runs a whole network."""
    yield from compare_feature_maps(effort.network_pairs, effort.architectures)
    yield from compare_notes(effort.network_pairs)
    yield from compare_first_looks(effort.network_pairs)
    yield from compare_parts(effort.pairs, effort.parts)
    yield from compare_players(effort.loop_pairs)


def report(effort: Effort) -> str:
    """Run everything, and return the Markdown text."""
    costs = list(measure_import(pairs=effort.pairs))
    mosaics = list(measure_mosaic(effort.mosaics, pairs=effort.pairs))
    pictures = [row.cells() for row in ratio_rows(effort)]
    networks = [row.cells() for row in network_rows(effort)]
    attributions = [row.cells() for row in compare_attributions(effort.network_pairs)]
    passes = compare_passes(effort.images // 2, effort.network_pairs)
    filters = [row.cells() for row in (*passes, *compare_ascent(effort.network_pairs))]
    return "\n\n".join(
        [
            "# Results",
            f"{environment()}. [README.md](README.md) says what each row compares.",
            "## Pictures",
            table(RATIO_HEADS, pictures),
            "## Networks",
            table(RATIO_HEADS, networks),
            "## Attributions",
            table(RATIO_HEADS, attributions),
            table(COUNT_HEADS, list(count_traces_and_passes())),
            "## Filters in many images",
            table(RATIO_HEADS, filters),
            table(FIGURE_HEADS, [measure_fields(), measure_memory((1000, 6 * effort.images))]),
            "## Maps of many images, written batch by batch",
            table(STREAM_HEADS, list(measure_streaming(effort.images))),
            "## Start-up, in seconds more than an empty program",
            table(IMPORT_HEADS, costs),
            "## `mosaic` of tiles 7×7, float32",
            table(MOSAIC_HEADS, mosaics),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Time kerasviz as ratios within one run.")
    parser.add_argument("--short", action="store_true", help="repeat little, to see that it runs")
    parser.add_argument("--output", type=Path, help="the file for the tables")
    arguments = parser.parse_args()
    matplotlib.use("agg")
    text = report(SHORT if arguments.short else FULL)
    print(text)
    output = arguments.output or (None if arguments.short else RESULTS)
    if output:
        output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
