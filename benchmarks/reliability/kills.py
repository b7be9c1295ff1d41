"""Kill programs while they write, and look for half a file under a final name.

A process writes the same files again and again, by `save_feature_maps`, the callbacks,
`report`, `savefig` and an animation. It is killed with SIGKILL at a random moment. Each file that
then has its final name must be complete: it is read to its end. In seven of ten cases the moment is
within 10 ms after an unfinished file was seen, otherwise within a second.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from calls import file_calls, make_model, make_subject, number_calls, plot_calls, print_table
from PIL import Image

import kerasviz

WAYS = ("save_feature_maps", "report", "savefig", "animate", "callbacks")
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["keras", "kerasviz.callbacks", "kerasviz.cli"])
"""Makes processes in which Keras is imported already."""


def write_forever(way: str, folder: Path, ready: threading.Event) -> None:
    """Write until killed; set `ready` when the first file is complete."""
    subject = make_subject(folder)
    if way == "callbacks":

        def write() -> None:
            make_model().fit(
                subject.images,
                subject.labels,
                epochs=3,
                verbose=0,
                callbacks=[
                    kerasviz.KernelSnapshots("second", directory=folder, gif=folder),
                    kerasviz.WeightStatistics(csv=folder / "weights.csv"),
                ],
            )
    else:
        calls = {**number_calls(subject), **plot_calls(subject), **file_calls(subject)}
        write = calls[way].run
    write()
    ready.set()
    while True:
        write()


def fault_of(path: Path) -> str:
    """Return why a file with a final name is not complete; nothing if it is."""
    try:
        if path.suffix == ".npy":
            np.load(path)
        elif path.suffix == ".npz":
            with np.load(path) as arrays:
                [arrays[name] for name in arrays.files]
        elif path.suffix in (".png", ".gif"):
            read_picture(path)
        elif path.suffix == ".html":
            assert path.read_text("utf-8").rstrip().endswith("</html>"), "no end"
        elif path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
    # Cut or overwritten at each byte, such files raised twelve classes of error, of NumPy, zipfile,
    # tokenize, struct, json and Pillow.
    except Exception as error:
        return f"{path.name}: {error}"
    return ""


def read_picture(path: Path) -> None:
    with Image.open(path) as picture:
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            picture.load()


def final_files(folder: Path) -> list[Path]:
    """Return the files that have their final name, of which a log may end with a cut line."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        path for path in files if not path.name.endswith(".tmp") and ".kerasviz-" not in path.name
    ]


def wait_for_a_file(folder: Path, seconds: float = 10) -> None:
    """Wait until a file is being written."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not any(".kerasviz-" in p.name for p in folder.rglob("*")):
        time.sleep(0.0005)


def kill_once(way: str, rng: random.Random) -> tuple[list[str], int, bool]:
    """Kill a writer; return what is not complete, how many files there are, if one was begun."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ready = context.Event()
        child = context.Process(target=write_forever, args=(way, folder, ready))
        child.start()
        while not ready.wait(1):
            assert child.is_alive(), f"The writer by {way} ended by itself."
        if rng.random() < 0.7:
            wait_for_a_file(folder)
            time.sleep(rng.uniform(0, 0.01))
        else:
            time.sleep(rng.uniform(0, 1))
        child.kill()
        child.join()
        files = final_files(folder)
        begun = any(".kerasviz-" in path.name for path in folder.rglob("*"))
        return [fault for path in files if (fault := fault_of(path))], len(files), begun


def main() -> int:
    """Print how many kills left a half file under a final name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="one kill")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    count = 1 if options.short else options.kills
    ways = [WAYS[index % len(WAYS)] for index in range(count)]
    generators = [random.Random(f"{options.seed} {index}") for index in range(count)]
    kills, files, begun, faults = Counter(ways), Counter(), Counter(), []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ends = [*zip(ways, pool.map(kill_once, ways, generators), strict=True)]
    for way, (half, complete, was_begun) in ends:
        files[way] += complete
        begun[way] += was_begun
        faults += [f"{way}: {fault}" for fault in half]
    print_table(
        ("written by", "kills", "in the midst of a file", "files with a final name", "half"),
        [(w, kills[w], begun[w], files[w], sum(f.startswith(w) for f in faults)) for w in kills],
    )
    for fault in faults:
        print(fault)
    return len(faults) > 0


if __name__ == "__main__":
    sys.exit(main())
