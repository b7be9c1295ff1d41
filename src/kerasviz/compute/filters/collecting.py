"""One pass over any amount of data to the statistics of filters: `filter_statistics`."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasviz._checks import check_count, check_path, check_verbose
from kerasviz._files import check_target
from kerasviz.compute.feature_maps import (
    Extraction,
    check_address,
    check_batch_size,
    rows_are_samples,
)
from kerasviz.compute.filters.counting.multiplying import one_multiplying_thread
from kerasviz.compute.filters.counting.responses import (
    LayerIdentity,
    NotFiniteError,
    Responses,
    limit_images,
)
from kerasviz.compute.filters.labels import labelled_extractions
from kerasviz.compute.filters.ray_statistics import Part, collect_on_cluster
from kerasviz.compute.filters.receptive_fields.field_locator import (
    FieldLocator,
    locate_fields,
)
from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.compute.filters.statistics_file import read_responses, write_responses
from kerasviz.compute.ray_cluster import Block, Columns, count_of_cluster, is_cluster_dataset
from kerasviz.model.addresses import NamedCall, Selection
from kerasviz.model.inputs.input_adapter import InputBatch
from kerasviz.model.inputs.labels import as_labels

SECONDS = 10
"""The time from one checkpoint to the next, where that is quickly saved."""
SHARE = 10
"""Where it is not, the next one comes after this many times what saving took."""
THREADS = 4
"""How many threads count maps at most."""


def filter_statistics(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    labels: Any = None,
    images: int = 9,
    batch_size: int = 32,
    checkpoint: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> Any:
    """Return what each filter of a layer responds to in a whole data set, in one pass over it.

    Only one batch is held at a time, and of the images those in which some filter responds most
    strongly, up to 1 GiB; beyond that, of the layer that names the most images only their indices
    are left. The result is the same for any size of the batches, if the backend rounds the same.

    Args:
        model: A Keras model.
        layer: A layer address, or several, which take one pass together; `None` is every
            convolution.
        inputs: What `get_feature_maps` takes; or batches of it from anything that can be iterated:
            a generator, a `tf.data.Dataset`, a `keras.utils.PyDataset`, a PyTorch `DataLoader`. A
            `ray.data.Dataset` is computed on the Ray cluster (`pip install "kerasviz[ray]"`), by a
            copy of the model on each worker; the index of an image is that of its row.
        labels: The class of each image, `(samples,)`, as integers or text, or one-hot. Batches
            `(x, y)` bring their own, where `y` are classes. Of a `ray.data.Dataset`, the name of a
            column.
        images: How many of the images in which a filter responds most strongly are kept.
        batch_size: How many images are computed at a time.
        checkpoint: A file, `.npz`, to which the pass is saved when it is interrupted and every ten
            seconds, less often where saving would take more than a tenth of the time. If it is
            there already, the pass goes on after the images that it holds: the same inputs have to
            be given again. It is removed when the pass is complete. Ray makes up by itself for
            workers that are lost, and takes none.
        verbose: 0 or 1; 1 prints a progress bar.

    Returns:
        A `FilterStatistics`; of several layers a dict of them, keyed by address.

    Raises:
        TypeError: `model` is not a Keras model, `layer` is not an address, or `labels` are not
            classes.
        ValueError: No layer has that address; it has several outputs, or its rows are not samples;
            `inputs` does not fit the model, or is empty; `labels` have another length; a value is
            NaN or infinite; the checkpoint is of another model or of other data.
        OSError: Nothing can be written to `checkpoint`.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> statistics = kerasviz.filter_statistics(model, "conv2d_1", images, labels=labels)
        >>> statistics.class_means.shape
        (10, 64)
    """
    check_count("images", images)
    check_batch_size(batch_size)
    check_verbose(verbose)
    if is_cluster_dataset(inputs):
        if checkpoint is not None:
            raise ValueError("`checkpoint` must be None where `inputs` are a data set of Ray.")
        return _on_cluster(
            model, inputs, verbose, layer=layer, labels=labels, places=images, batch_size=batch_size
        )
    labels = None if labels is None else as_labels(labels, may_be_text=True)
    saved = None if checkpoint is None else _Checkpoint(_check_checkpoint(checkpoint))
    # As many cores are left to the model, and a core that does both does each more slowly.
    threads = min(max((os.cpu_count() or 1) // 2, 1), THREADS)
    collection = _Collection(model, images, batch_size, threads=threads, checkpoint=saved)
    extractions = labelled_extractions(model, layer, inputs, labels)
    selection = collection.run(extractions, verbose)
    return _as_statistics(selection, collection.responses(), collection.locators)


def _as_statistics(
    selection: Selection,
    responses: Mapping[str, Responses],
    locators: Mapping[str, FieldLocator],
) -> Any:
    statistics = {}
    for address, locator in locators.items():
        own = responses[address]
        # Of the places that are left, since it takes long to follow each through the model.
        strongest = own.strongest.with_boxes(locator.boxes)
        statistics[address] = FilterStatistics(replace(own, strongest=strongest))
    return next(iter(statistics.values())) if selection.single else statistics


@dataclass(frozen=True, kw_only=True)
class _BlockWork:
    """Collects, on a worker of a cluster, the responses to the rows of a block.

    Args:
        layer: A layer address, or several.
        columns: The columns of the inputs and labels.
        places: How many of the strongest places are kept for each filter.
        batch_size: How many images are computed at a time.
        threads: How many threads count maps beside the model.
    """

    layer: str | list[str]
    columns: Columns
    places: int
    batch_size: int
    threads: int

    def __call__(self, model: keras.Model, block: Block) -> Iterator[Part]:
        collection = _Collection(model, self.places, self.batch_size, threads=self.threads)
        batches = self.columns.batches(block)
        try:
            collection.run(labelled_extractions(model, self.layer, batches, None), 0)
        except (TypeError, ValueError) as error:
            yield Part(samples=0, responses={}, error=error)
            return
        responses = collection.responses()
        yield Part(samples=next(iter(responses.values())).samples, responses=responses)


def _on_cluster(
    model: keras.Model,
    dataset: Any,
    verbose: int,
    *,
    layer: Any,
    labels: Any,
    places: int,
    batch_size: int,
) -> Any:
    targets = check_address(model, layer)
    columns = Columns.find(model, dataset, labels)
    addresses = [target.address for target in targets.targets]
    work = _BlockWork(
        layer=addresses[0] if targets.single else addresses,
        columns=columns,
        places=places,
        batch_size=batch_size,
        # A worker without a GPU has one core, on which a thread would only take turns.
        threads=1 if count_of_cluster("GPU") else 0,
    )
    responses = collect_on_cluster(model, dataset, work, verbose)
    if next(iter(responses.values())).identity.fingerprint != model_fingerprint(model):
        raise ValueError("`model` must be one that Keras can save: a copy has other weights.")
    return _as_statistics(targets, responses, locate_fields(model, targets.targets))


def _check_checkpoint(checkpoint: Any) -> Path:
    path = check_path("checkpoint", checkpoint)
    if path.suffix != ".npz":
        raise ValueError(f"`checkpoint` must end in .npz. Received: checkpoint={str(path)!r}")
    check_target(path)
    return path


class _Checkpoint:
    """A file that holds what a pass has seen so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._due = time.monotonic() + SECONDS

    def read(self) -> dict[str, Responses]:
        """Return what an earlier pass left, keyed by address."""
        return read_responses(self._path) if self._path.exists() else {}

    def is_due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() > self._due

    def write(self, responses: dict[str, Responses]) -> None:
        """Save what the pass has seen."""
        start = time.monotonic()
        write_responses(self._path, responses)
        now = time.monotonic()
        self._due = now + max(SECONDS, SHARE * (now - start))

    def remove(self) -> None:
        """Remove the file, which a complete pass does not need."""
        self._path.unlink(missing_ok=True)


class _Layer:
    """A layer of which responses are collected, in several threads.

    NumPy leaves the interpreter to others while it counts, so that maps are counted while the model
    computes the next ones. Each thread collects for itself; at the end all is merged.

    Args:
        target: The layer.
        locator: Tells what its units see.
        places: How many of the strongest places are kept for each filter.
        fingerprint: A fingerprint of the model.
    """

    def __init__(
        self, target: NamedCall, locator: FieldLocator, *, places: int, fingerprint: str
    ) -> None:
        self.target = target
        self.locator = locator
        self.identity = LayerIdentity(
            address=target.address,
            fingerprint=fingerprint,
            places=places,
            field_size=self.locator.size,
            is_exact=self.locator.is_exact,
        )
        self._by_thread: dict[int, Responses] = {}

    @property
    def view(self) -> tuple[int | None, int]:
        """Which input the images are, and the axis of their channels."""
        return self.locator.image_index, self.locator.channel_axis

    def add(
        self,
        thread: int,
        maps: np.ndarray,
        indices: np.ndarray,
        *,
        images: Sequence[np.ndarray] | None,
        labels: np.ndarray | None,
    ) -> Responses:
        """Add the maps of some images, which come after all others of the thread.

        Args:
            thread: The number of the thread.
            maps: The layer's output.
            indices: The index of each image.
            images: The images, of which some are kept.
            labels: The class of each image.

        Returns:
            What the thread has collected.
        """
        if thread not in self._by_thread:
            self._by_thread[thread] = Responses.empty(self.identity, maps.shape[-1], maps.ndim - 2)
        responses = self._by_thread[thread]
        responses.add(maps, indices, locate=self.locator.starts, images=images, labels=labels)
        return responses

    def restore(self, responses: Responses) -> None:
        """Go on after responses that were collected before."""
        self._by_thread[0] = responses

    def responses(self) -> Responses:
        """Return what all threads have collected."""
        return reduce(Responses.merge, self._by_thread.values())


def _check_maps(target: NamedCall, part: Extraction, maps: Any) -> np.ndarray:
    address, call = target
    if keras.tree.is_nested(maps):
        raise ValueError(f"'{address}' has several outputs: name one, such as '{address}#0'.")
    if not rows_are_samples(part, call, call.output or 0, maps) or maps.ndim < 2:
        raise ValueError(
            f"'{address}' must return a row for each image to have statistics of images. "
            f"Received: an output of shape {maps.shape} for {len(part.batch)} images"
        )
    if maps.dtype.kind not in "biuf":
        raise ValueError(f"'{address}' must return real numbers. Received: {maps.dtype}")
    return np.asarray(maps)


class _Collection:
    """A pass over data that collects the responses of layers.

    Args:
        model: The model.
        places: How many of the strongest places are kept for each filter.
        batch_size: How many images are computed at a time.
        threads: How many threads count maps while the model computes the next ones; 0 counts them
            in between.
        checkpoint: Where the pass is saved, if anywhere.
    """

    def __init__(
        self,
        model: keras.Model,
        places: int,
        batch_size: int,
        *,
        threads: int,
        checkpoint: _Checkpoint | None = None,
    ) -> None:
        self._model = model
        self._places = places
        self._batch_size = batch_size
        self._checkpoint = checkpoint
        self.locators: dict[str, FieldLocator] = {}
        self._layers: list[_Layer] = []
        self._seen = 0
        self._done = 0  # how many images the checkpoint holds
        self._threads = [ThreadPoolExecutor(1) for _ in range(threads)]
        self._next_thread = 0
        self._pending: list[Future[None] | None] = [None] * len(self._threads)

    def responses(self) -> dict[str, Responses]:
        """Return what was collected, keyed by address."""
        self._wait()
        responses = {layer.identity.address: layer.responses() for layer in self._layers}
        limit_images(responses.values())
        for each in responses.values():
            each.moments.settle()
        return responses

    def run(
        self, extractions: Iterator[tuple[Extraction, np.ndarray | None]], verbose: int
    ) -> Selection:
        """Collect the responses to all images; return which layers `layer` named."""
        bar = keras.utils.Progbar(None, unit_name="image") if verbose else None
        selection = Selection((), single=False)
        try:
            with one_multiplying_thread():
                for extraction, labels in extractions:
                    if not self._layers:
                        self._begin(extraction)
                        selection = extraction.targets
                    self._add(extraction, labels)
                    if bar is not None:
                        bar.update(self._seen)
                self._wait()
            if bar is not None and self._seen:
                bar.update(self._seen, finalize=True)
        # What threads have counted by then has a gap; the checkpoint stays as it was.
        except NotFiniteError:
            raise
        except BaseException:  # a keyboard interrupt too: what was seen is worth keeping
            if self._checkpoint is not None and self._seen > self._done:
                self._checkpoint.write(self.responses())
            raise
        finally:
            for thread in self._threads:
                thread.shutdown()
        self._check_end()
        if self._checkpoint is not None:
            self._checkpoint.remove()
        return selection

    def _check_end(self) -> None:
        if not self._seen:
            raise ValueError("`inputs` must hold at least one batch. Received: none")
        if self._seen < self._done:
            raise ValueError(
                f"`checkpoint` must be of the same inputs. Received: one of {self._done} images, "
                f"and inputs of {self._seen}"
            )

    def _begin(self, extraction: Extraction) -> None:
        fingerprint = model_fingerprint(self._model)
        targets = extraction.targets.targets
        self.locators = locate_fields(self._model, targets)
        self._layers = [
            _Layer(
                target,
                self.locators[target.address],
                places=self._places,
                fingerprint=fingerprint,
            )
            for target in targets
        ]
        saved = {} if self._checkpoint is None else self._checkpoint.read()
        if not saved:
            return
        own = {layer.identity.address: layer.identity for layer in self._layers}
        if own != {key: responses.identity for key, responses in saved.items()}:
            raise ValueError(
                "`checkpoint` must be of the same model, layers and `images`. Received: one of "
                f"{', '.join(map(repr, saved))}, of other weights or another number of images"
            )
        for layer in self._layers:
            layer.restore(saved[layer.identity.address])
            self._done = saved[layer.identity.address].samples

    def _add(self, extraction: Extraction, labels: np.ndarray | None) -> None:
        total = len(extraction.batch)
        skipped = min(max(self._done - self._seen, 0), total)
        self._seen += skipped
        for start in range(skipped, total, self._batch_size):
            stop = start + self._batch_size
            part = replace(extraction, batch=extraction.batch.part(start, stop))
            maps = part.run(self._batch_size, copy=False)
            arrays = [
                _check_maps(layer.target, part, maps[layer.identity.address])
                for layer in self._layers
            ]
            self._hand_over(part.batch, arrays, None if labels is None else labels[start:stop])
            self._seen += len(part.batch)
            if self._checkpoint is not None and self._checkpoint.is_due():
                self._checkpoint.write(self.responses())

    def _hand_over(
        self, batch: InputBatch, maps: Sequence[np.ndarray], labels: np.ndarray | None
    ) -> None:
        """Let the next thread count maps, as soon as it is free; without threads, count them."""
        images = self._copy_images(batch)
        indices = np.arange(self._seen, self._seen + len(batch))
        number = self._next_thread

        def add() -> None:
            responses = [
                layer.add(number, array, indices, images=images.get(layer.view), labels=labels)
                for layer, array in zip(self._layers, maps, strict=True)
            ]
            limit_images(responses)

        if not self._threads:
            add()
            return
        self._next_thread = (number + 1) % len(self._threads)
        self._wait(number)
        self._pending[number] = self._threads[number].submit(add)

    def _copy_images(self, batch: InputBatch) -> dict[Any, list[np.ndarray]]:
        """Return the images of a batch for each view that layers have of them.

        Each is a copy of its own: a generator may fill the same array again, and an image that is
        kept, by one layer or by all, keeps no others.
        """
        images = {}
        for view in {layer.view for layer in self._layers}:
            index, channel_axis = view
            if index is not None:
                moved = np.moveaxis(batch.arrays[index], channel_axis, -1)
                images[view] = [image.copy() for image in moved]
        return images

    def _wait(self, *numbers: int) -> None:
        """Wait for what threads, by default all, are doing, and raise what they raise."""
        count = len(self._threads)
        oldest_first = [(self._next_thread + n) % count for n in range(count)]
        for number in numbers or oldest_first:
            future, self._pending[number] = self._pending[number], None
            if future is not None:
                future.result()


def model_fingerprint(model: keras.Model) -> str:
    """Return a fingerprint of the shapes and values of a model's weights.

    Two processes that load the same model have the same one. Seeds and counters, which calls
    change, do not count.
    """
    digest = hashlib.blake2b(digest_size=16)
    for variable in model.weights:
        if keras.backend.is_float_dtype(keras.backend.standardize_dtype(variable.dtype)):
            array = keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32"))
            digest.update(str(array.shape).encode())
            digest.update(array.tobytes())
    return digest.hexdigest()
