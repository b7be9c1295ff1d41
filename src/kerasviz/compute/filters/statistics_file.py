"""Write responses of filters to a file and read them back: a NumPy archive, `.npz`.

The file holds an array `header`, the bytes of a JSON document with the format's version and for
each layer its address, counts and classes; and for each layer arrays, named by its index, such as
`0/values`. Nothing in it is pickled, so that reading a file runs no code.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz._files import replacing_path
from kerasviz.compute.filters.counting.histogram import Histogram
from kerasviz.compute.filters.counting.responses import LayerIdentity, Responses
from kerasviz.compute.filters.counting.strongest import Strongest

FORMAT = "kerasviz filter statistics"
VERSION = 1
_SUMS = ("total", "products", "minimum", "maximum")
_PLACES = ("values", "indices", "positions", "starts")


def write_responses(path: Path, layers: Mapping[str, Responses]) -> None:
    """Write the responses of layers, keyed by address; the file appears when it is complete."""
    arrays: dict[str, np.ndarray] = {}
    described = []
    for number, responses in enumerate(layers.values()):
        own, description = _describe(responses)
        arrays |= {f"{number}/{name}": array for name, array in own.items()}
        described.append(description)
    header = json.dumps({"format": FORMAT, "version": VERSION, "layers": described})
    arrays["header"] = np.frombuffer(header.encode(), np.uint8)
    with (
        replacing_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def read_responses(path: Path) -> dict[str, Responses]:
    """Read the responses of layers, keyed by address.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a complete file of this kind.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            header = json.loads(archive["header"].tobytes())
            if header["format"] != FORMAT or header["version"] != VERSION:
                raise ValueError("another format")
            layers = [
                _restore(_Prefixed(archive, f"{number}/"), description)
                for number, description in enumerate(header["layers"])
            ]
    except FileNotFoundError:
        raise
    # What a damaged archive raises, in NumPy, zipfile, zlib and json.
    except (
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        OSError,
        zipfile.BadZipFile,
        zlib.error,
    ) as e:
        raise ValueError(
            f"'{path}' is not a complete file of filter statistics: {type(e).__name__}: {e}"
        ) from e
    return {responses.identity.address: responses for responses in layers}


class _Prefixed(Mapping[str, np.ndarray]):
    """The arrays of an archive whose names begin in some way."""

    def __init__(self, arrays: Mapping[str, np.ndarray], prefix: str) -> None:
        self._arrays, self._prefix = arrays, prefix

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[self._prefix + name]

    def __iter__(self) -> Any:
        return (
            key.removeprefix(self._prefix) for key in self._arrays if key.startswith(self._prefix)
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _describe(responses: Responses) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays of a layer, and the rest as what JSON can hold."""
    strongest = responses.strongest
    arrays = {name: getattr(responses, name) for name in _SUMS}
    arrays |= {name: getattr(strongest, name) for name in _PLACES}
    if strongest.boxes is not None:
        arrays["boxes"] = strongest.boxes
    for name in ("of_cells", "of_images"):
        arrays |= {f"{name}/{key}": x for key, x in getattr(responses, name).arrays().items()}
    for number, totals in enumerate(responses.class_totals.values()):
        arrays[f"class/{number}"] = totals
    for number, histogram in enumerate(responses.class_peaks.values()):
        arrays |= {f"class_peaks/{number}/{key}": x for key, x in histogram.arrays().items()}
    for index, image in (strongest.images or {}).items():
        arrays[f"image/{index}"] = image
    return arrays, {
        "identity": asdict(responses.identity),
        "samples": responses.samples,
        "cells": responses.cells,
        "classes": [[label, responses.class_counts[label]] for label in responses.class_totals],
        "images": None if strongest.images is None else list(strongest.images),
        "labels": [[index, label] for index, label in strongest.labels.items()],
    }


def _restore(arrays: _Prefixed, description: Mapping[str, Any]) -> Responses:
    identity = description["identity"]
    identity["field_size"] = tuple(identity["field_size"])
    images = description["images"]
    if images is not None:
        images = {index: arrays[f"image/{index}"] for index in images}
    classes = [(label, count) for label, count in description["classes"]]
    return Responses(
        identity=LayerIdentity(**identity),
        strongest=Strongest(
            images=images,
            labels=dict(description.get("labels", [])),
            boxes=arrays.get("boxes"),
            **{name: arrays[name] for name in _PLACES},
        ),
        samples=description["samples"],
        cells=description["cells"],
        class_counts=dict(classes),
        class_totals={label: arrays[f"class/{n}"] for n, (label, _) in enumerate(classes)},
        class_peaks={
            label: Histogram.from_arrays(_Prefixed(arrays, f"class_peaks/{n}/"))
            for n, (label, _) in enumerate(classes)
        },
        total=arrays["total"],
        products=arrays["products"],
        minimum=arrays["minimum"],
        maximum=arrays["maximum"],
        of_cells=Histogram.from_arrays(_Prefixed(arrays, "of_cells/")),
        of_images=Histogram.from_arrays(_Prefixed(arrays, "of_images/")),
    )
