"""Write everything about a model into one file: `report`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasviz._checks import check_count, check_path, check_verbose
from kerasviz._files import check_target, replacing
from kerasviz.compute.attribution.attributions import MethodName
from kerasviz.compute.feature_maps import Extraction, check_batch_size, plan_extraction
from kerasviz.model.addresses import check_model
from kerasviz.model.inputs.labels import as_labels
from kerasviz.plots._maps.kinds import check_class_names
from kerasviz.report.document import write_document
from kerasviz.report.page_data import Contents, SampleChoice
from kerasviz.report.parts.explanations import choose_methods
from kerasviz.report.parts.filter_cards import check_statistics
from kerasviz.report.parts.training import history_facts

SUFFIXES = (".html", ".htm")


def report(
    model: keras.Model,
    inputs: Any = None,
    path: str | os.PathLike[str] = "report.html",
    *,
    labels: Any = None,
    class_names: Sequence[str] | None = None,
    history: Any = None,
    statistics: Any = None,
    method: MethodName | Sequence[MethodName] | None = None,
    picture: Any = None,
    sample_names: Sequence[str] | None = None,
    samples: int = 12,
    batch_size: int = 32,
    verbose: int = 0,
) -> Path:
    """Write one page about a model: an HTML file that needs no network and no other file.

    On top it says in plain words what is odd: filters that are dead, duplicate, exploding or NaN,
    layers that did not move from their initialisation, explanations no better than random, inputs
    unlike those that the model expects. Then come the images, with what the model takes them for
    and why; the architecture to click on; and for each layer its kernel, its feature maps for each
    image with the value below the cursor, and what its filters respond to.

    Args:
        model: A Keras model.
        inputs: What the model takes, as in `get_feature_maps`. A model that is not built yet is
            built from them. `None`: the page is about the model alone.
        path: The file, `.html`. One that is there is replaced when the new one is complete.
        labels: The class of each sample, `(samples,)`, or one-hot, `(samples, classes)`.
        class_names: The name of each class.
        history: What `plot_history` takes: what `fit` returned, or the file of a `CSVLogger`; or a
            dict of several trainings.
        statistics: What `filter_statistics` returned for a larger data set, of one layer or of
            several. `None` collects it from `inputs`, where these are at least ten samples.
        method: The method that explains the answers, or a list of methods, as in
            `get_attributions`; an empty list explains none. `None` is Grad-CAM, and for images of
            up to 128×128 pixels integrated gradients too, which take longer.
        picture: The images as they are, `(samples, height, width)` or
            `(samples, height, width, 3)`, where the model takes them preprocessed.
        sample_names: The name of each sample, such as that of its file.
        samples: How many samples have their maps in the page. Of more inputs these are mistakes,
            for half of it, the surest one of each pair of classes that is mistaken most often, and
            the first samples.
        batch_size: How many samples are computed at a time.
        verbose: 0 or 1; 1 shows a progress bar while answers are explained and filters are counted,
            which take longest.

    Returns:
        The path of the file.

    Raises:
        TypeError: `model` is not a Keras model, or an argument has the wrong type.
        ValueError: The model is not built and there are no `inputs`; `inputs` does not fit the
            model; or another argument does not fit `inputs`.
        OSError: Nothing can be written to `path`.

    Notes:
        A value on the page is exact to 1/254 of the range of its tile, since a byte holds it. With
        many maps the page keeps the strongest of each layer, so that it stays below 10 MB, and
        says so. It holds no path of your machine, but the names that you give.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> path = kerasviz.report(model, images, "report.html", labels=labels)  # doctest: +SKIP
    """
    target = _check_file(path)
    check_model(model)
    check_count("samples", samples)
    check_batch_size(batch_size)
    check_verbose(verbose)
    contents = Contents(model=model, class_names=check_class_names(class_names))
    curves = None if history is None else history_facts(history)
    responses = None if statistics is None else check_statistics(statistics)
    if inputs is None:
        refuse_without_inputs(labels=labels, picture=picture, sample_names=sample_names)
        contents.add_model()
    else:
        extraction = plan_extraction(model, "*", inputs)
        count = len(extraction.batch)
        choice = SampleChoice(
            limit=samples,
            labels=None if labels is None else check_labels(labels, count),
            picture=_check_length("picture", picture, count),
            names=_check_length("sample_names", sample_names, count),
            methods=choose_methods(method, extraction),
            batch_size=batch_size,
            verbose=verbose,
        )
        _collect(contents, extraction, choice, filters=responses is None)
    if responses is not None:
        contents.add_filters(responses, is_own=False)
    contents.facts["history"] = curves
    facts, blocks = contents.finish()
    text = write_document(f"{model.name} · kerasviz", facts, blocks)
    with replacing(target) as stream:
        stream.write(text.encode("utf-8"))
    return target


def refuse_without_inputs(**options: Any) -> None:
    """Raise `ValueError` if an option is there that says something about inputs."""
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"`{name}` can only be used together with `inputs`. Received: {name}={value!r:.80}"
            )


def check_labels(labels: Any, count: int) -> np.ndarray:
    """Return the class of each of `count` samples, or raise `ValueError`."""
    classes = as_labels(labels)
    if len(classes) != count:
        raise ValueError(
            f"`labels` must have one class for each of the {count} samples. "
            f"Received: {len(classes)}"
        )
    return classes


def _check_length(name: str, value: Any, count: int) -> Any:
    if value is not None and np.ndim(value) == 0:  # also a string, which has a length
        raise TypeError(
            f"`{name}` must have one for each of the {count} samples. "
            f"Received: {name}={value!r:.200}"
        )
    if value is not None and len(value) != count:
        raise ValueError(
            f"`{name}` must have one for each of the {count} samples. Received: {len(value)}"
        )
    return value


def _collect(
    contents: Contents, extraction: Extraction, choice: SampleChoice, *, filters: bool
) -> None:
    """Collect all that samples tell; `filters` is whether to collect what filters respond to."""
    architecture = contents.add_model(extraction.specs)
    indices = contents.add_samples(extraction, choice)
    contents.add_maps(extraction, indices)
    contents.add_explanations(extraction, indices, choice)
    if filters:
        contents.collect_filters(extraction, architecture, choice)


def _check_file(path: Any) -> Path:
    target = check_path("path", path)
    if target.suffix.lower() not in SUFFIXES:
        raise ValueError(f"`path` must end in .html. Received: path={str(target)!r}")
    check_target(target)
    return target
