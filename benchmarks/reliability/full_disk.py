"""Write to a disk that is full, and look at the error and at what is left.

Each writer writes to a disk of a few kilobytes: a tmpfs, where this program may mount one, and else
files that may not grow (RLIMIT_FSIZE). The error must be an `OSError` that names the file, and
nothing may be left but what was there before. Callbacks must warn, and training must go on.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import resource
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
from calls import Subject, callback_calls, file_calls, make_subject, number_calls, print_table
from kills import fault_of

import kerasviz

SIZES = (4, 32)
"""Of what is left on the disk, in kB; the writers need more than any of them, or say so."""
MAPS = ("maps.npy", "maps.h5", "maps.zarr")


@contextlib.contextmanager
def small_disk(kilobytes: int) -> Iterator[tuple[Path, str]]:
    """Yield a folder on a disk with that much room, and the way in which it is small."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "disk"
        folder.mkdir()
        size = f"size={kilobytes + 8}k"  # 4 kB are for the folder, 4 kB for a file of the caller
        command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True).returncode == 0:
            try:
                yield folder, "a small tmpfs"
            finally:
                subprocess.run(["umount", str(folder)], check=True)
            return
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, hard))
        try:
            yield folder, "files of a limited size"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def writers(subject: Subject, disk: Path) -> dict[str, Callable[[], object]]:
    """Return what writes files, by name: a call without arguments each."""
    subject = replace(subject, folder=disk)
    files = file_calls(subject)
    save = number_calls(subject)["save_feature_maps"]
    images = np.repeat(subject.images, 20, axis=0)
    statistics = statistics_of(subject.model)
    written = {f"save_feature_maps {name}": name for name in MAPS if can_write(name)}
    return {
        **{
            text: lambda name=name: save.run(inputs=images, path=disk / name)
            for text, name in written.items()
        },
        **{name: call.run for name, call in files.items()},
        "FilterStatistics.save": lambda: statistics.save(disk / "statistics.npz"),
    }


@functools.cache
def statistics_of(model: keras.Model) -> kerasviz.FilterStatistics:
    return kerasviz.filter_statistics(model, "second", np.zeros((100, 12, 12, 1), "float32"))


def can_write(name: str) -> bool:
    """Whether the package for a format is there."""
    return not name.endswith(".zarr") or find_spec("zarr") is not None


def fault_of_writer(write: Callable[[], object], disk: Path) -> str | None:
    """Return what is not right; nothing if all is; `None` where there was room enough."""
    before = {path: path.read_bytes() for path in disk.rglob("*")}
    try:
        write()
    except OSError as error:
        if not error.filename or not str(error.filename).startswith(str(disk)):
            return f"the error names no file of ours: {error}"
    else:
        for path in {*disk.rglob("*")} - {*before}:
            path.unlink() if path.is_file() else None
        return None
    left = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
    return "" if left == before else f"left {sorted(map(str, {*left} ^ {*before}))}"


def fault_of_callback(subject: Subject, name: str, disk: Path) -> str | None:
    """Train with a callback; it must warn and go on. `None` where there was room enough."""
    call = callback_calls(replace(subject, folder=disk))[name]
    options = {"csv": disk / "w.csv"} if name == "WeightStatistics" else {"directory": disk}
    if name == "KernelSnapshots":
        options["gif"] = disk
    steps = int(subject.model.optimizer.iterations)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            callback = call.run(**options)
            subject.model.fit(
                subject.images, subject.labels, epochs=8, verbose=0, callbacks=[callback]
            )
        except OSError as error:  # a disk on which nothing can be written stops it at once
            begun = int(subject.model.optimizer.iterations) > steps
            return "training stopped midway" if begun else f"{'' if error.filename else error}"
    texts = [str(warning.message) for warning in seen]
    told = any("No space" in text or "too large" in text or "grow" in text for text in texts)
    half = [fault for path in disk.rglob("*.npz") if (fault := fault_of(path))]
    if half:
        return f"half a file: {half}"
    return "" if told else None


def main() -> int:
    """Print how many writers said what was wrong and left nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="one size of the disk")
    sizes = SIZES[1:2] if parser.parse_args().short else SIZES
    rows: list[tuple[str, int, str]] = []
    way = ""
    with tempfile.TemporaryDirectory() as folder:
        subject = make_subject(Path(folder))
        names = [*writers(subject, Path(folder))]
        for size in sizes:
            for name in (*names, *callback_calls(subject)):
                with small_disk(size) as (disk, way):
                    (disk / "mine.txt").write_text("mine")
                    if name in names:
                        fault = fault_of_writer(writers(subject, disk)[name], disk)
                    else:
                        fault = fault_of_callback(subject, name, disk)
                if fault is not None:
                    rows.append((name, size, fault))
    print(f"The disk: {way}")
    print_table(
        ("writers and callbacks on a full disk", "as they must"),
        [(len(rows), sum(not fault for *_, fault in rows))],
    )
    wrong = [row for row in rows if row[2]]
    for name, size, fault in wrong:
        print(f"{name}, {size} kB: {fault}")
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
