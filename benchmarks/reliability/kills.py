"""Kill programs while they write, and look for half a file under a final name.

A child process writes the same files again and again, by `save_feature_maps`, the callbacks,
`report`, `savefig` and an animation. It is killed with SIGKILL at a random moment. Each file that
then has its final name must be complete: it is read to its end. In seven of ten cases the moment is
within 10 ms after an unfinished file was seen, otherwise within a second.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from calls import file_calls, make_model, make_subject, number_calls, plot_calls, print_table
from PIL import Image

import kerasviz

WAYS = ("save_feature_maps", "report", "savefig", "animate", "callbacks")


def write_forever(way: str, folder: Path) -> None:
    """Write until killed; say so when the first file is complete."""
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
    print("ready", flush=True)
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
    # NumPy, h5py, Zarr, Pillow and json each raise classes of their own for half a file.
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
        pass


def kill_once(way: str, rng: random.Random) -> tuple[list[str], int, bool]:
    """Kill a writer; return what is not complete, how many files there are, if one was begun."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, __file__, "--write", way, "--folder", name]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert child.stdout is not None
        child.stdout.readline()
        if rng.random() < 0.7:
            wait_for_a_file(folder)
            time.sleep(rng.uniform(0, 0.01))
        else:
            time.sleep(rng.uniform(0, 1))
        child.send_signal(signal.SIGKILL)
        child.wait()
        files = final_files(folder)
        begun = any(".kerasviz-" in path.name for path in folder.rglob("*"))
        return [fault for path in files if (fault := fault_of(path))], len(files), begun


def main() -> int:
    """Print how many kills left a half file under a final name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="one kill")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write_forever(options.write, options.folder)
    kills, files, begun, faults = Counter(), Counter(), Counter(), []
    for index in range(1 if options.short else options.kills):
        way = WAYS[index % len(WAYS)]
        found, count, was_begun = kill_once(way, random.Random(f"{options.seed} {index}"))
        kills[way] += 1
        files[way] += count
        begun[way] += was_begun
        faults += [f"{way}: {fault}" for fault in found]
    print_table(
        ("written by", "kills", "in the midst of a file", "files with a final name", "half"),
        [(w, kills[w], begun[w], files[w], sum(f.startswith(w) for f in faults)) for w in kills],
    )
    for fault in faults:
        print(fault)
    return len(faults) > 0


if __name__ == "__main__":
    sys.exit(main())
