"""Show the page of a model in a notebook: `explore`."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras

from kerasviz.compute.feature_maps import plan_extraction
from kerasviz.model.addresses import check_model
from kerasviz.plots._maps.kinds import check_class_names
from kerasviz.report.notebook.session import Session
from kerasviz.report.writing import check_labels, refuse_without_inputs

if TYPE_CHECKING:
    from kerasviz.report.notebook.widget import Explorer


def explore(
    model: keras.Model,
    inputs: Any = None,
    *,
    labels: Any = None,
    class_names: Sequence[str] | None = None,
) -> Explorer:
    """Show the page of `report` in a notebook, where what is looked at is computed at that moment.

    A click on a layer computes its feature maps for the image that is chosen; a click on an image
    explains the answer for it. Drop an image file on the page, or set `.inputs` of what this
    returns, to look at something else. It needs anywidget: `pip install "kerasviz[notebook]"`.

    Args:
        model: A Keras model.
        inputs: What the model takes, as in `get_feature_maps`. A model that is not built yet is
            built from them. `None`: the page is about the model alone.
        labels: The class of each sample, `(samples,)`, or one-hot, `(samples, classes)`.
        class_names: The name of each class.

    Returns:
        A widget, which a notebook shows when it is the last value of a cell. Its `.view` is the
        address of the layer that is looked at, and can be set; `.inputs` are the inputs.

    Raises:
        TypeError: `model` is not a Keras model, or an argument has the wrong type.
        ValueError: The model is not built and there are no `inputs`; or `inputs` or `labels` do not
            fit.
        ModuleNotFoundError: anywidget is not installed.

    Notes:
        A value on the page is exact to 1/254 of the range of its tile, since a byte holds it. The
        notebook keeps one picture of the last view, and none of the values.

        The values of an image that is dropped are brought to the range of `inputs`, which the page
        names and lets you change; without `inputs` they are 0 to 255.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> widget = kerasviz.explore(model, images, labels=labels)  # doctest: +SKIP
        >>> widget.view = "conv2d_1"  # doctest: +SKIP
    """
    check_model(model)
    names = check_class_names(class_names)
    if inputs is None:
        refuse_without_inputs(labels=labels)
    _check_anywidget()
    extraction = None if inputs is None else plan_extraction(model, "*", inputs)
    classes = None
    if extraction is not None and labels is not None:
        classes = check_labels(labels, len(extraction.batch))
    from kerasviz.report.notebook.widget import Explorer

    return Explorer(Session(model=model, class_names=names, extraction=extraction, labels=classes))


def _check_anywidget() -> None:
    if importlib.util.find_spec("anywidget") is None:
        raise ModuleNotFoundError(
            'explore needs anywidget: pip install "kerasviz[notebook]". '
            "report(model, inputs) writes the same page into a file without it.",
            name="anywidget",
        )
