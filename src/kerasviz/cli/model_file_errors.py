"""Recognise files that were given as a model and are not one."""

from __future__ import annotations

import importlib
import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from kerasviz.cli.model_file_size import explain_archive, explain_config_size, explain_kernels

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
ZIP_MAGIC = b"PK"
WEIGHTS = (
    "it holds weights alone, not a model: build the model in Python, call "
    "model.load_weights on the file and save it with model.save"
)
DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)
MAX_START = 256
"""Bytes at the start of a file that tell what it is."""
NO_CONFIG = "the description of the model in it is damaged"
TRUNCATED = "it is truncated or damaged"
NO_MODEL = "it is not a model that Keras saved: a .keras file, or the older .h5"


def explain(path: Path) -> str | None:
    """Return why a file cannot be loaded as a model, `None` if it looks like one.

    The file is only looked at; no code in it runs.
    """
    if path.is_dir():
        return "it is a folder, and not a .keras or .h5 file"
    if not path.is_file():  # to open a pipe would wait for somebody who writes to it
        return "it is not a regular file"
    with path.open("rb") as file:
        start = file.read(MAX_START)
    if not start:
        return "it is empty"
    if re.match(rb"\s*<(!doctype|html)", start, re.IGNORECASE):
        return "it is a web page, not a model; its download may have failed"
    if start.startswith(HDF5_MAGIC):
        return _explain_hdf5(path)
    if start.startswith(ZIP_MAGIC):
        return _explain_zip(path)
    return NO_MODEL if path.suffix not in (".keras", ".h5", ".hdf5") else TRUNCATED


def _explain_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            reason = explain_archive(parts, path.stat().st_size)
            names = {part.filename for part in parts}
            if reason is None and "config.json" in names:
                weights = sum(part.file_size for part in parts if part.filename != "config.json")
                return _explain_config(archive.read("config.json"), weights)
    except DAMAGED_ZIP:  # its list of files is at the end
        return TRUNCATED
    if reason is not None:
        return reason
    return WEIGHTS if any(name.endswith(".weights.h5") for name in names) else NO_MODEL


def _explain_hdf5(path: Path) -> str | None:
    h5py = importlib.import_module("h5py")
    try:
        with h5py.File(path) as file:
            if "model_config" in file.attrs:
                return _explain_config(file.attrs["model_config"], path.stat().st_size)
            # As Keras 3 and as Keras 2 write them.
            has_weights = {"layers", "vars"} & set(file) or "layer_names" in file.attrs
    except (OSError, RuntimeError, ValueError, KeyError):
        return TRUNCATED
    return WEIGHTS if has_weights else NO_MODEL


def _explain_config(text: Any, weights: int) -> str | None:
    """Return why a description of a model cannot be one, `None` if it looks like one.

    Args:
        text: The description.
        weights: The bytes of all weights in the file.
    """
    if isinstance(text, (str, bytes)) and (reason := explain_config_size(len(text))):
        return reason
    try:
        config = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or "class_name" not in config:
        return NO_CONFIG
    return explain_kernels(config, weights)
