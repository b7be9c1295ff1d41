"""Feature maps of more images than memory holds: batch by batch, to an iterator or to a file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasviz._checks import check_path, check_verbose, import_optional
from kerasviz._files import check_target, replacing_path
from kerasviz.compute.feature_maps import (
    Extraction,
    check_address,
    check_batch_size,
    plan_extraction,
)
from kerasviz.compute.ray_cluster import Block, Columns, is_cluster_dataset, map_blocks
from kerasviz.model.addresses import Selection
from kerasviz.model.inputs.input_adapter import is_stream, iter_batches

Append = Callable[[dict[str, np.ndarray]], None]
"""Appends a batch of maps to what is there, keyed by the layers' addresses."""
CHUNK = 1 << 20
"""Bytes that a chunk of an HDF5 or Zarr file should have at least."""


def iter_feature_maps(
    model: keras.Model, layer: Any, inputs: Any, *, batch_size: int = 32
) -> Iterator[Any]:
    """Return what layers compute, batch by batch, as `get_feature_maps` returns it all at once.

    Only one batch is held at a time, so that memory does not grow with the number of images.

    Args:
        model: A Keras model.
        layer: A layer address; several take one pass together.
        inputs: What `get_feature_maps` takes; or batches of it from anything that can be iterated,
            of which every one is used: a generator, a `tf.data.Dataset`, a
            `keras.utils.PyDataset`, a PyTorch `DataLoader`.
            Of batches `(x, y)` or `(x, y, sample_weight)`, as `model.fit` takes them, `x` is used.
        batch_size: How many samples are computed at a time; batches that come in are cut, if they
            are larger, and never joined.

    Returns:
        An iterator over batches. One layer: arrays `(samples, height, width, channels)`, channels
        last. Several: dicts of such arrays, keyed by address. Where rows are not samples, or depend
        on other samples, they are those that the layer returns for this batch alone.

    Raises:
        TypeError: `model` is not a Keras model, or `layer` is not an address.
        ValueError: No layer has that address, more than one call has, or `inputs` does not fit the
            model. Of a stream, only its own batches can tell.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> batches = (np.zeros((16, 28, 28, 1)) for _ in range(2))
        >>> [maps.shape for maps in kerasviz.iter_feature_maps(model, 0, batches)]
        [(16, 26, 26, 32), (16, 26, 26, 32)]
    """
    check_batch_size(batch_size)
    _, extractions = _plan_extractions(model, layer, inputs)
    return (
        maps[extraction.targets.targets[0].address] if extraction.targets.single else maps
        for extraction, maps in _run(extractions, batch_size)
    )


def save_feature_maps(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    path: str | os.PathLike[str],
    *,
    batch_size: int = 32,
    verbose: int = 0,
) -> Path:
    """Write what layers compute to a file, batch by batch.

    Only one batch is held at a time. The file gets its name when it is complete; until then it
    has a name of its own in the same folder, which begins with a dot. What was there under the
    name stays until then; a link stays, and the file that it leads to is replaced. What a run that
    was killed left of the same file is removed.

    Args:
        model: A Keras model.
        layer: A layer address; several take one pass together.
        inputs: What `iter_feature_maps` takes: arrays, or batches from anything that can be
            iterated. A `ray.data.Dataset` is computed on the Ray cluster
            (`pip install "kerasviz[ray]"`), by a copy of the model on each worker; the maps come
            here to be written, in the order of its rows.
        path: Where to write. Its suffix says how: `.npy` for one layer, which NumPy opens without
            reading it, by `np.load(path, mmap_mode="r")`; `.h5` or `.hdf5` for HDF5; `.zarr` for
            Zarr, which must be installed. In these two, the key of each array is its address.
            `.parquet` for Parquet, which needs PyArrow: a row per sample, and a column per layer,
            named by its address, of Arrow's tensors of a fixed shape. A file that is there is
            replaced, and so is a Zarr store, but no other folder.
        batch_size: How many samples are computed at a time.
        verbose: 0 or 1; 1 prints a progress bar.

    Returns:
        The path.

    Raises:
        TypeError: `model` is not a Keras model, `layer` is not an address, or `path` is not a path.
        ValueError: No layer has that address, it has several outputs, `inputs` does not fit the
            model, its batches give maps of different sizes, it has no batches, or `path` ends in
            something else.
        OSError: Nothing can be written to `path`, which is found out before the model runs; or the
            complete file could not get its name, and the message says where it is.
        ImportError: The library that writes such files is not installed.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> batches = (np.zeros((16, 28, 28, 1)) for _ in range(3))
        >>> path = kerasviz.save_feature_maps(model, 0, batches, "maps.npy")  # doctest: +SKIP
        >>> np.load(path, mmap_mode="r").shape  # doctest: +SKIP
        (48, 26, 26, 32)
    """
    check_batch_size(batch_size)
    check_verbose(verbose)
    # Before the model runs: hours of work are not lost because a folder cannot be written to.
    path = _check_path(path)
    if is_cluster_dataset(inputs):
        targets = check_address(model, layer)
        total, batches = None, _run_on_cluster(model, targets, inputs, batch_size)
    else:
        targets, extractions = _plan_extractions(model, layer, inputs)
        total = len(extractions[0].batch) if isinstance(extractions, list) else None
        batches = ((len(x.batch), maps) for x, maps in _run(extractions, batch_size))
    _check_outputs(targets, path)
    bar = keras.utils.Progbar(total, unit_name="sample") if verbose else None
    seen = 0
    with (
        replacing_path(path, keep=True, may_replace_folder=_FOLDERS.get(path.suffix)) as temporary,
        _WRITERS[path.suffix](temporary) as append,
    ):
        for samples, maps in batches:
            append(maps)
            seen += samples
            if bar is not None:
                bar.update(seen)
        if not seen:
            raise ValueError("`inputs` must hold at least one batch. Received: none")
    if bar is not None and total is None:  # with a total it has ended by itself
        bar.update(seen, finalize=True)
    return path


def _check_path(path: object) -> Path:
    """Return a path that can be written to, which is known before anything is computed."""
    path = check_path("path", path)
    if path.suffix not in _WRITERS:
        raise ValueError(f"`path` must end in {', '.join(_WRITERS)}. Received: path={str(path)!r}")
    try:
        check_target(path, may_replace_folder=_FOLDERS.get(path.suffix))
    except OSError as error:
        raise type(error)(
            error.errno,
            f"`path` must be where a {path.suffix} file can be written: {error.strerror}. "
            f"Received: path={str(path)!r}",
        ) from None
    return path


def _check_outputs(targets: Selection, path: Path) -> None:
    """Refuse, before anything is computed, layers whose outputs such a file cannot hold."""
    if path.suffix == ".npy" and len(targets.targets) > 1:
        raise ValueError(
            "`path` must end in .h5, .hdf5, .zarr or .parquet for several layers. "
            f"Received: path={str(path)!r}, for {', '.join(t.address for t in targets.targets)}"
        )
    for address, call in targets.targets:
        if len(call.outputs) > 1:
            raise ValueError(
                "`layer` must name layers with one output. "
                f"Received: '{address}', which has {len(call.outputs)}"
            )


def _check_size(address: str, shape: Sequence[int], array: np.ndarray) -> None:
    if tuple(shape) != array.shape[1:]:
        raise ValueError(
            f"`inputs` must give maps of one size. Received: batches for which '{address}' makes "
            f"{tuple(shape)} and {array.shape[1:]}"
        )


@contextmanager
def _npy(path: Path) -> Iterator[Append]:
    """Write an array of which only the end tells how long it is.

    The header of the format leaves room for the first axis to grow.
    Source: `numpy.lib.format`, on the NPY format.
    """
    header: dict[str, Any] = {}
    with path.open("wb") as file:

        def append(maps: dict[str, np.ndarray]) -> None:
            ((address, array),) = maps.items()
            if not header:
                descr = np.lib.format.dtype_to_descr(array.dtype)
                header.update(descr=descr, fortran_order=False, shape=(0, *array.shape[1:]))
                np.lib.format.write_array_header_1_0(file, header)
            # The header that counts is written at the end: only then it is known how many samples
            # there are.
            length, *size = header["shape"]
            _check_size(address, size, array)
            file.write(np.ascontiguousarray(array).data)
            header["shape"] = (length + len(array), *size)

        yield append
        if header:
            file.seek(0)
            np.lib.format.write_array_header_1_0(file, header)


@contextmanager
def _hdf5(path: Path) -> Iterator[Append]:
    h5py = import_optional("h5py", "Writing such a file")

    try:
        with h5py.File(path, "w") as file:

            def append(maps: dict[str, np.ndarray]) -> None:
                for address, array in maps.items():
                    if address not in file:
                        file.create_dataset(
                            address,
                            (0, *array.shape[1:]),
                            array.dtype,
                            maxshape=(None, *array.shape[1:]),
                            chunks=_chunks(array),
                        )
                    dataset = file[address]
                    _check_size(address, dataset.shape[1:], array)
                    dataset.resize(len(dataset) + len(array), axis=0)
                    dataset[-len(array) :] = array

            yield append
    # A full disk is an OSError for every other format, so that it is one here.
    except RuntimeError as error:  # h5py's, of a file that cannot be closed
        number = re.search(r"errno = (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), str(error)) from error


@contextmanager
def _zarr(path: Path) -> Iterator[Append]:
    zarr = import_optional("zarr", "Writing such a file")

    group = zarr.open_group(path, mode="a")

    def append(maps: dict[str, np.ndarray]) -> None:
        for address, array in maps.items():
            if address not in group:
                group.create_array(
                    address, shape=(0, *array.shape[1:]), dtype=array.dtype, chunks=_chunks(array)
                )
            dataset = group[address]
            _check_size(address, dataset.shape[1:], array)
            dataset.append(array)

    yield append


@contextmanager
def _parquet(path: Path) -> Iterator[Append]:
    """Write a table with a row per sample, a row group per batch."""
    arrow = import_optional("pyarrow", "Writing such a file")
    parquet = import_optional("pyarrow.parquet", "Writing such a file")

    def column(array: np.ndarray) -> Any:
        values = arrow.array(np.ascontiguousarray(array).reshape(-1))
        size = array.shape[1:]
        if not size:
            return values
        kind = arrow.fixed_shape_tensor(values.type, size)
        lists = arrow.FixedSizeListArray.from_arrays(values, type=kind.storage_type)
        return arrow.ExtensionArray.from_storage(kind, lists)

    sizes: dict[str, tuple[int, ...]] = {}
    with ExitStack() as stack:
        writer: Any = None

        def append(maps: dict[str, np.ndarray]) -> None:
            nonlocal writer
            for address, array in maps.items():
                _check_size(address, sizes.setdefault(address, array.shape[1:]), array)
            table = arrow.table({address: column(array) for address, array in maps.items()})
            if writer is None:
                writer = stack.enter_context(parquet.ParquetWriter(path, table.schema))
            writer.write_table(table)

        yield append


def _chunks(array: np.ndarray) -> tuple[int, ...]:
    """Return the shape of a chunk: enough whole samples to make it worth a read."""
    return (-(-CHUNK // max(1, array[0].nbytes)), *array.shape[1:])


_WRITERS: dict[str, Callable[[Path], AbstractContextManager[Append]]] = {
    ".npy": _npy,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".zarr": _zarr,
    ".parquet": _parquet,
}


def _is_zarr_store(folder: Path) -> bool:
    """Whether a folder is empty or holds what Zarr writes and nothing else."""
    names = [name for _, _, files in os.walk(folder) for name in files]
    has_group = not names or any((folder / name).is_file() for name in ("zarr.json", ".zgroup"))
    return has_group and all(map(_ZARR_FILE.fullmatch, names))


_ZARR_FILE = re.compile(r"zarr\.json|\.z(group|array|attrs|metadata)|c|\d+([./]\d+)*")
"""The names of the files in a Zarr store: metadata and chunks, of versions 2 and 3."""

_FOLDERS: dict[str, Callable[[Path], bool]] = {".zarr": _is_zarr_store}
"""Formats that are folders, each with what tells whether one that is there may be replaced."""


def _plan_extractions(
    model: keras.Model, layer: Any, inputs: Any
) -> tuple[Selection, list[Extraction] | Iterator[Extraction]]:
    """Check a layer argument, and plan the extractions of all inputs."""
    if not is_stream(inputs):
        extraction = plan_extraction(model, layer, inputs)
        return extraction.targets, [extraction]
    targets = check_address(model, layer)
    return targets, (plan_extraction(model, layer, batch) for batch in iter_batches(inputs))


def _run(
    extractions: Iterable[Extraction], batch_size: int
) -> Iterator[tuple[Extraction, dict[str, Any]]]:
    for extraction in extractions:
        for start in range(0, len(extraction.batch), batch_size):
            part = replace(extraction, batch=extraction.batch.part(start, start + batch_size))
            try:
                maps = part.run(batch_size)
            # Any error, which is raised again as it is: it only gets a note.
            except Exception as error:
                _note_that_batch_is_cut(error, len(part.batch), len(extraction.batch))
                raise
            yield part, maps


@dataclass(frozen=True, kw_only=True)
class _BlockMaps:
    """Computes, on a worker of a cluster, the maps of the rows of a block.

    Args:
        layers: Layer addresses.
        columns: The columns of the inputs.
        batch_size: How many samples are computed at a time.
    """

    layers: list[str]
    columns: Columns
    batch_size: int

    def __call__(self, model: keras.Model, block: Block) -> Iterator[Any]:
        batches = (inputs for inputs, _ in self.columns.batches(block))
        try:
            _, extractions = _plan_extractions(model, self.layers, batches)
            for extraction, maps in _run(extractions, self.batch_size):
                yield len(extraction.batch), maps
        except (TypeError, ValueError) as error:
            yield error


def _run_on_cluster(
    model: keras.Model, targets: Selection, dataset: Any, batch_size: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of samples and the maps of each batch, in the order of the rows."""
    layers = [target.address for target in targets.targets]
    columns = Columns.find(model, dataset)
    seen = 0
    work = _BlockMaps(layers=layers, columns=columns, batch_size=batch_size)
    for result in map_blocks(model, dataset, work):
        if isinstance(result, Exception):
            result.add_note(f"It is about the rows of the data set from {seen} on.")
            raise result
        seen += result[0]
        yield result


def _note_that_batch_is_cut(error: Exception, size: int, total: int) -> None:
    """Add to an error that the model may have failed since it was given a part of the samples."""
    if size < total:
        error.add_note(
            f"kerasviz gave the model {size} of {total} samples at a time. If it takes them only "
            f"together, as the nodes of a graph, give batch_size={total}."
        )
