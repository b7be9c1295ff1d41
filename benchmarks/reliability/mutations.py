"""Change the code in one place at a time, and count the changes that the tests do not notice.

A sample of places in `compute/`, `model/` and `draw/` is drawn with a seed: a comparison, an
operator, a number, a condition, a loop, a call. Each is changed in a forked process that has
TensorFlow already, and runs the tests that run this line, first those that are cheap and about it,
until one fails. A change that no test notices survives, and is printed to be read. Those that
change nothing that anyone can see are listed in `mutants/equivalent.md`, each with the reason.

mutmut and cosmic-ray run one command for every change, which would start TensorFlow each time.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import partial
from pathlib import Path

from mutants.changes import Mutant, mutants_of, sample
from mutants.forks import in_forks, preload

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/kerasviz"
FLOORS = ("compute", "model", "draw")
ELSEWHERE = ("site", "typing", "test_docs", "test_examples", "test_release", "test_notebook")
"""Tests of pages, programs and packages, which start programs of their own."""
ORDER = ("draw", "compute", "model", "images", "plots")
"""The folders of tests that come first."""
EQUIVALENT = Path(__file__).parent / "mutants/equivalent.md"


def all_mutants() -> list[Mutant]:
    """Return a mutant for each place; without the modules for Ray, which has its own tests."""
    return [
        mutant
        for floor in FLOORS
        for path in sorted((PACKAGE / floor).rglob("*.py"))
        if not path.name.startswith("ray_")
        for mutant in mutants_of(path.relative_to(PACKAGE).as_posix(), PACKAGE)
    ]


def sessions(folders: list[str]) -> list[list[str]]:
    """Return the test files, from the top of the checkout, that one session collects: a folder's.

    Those of the three packages come first, and small files before large ones.
    """
    groups: dict[str, list[str]] = {folder: [] for folder in (*ORDER, *folders)}
    for path in sorted((ROOT / "tests").rglob("test_*.py"), key=lambda path: path.stat().st_size):
        file = path.relative_to(ROOT / "tests").as_posix()
        folder = file.partition("/")[0].removesuffix(".py")
        if folder in folders if folders else folder not in ELSEWHERE:
            groups.setdefault(folder, []).append(f"tests/{file}")
    return [files for files in groups.values() if files]


def read_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="count the places, change none")
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0, help="for a change in a test file")
    parser.add_argument("--work", type=Path, default=ROOT / "build/mutants", help="what is known")
    parser.add_argument(
        "--control", action="store_true", help="change nothing: whatever is noticed is a fault"
    )
    parser.add_argument("folders", nargs="*", help="the folders of tests to run, all by default")
    return parser.parse_args()


def main() -> int:
    """Print the share of changes that the tests noticed, and those that they did not."""
    options = read_options()
    if options.short:
        print(f"{len(all_mutants())} places")
        return 0
    preload(ROOT / "src")
    every = all_mutants()
    chosen = sample(every, options.sample, options.seed)
    from mutants.sessions import Session, read_noticed

    (options.work / "reach").mkdir(parents=True, exist_ok=True)

    def in_session(files: list[str], *, collect_in_forks: bool) -> bool:
        noticed = read_noticed(options.work)
        left = [mutant for mutant in chosen if mutant.name not in noticed]
        session = Session(
            files, left, options.work, seconds=options.seconds, control=options.control
        )
        return session.run(ROOT, PACKAGE, collect_in_forks=collect_in_forks)

    def run(groups: list[list[str]], *, collect_in_forks: bool) -> list[list[str]]:
        """Run a session for each group; return those that start TensorFlow too early."""
        actions = [
            partial(in_session, group, collect_in_forks=collect_in_forks) for group in groups
        ]
        started = in_forks(actions, options.processes)
        return [group for group, result in zip(groups, started, strict=True) if result]

    starters = run(sessions(options.folders), collect_in_forks=False)
    starters = run([[file] for group in starters for file in group], collect_in_forks=False)
    run(starters, collect_in_forks=True)
    print(f"{len(every)} places, {len(chosen)} of them drawn with seed {options.seed}\n")
    return report(chosen, read_noticed(options.work))


def report(chosen: list[Mutant], noticed: dict[str, str]) -> int:
    """Print what survived, and how many were noticed in each package; return 1 below 90 %."""
    equivalent = set(re.findall(r"^- `(.*)`$", EQUIVALENT.read_text("utf-8"), re.MULTILINE))
    for mutant in chosen:
        if mutant.name not in noticed and mutant.name not in equivalent:
            print(f"{mutant.name} (line {mutant.lines[0]})")
    print("\n| in | changes | noticed | change nothing | score |\n|---|---|---|---|---|")
    for floor in (*FLOORS, ""):
        names = {mutant.name for mutant in chosen if mutant.name.startswith(floor)}
        killed, same = len(names & noticed.keys()), len((names - noticed.keys()) & equivalent)
        score = killed / max(len(names) - same, 1)
        print(f"| {floor or 'all'} | {len(names)} | {killed} | {same} | {score:.1%} |")
    return int(score < 0.9)


if __name__ == "__main__":
    sys.exit(main())
