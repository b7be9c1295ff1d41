"""The records of `KernelSnapshots` and `FeatureMapSnapshots`: one file per layer and step."""

from __future__ import annotations

import errno
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kerasviz._files import replacing

FORMAT_VERSION = 1
"""A file with a higher number was written by a version of kerasviz that knows more."""
Unit = Literal["epoch", "batch"]
DIGITS = {"epoch": 4, "batch": 8}
"""Digits of a number in the name of a file, so that names sort as numbers do."""
UNREADABLE = (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile)
"""The exceptions that a file which is not a record raises."""
ARRAYS = (
    "values",
    "indices",
    "backgrounds",
    "slice_indices",
    "signals",
    "tile_names",
    "label_names",
    "table_rows",
    "table_columns",
)
"""The arrays of a record; those after the first two are in some records only."""


@dataclass(frozen=True, kw_only=True)
class SnapshotRecord:
    """The values of one layer after one step of a training, with all that a picture of them needs.

    Args:
        kind: What the values are, such as "kernels".
        address: The layer's address.
        order: Which of the layers of its callback this is.
        unit: What `step` counts.
        step: After how many epochs or batches it was taken.
        key: The settings of the callback: records with other ones are not compared.
        notes: Facts for the title, without the step.
        arrays: The values, as they are drawn in `values`, one tile per entry of `indices`; and
            what else a picture needs, see `ARRAYS`.
        facts: What is not an array, such as the number of filters of the layer.
    """

    kind: str
    address: str
    order: int
    unit: Unit
    step: int
    key: str
    notes: tuple[str, ...]
    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]


def step_name(unit: Unit, step: int) -> str:
    """Return the part of a file's name that says the step: `"epoch-0012"`."""
    return f"{unit}-{step:0{DIGITS[unit]}}"


def write_record(path: Path, record: SnapshotRecord) -> None:
    """Write a file that appears under its name when it is complete."""
    members: dict[str, Any] = {
        "version": FORMAT_VERSION,
        "kind": record.kind,
        "address": record.address,
        "order": record.order,
        "unit": record.unit,
        "step": record.step,
        "key": record.key,
        "notes": np.array(record.notes, str),
        "facts": json.dumps(record.facts),
        **record.arrays,
    }
    stream = io.BytesIO()
    np.savez(stream, **members)
    with replacing(path) as file:
        file.write(stream.getbuffer())


def read_record(path: Path) -> SnapshotRecord:
    """Read a file that `write_record` wrote.

    Raises:
        OSError: It is not there, is damaged, or is of something else.
    """
    try:
        with path.open("rb") as file, np.load(file) as data:
            if data["version"] > FORMAT_VERSION:
                raise ValueError("a newer version of kerasviz wrote it")
            unit = str(data["unit"])
            return SnapshotRecord(
                kind=str(data["kind"]),
                address=str(data["address"]),
                order=int(data["order"]),
                unit="batch" if unit == "batch" else "epoch",
                step=int(data["step"]),
                key=str(data["key"]),
                notes=tuple(data["notes"].tolist()),
                arrays={name: data[name] for name in ARRAYS if name in data},
                facts=json.loads(str(data["facts"])),
            )
    except UNREADABLE as error:
        raise OSError(errno.EIO, f"the values in '{path}' cannot be read: {error}") from error


def list_records(folder: Path) -> dict[str, list[Path]]:
    """Return the files of records in the folder of a layer, in the order of their steps.

    Returns:
        The files of each series, by its name: `"kernels"`, or `"kernels-2"` for those of a callback
        with other settings.
    """
    series: dict[str, list[tuple[str, int, Path]]] = {}
    for path in folder.glob("*.npz"):
        match = re.fullmatch(r"(.+)-(epoch|batch)-(\d+)\.npz", path.name)
        if match:
            series.setdefault(match[1], []).append((match[2], int(match[3]), path))
    return {name: [path for *_, path in sorted(files)] for name, files in sorted(series.items())}


def choose_series(folder: Path, kind: str, key: str) -> str:
    """Return the name of the series in a layer's folder that records with this key belong to.

    It is the first name that has no records with other settings, nor an animation without any.
    """
    series = list_records(folder)
    names = (kind if number == 1 else f"{kind}-{number}" for number in count(1))
    for name in names:
        files = series.get(name)
        if read_key(files[-1]) == key if files else not (folder / f"{name}.gif").exists():
            return name
    raise AssertionError("there is always another number")


def read_key(path: Path) -> str | None:
    """Return the key of a record; `None` of a file that is not one."""
    try:
        with path.open("rb") as file, np.load(file) as data:
            return str(data["key"])
    except UNREADABLE:
        return None
