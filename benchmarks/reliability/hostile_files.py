"""Give the command line files that are made to harm, and look at what it does.

Each file is read by a command in a process of its own. It must end with 1 and one line of error, or
with 0 where the file is harmless in the end, take little more memory than with a good file, and
leave no file but its own. The peaks of memory are those of the processes.
"""

from __future__ import annotations

import argparse
import io
import json
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from calls import make_model, print_table

import kerasviz

MB = 2**20
MAX_EXTRA = 400
"""By how much the peak of memory may be above that of a good file, in MB."""
COMMAND = [sys.executable, "-c", "import sys; from kerasviz.cli import main; sys.exit(main())"]
WATCHER = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""
"""A small program that runs a command and prints its exit code and its peak of memory in kB.

The peak of a process is at least what its parent had when it started it. This script has Keras in
memory; the small program has not.
"""
NAMES = (
    "</script><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "<!--<script>",
    "]]>&lt;b&gt;",
    "‮evil",
    "${alert(1)}{{7*7}}",
)


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def write_bomb(path: Path, parts: dict[str, bytes], name: str, size: int) -> None:
    """Write an archive of which one member is `size` zeros."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, content in parts.items():
            if other != name:
                archive.writestr(other, content)
        with archive.open(name, "w", force_zip64=True) as stream:
            for _ in range(size // MB):
                stream.write(b" " * MB if name.endswith("json") else bytes(MB))


def with_config(parts: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> Any:
    """Return the members of a model whose first convolution says something else of itself."""
    config = json.loads(parts["config.json"])
    for layer in config["config"]["layers"]:
        if layer["config"].get("name") == "first":
            change(layer["config"])
    return {**parts, "config.json": json.dumps(config).encode()}


def make_models(folder: Path, good: Path, *, short: bool) -> dict[str, Path]:
    """Write the models that harm; return their paths by what they are."""
    parts, scale = members(good), 16 if short else 1
    paths = {}

    def add(text: str, write: Callable[[Path], None]) -> None:
        paths[text] = folder / f"{len(paths)}.keras"
        write(paths[text])

    add(
        "a zip bomb: a configuration of 2 GB",
        lambda path: write_bomb(path, parts, "config.json", 2048 // scale * MB),
    )
    add(
        "a zip bomb: weights of 4 GB",
        lambda path: write_bomb(path, parts, "model.weights.h5", 4096 // scale * MB),
    )
    tiny = {**parts, "model.weights.h5": parts["model.weights.h5"][:100]}
    for text, change in {
        "a kernel of 40 GB": lambda config: config.update(filters=10**9),
        "a kernel of 10^15 values": lambda config: config.update(kernel_size=[10**7, 10**8]),
        "a kernel of -1 filters": lambda config: config.update(filters=-1),
    }.items():
        add(text, lambda path, change=change: write_zip(path, with_config(tiny, change)))
    add(
        "a configuration of 256 MB",
        lambda path: write_zip(
            path,
            {
                **parts,
                "config.json": parts["config.json"][:-1]
                + b', "more": "'
                + b"x" * (256 // scale * MB)
                + b'"}',
            },
        ),
    )
    add(
        "a configuration 100,000 levels deep",
        lambda path: write_zip(path, {**parts, "config.json": b"[" * 100_000 + b"]" * 100_000}),
    )
    escapes = {f"{'../' * depth}escaped-{depth}.txt": b"out" for depth in (1, 2, 8)}
    escapes["assets/../../escaped.txt"] = escapes["/tmp/kerasviz-escaped.txt"] = b"out"
    add("members that lead out of it, ../", lambda path: write_zip(path, {**parts, **escapes}))
    return paths


def make_inputs(folder: Path) -> dict[str, Path]:
    """Write the images and arrays that harm; return their paths by what they are."""
    bomb, header, pickled = folder / "bomb.png", folder / "header.npy", folder / "pickle.npy"
    bomb.write_bytes(png_header(60_000, 60_000) + zlib.compress(bytes(100)))
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 12, 12, 1)}
    )
    header.write_bytes(stream.getvalue())
    np.save(pickled, np.array([print, 1], object), allow_pickle=True)
    loop, away = folder / "loop.png", folder / "passwords.png"
    loop.symlink_to(loop)
    away.symlink_to("/etc/passwd")
    nested = folder / "nested"
    nested.mkdir()
    (nested / "again").symlink_to(nested)
    return {
        "an image of 60,000×60,000 pixels in 100 bytes": bomb,
        "an array of 576 GB of which there is only the header": header,
        "an array with Python code (a pickle)": pickled,
        "a link to itself": loop,
        "a link to a file of passwords": away,
        "a folder with a link to itself in it": nested,
    }


def png_header(width: int, height: int) -> bytes:
    """Return a PNG of that size, up to its pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    return head + struct.pack(">I", zlib.crc32(chunk)) + struct.pack(">I", 100) + b"IDAT"


def run(line: list[str], folder: Path) -> tuple[int, str, float]:
    """Run a command in a folder; return its exit code, its errors and its peak of memory in MB."""
    watcher = [sys.executable, "-I", "-S", "-c", WATCHER]
    result = subprocess.run(
        [*watcher, *COMMAND, *line], cwd=folder, capture_output=True, text=True, check=True
    )
    code, peak = map(int, result.stdout.split())
    return code, result.stderr, peak / 1024


def fault_of(line: list[str], folder: Path, normal: float) -> tuple[str, str, float]:
    """Return what is not right about a command, what it said, and its peak of memory."""
    before = {*folder.rglob("*")}
    code, errors, peak = run(line, folder)
    said = [text for text in errors.splitlines() if text.startswith("kerasviz:")]
    fault = ""
    if code not in (0, 1) or (code == 1 and len(said) != 1) or "Traceback" in errors:
        fault = f"exit code {code}: {errors.strip()[-200:]}"
    elif peak > normal + MAX_EXTRA:
        fault = f"{peak:.0f} MB of memory, {normal:.0f} MB with a good file"
    elif {*folder.rglob("*")} - before - {folder / "out.png", folder / "report.html"}:
        fault = "files that nobody asked for"
    elif Path("/tmp/kerasviz-escaped.txt").exists():
        fault = "a file outside"
    return fault, said[0] if said else "", peak


def fault_of_names() -> str:
    """Write a page about a model with names that look like markup; return what of it got out."""
    inputs = keras.Input((12, 12, 1))
    x = inputs
    for name in NAMES:
        x = keras.layers.Conv2D(2, 1, name=name.replace("/", "|"))(x)
    model = keras.Model(inputs, x, name="<img src=y onerror=alert(2)>")
    with tempfile.TemporaryDirectory() as folder:
        path = kerasviz.report(
            model,
            np.zeros((2, 12, 12, 1)),
            Path(folder) / "report.html",
            sample_names=["<img src=z>", "</script><script>alert(3)</script>"],
        )
        text = path.read_text("utf-8")
    hostile = [*NAMES[:3], "<img src=", "<script>alert", "<svg onload", "‮"]
    return ", ".join(repr(part) for part in hostile if part in text)


def main() -> int:
    """Print what each file led to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="smaller bombs, the first three files")
    short = parser.parse_args().short
    rows, faults = [], []
    with tempfile.TemporaryDirectory() as name:
        folder, away = Path(name) / "here", Path(name) / "files"
        folder.mkdir()
        away.mkdir()
        good, image = away / "good.keras", away / "good.npy"
        make_model().save(good)
        np.save(image, np.zeros((1, 12, 12, 1), "float32"))
        lines = {
            text: ["layers", str(path)]
            for text, path in make_models(away, good, short=short).items()
        }
        for text, path in make_inputs(away).items():
            lines[text] = ["maps", str(good), "first", str(path), "-o", "out.png"]
        _, _, normal = run(["layers", str(good)], folder)
        _, _, maps = run(["maps", str(good), "first", str(image), "-o", "out.png"], folder)
        for text, line in [*lines.items()][: 3 if short else None]:
            fault, said, peak = fault_of(line, folder, maps if line[0] == "maps" else normal)
            rows.append((text, f"{peak:.0f}", "no" if fault else "yes"))
            faults += [f"{text}: {fault}"] if fault else []
            print(f"{text}: {said or 'success'}")
    rows.append((f"{len(NAMES)} names of layers that look like markup, in a report", "", "yes"))
    if escaped := fault_of_names():
        faults.append(f"names: {escaped}")
        rows[-1] = (*rows[-1][:2], "no")
    print(f"\nGood files: {normal:.0f} MB for `layers`, {maps:.0f} MB for `maps`\n")
    print_table(("file", "peak (MB)", "as it must be"), rows)
    for fault in faults:
        print(fault)
    return len(faults) > 0


if __name__ == "__main__":
    sys.exit(main())
