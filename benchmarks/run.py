"""Time kerasviz against what one would write by hand, as ratios within one run.

python benchmarks/run.py [--short] [--output FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from arrays import MOSAIC_HEADS, compare_principal, measure_mosaic
from feature_maps import ARCHITECTURES, compare_feature_maps
from importing import GOALS, measure_import
from pictures import MAP_CASES, compare_bare, compare_loop, plot_all_channels, plot_maps
from report import RATIO_HEADS, Row, environment, goal_text, table


@dataclass(frozen=True)
class Effort:
    """How often everything is repeated, and how large the mosaics become."""

    pairs: int
    loop_pairs: int
    warmup: int
    mosaics: tuple[int, ...]
    process_pairs: int
    architectures: tuple[str, ...]


FULL = Effort(
    pairs=15,
    loop_pairs=5,
    warmup=1,
    mosaics=(16, 64, 256, 1024, 4096, 16384, 65536),
    process_pairs=3,
    architectures=ARCHITECTURES,
)
SHORT = Effort(
    pairs=2,
    loop_pairs=1,
    warmup=0,
    mosaics=(16, 1024),
    process_pairs=1,
    architectures=ARCHITECTURES[:1],
)


def ratio_rows(effort: Effort) -> Iterator[Row]:
    """Yield every comparison of two ways, Keras last: a large heap slows all that follows."""
    yield from compare_feature_maps(effort.process_pairs, effort.architectures)
    pairs, warmup = effort.pairs, effort.warmup
    for case in MAP_CASES:
        if case.subplots is not None:
            yield compare_loop(case, pairs=effort.loop_pairs, warmup=warmup)
    for case in MAP_CASES:
        make_plot = plot_maps(case, case.maps())
        yield compare_bare(case.name, make_plot, pairs=pairs, warmup=warmup)
    yield compare_principal(pairs=pairs, warmup=warmup)
    name = 'channel="all" of 64×64 channels, 4096 tiles 3×3'
    make_plot = plot_all_channels(64, 64)
    for labels in (True, False):
        yield compare_bare(name, make_plot, pairs=pairs, warmup=warmup, labels=labels)


def report(effort: Effort) -> str:
    """Run everything, and return the Markdown text."""
    cost = measure_import(pairs=effort.pairs)
    mosaics = list(measure_mosaic(effort.mosaics, pairs=effort.pairs))
    rows = [row.cells() for row in ratio_rows(effort)]
    return "\n\n".join(
        [
            environment(),
            table(RATIO_HEADS, rows),
            f"`import kerasviz` takes {cost.seconds:.3f} s more than an empty program "
            f"(difference of the medians of {cost.pairs} runs each; "
            f"{goal_text(GOALS, cost.seconds)}), "
            f"and loads of the heavy packages: {', '.join(cost.loaded) or 'none'}.",
            "`mosaic` of tiles 7×7, float32:",
            table(MOSAIC_HEADS, mosaics),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Time kerasviz as ratios within one run.")
    parser.add_argument("--short", action="store_true", help="repeat little, to see that it runs")
    parser.add_argument("--output", type=Path, help="write the Markdown text to this file too")
    arguments = parser.parse_args()
    matplotlib.use("agg")
    text = report(SHORT if arguments.short else FULL)
    print(text)
    if arguments.output:
        arguments.output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
