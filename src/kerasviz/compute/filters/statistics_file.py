"""Write responses of filters to a file and read them back: a NumPy archive, `.npz`.

The file holds an array `header`, the bytes of a JSON document with the format's version and for
each layer its address, counts and classes; for each layer arrays, named by its index, such as
`0/values`; and images, such as `image/0`. Nothing in it is pickled, so that reading a file runs no
code.
"""

from __future__ import annotations

import io
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
from kerasviz.compute.filters.counting.moments import Moments
from kerasviz.compute.filters.counting.responses import LayerIdentity, Responses
from kerasviz.compute.filters.counting.strongest import Strongest

FORMAT = "kerasviz filter statistics"
VERSION = 1
_SUMS = ("total", "products")
_EXTREMES = ("minimum", "maximum")
_PLACES = ("values", "indices", "positions", "starts")


def write_responses(path: Path, layers: Mapping[str, Responses]) -> None:
    """Write the responses of layers, keyed by address; the file appears when it is complete."""
    described = []
    with replacing_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        numbers: dict[int, int] = {}  # of images, by identity: layers may share them
        for number, responses in enumerate(layers.values()):
            for image in (responses.strongest.images or {}).values():
                if id(image) not in numbers:
                    numbers[id(image)] = len(numbers)
                    _write(archive, f"image/{numbers[id(image)]}", image)
            arrays, description = _describe(responses, numbers)
            described.append(description)
            for name, array in arrays.items():
                _write(archive, f"{number}/{name}", array)
        header = json.dumps(
            {"format": FORMAT, "version": VERSION, "images": len(numbers), "layers": described}
        )
        _write(archive, "header", np.frombuffer(header.encode(), np.uint8))


def _write(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    member = io.BytesIO()
    np.lib.format.write_array(member, array, allow_pickle=False)
    # The digits of a sum are as good as random, and take long to compress by nothing.
    is_sum = array.dtype == np.float64
    kind = zipfile.ZIP_STORED if is_sum else zipfile.ZIP_DEFLATED
    archive.writestr(f"{name}.npy", member.getbuffer(), compress_type=kind, compresslevel=1)


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
            images = {n: archive[f"image/{n}"] for n in range(header["images"])}
            layers = [
                _restore(_Prefixed(archive, f"{number}/"), images, description)
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


def _describe(
    responses: Responses, numbers: Mapping[int, int]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays of a layer, and the rest as what JSON can hold.

    Args:
        responses: Those of the layer.
        numbers: The number of each image, by identity.
    """
    strongest = responses.strongest
    images = strongest.images
    arrays = {name: getattr(responses.moments, name) for name in _SUMS}
    arrays |= {name: getattr(responses, name) for name in _EXTREMES}
    arrays |= {name: getattr(strongest, name) for name in _PLACES}
    if strongest.boxes is not None:
        arrays["boxes"] = strongest.boxes
    for name in ("of_cells", "of_images"):
        arrays |= {f"{name}/{key}": x for key, x in getattr(responses, name).arrays().items()}
    for number, totals in enumerate(responses.class_totals.values()):
        arrays[f"class/{number}"] = totals
    for number, histogram in enumerate(responses.class_peaks.values()):
        arrays |= {f"class_peaks/{number}/{key}": x for key, x in histogram.arrays().items()}
    return arrays, {
        "identity": asdict(responses.identity),
        "samples": responses.samples,
        "cells": responses.moments.cells,
        "classes": [[label, responses.class_counts[label]] for label in responses.class_totals],
        "images": None
        if images is None
        else [[index, numbers[id(image)]] for index, image in images.items()],
        "labels": [[index, label] for index, label in strongest.labels.items()],
    }


def _restore(
    arrays: _Prefixed, all_images: Mapping[int, np.ndarray], description: Mapping[str, Any]
) -> Responses:
    identity = description["identity"]
    identity["field_size"] = tuple(identity["field_size"])
    images = description["images"]
    if images is not None:
        images = {index: all_images[n] for index, n in images}
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
        class_counts=dict(classes),
        class_totals={label: arrays[f"class/{n}"] for n, (label, _) in enumerate(classes)},
        class_peaks={
            label: Histogram.from_arrays(_Prefixed(arrays, f"class_peaks/{n}/"))
            for n, (label, _) in enumerate(classes)
        },
        moments=Moments(description["cells"], arrays["total"], arrays["products"]),
        minimum=arrays["minimum"],
        maximum=arrays["maximum"],
        of_cells=Histogram.from_arrays(_Prefixed(arrays, "of_cells/")),
        of_images=Histogram.from_arrays(_Prefixed(arrays, "of_images/")),
    )
