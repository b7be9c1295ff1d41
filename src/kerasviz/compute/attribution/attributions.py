"""`get_attributions`: which parts of an input made a model answer as it did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import keras
import numpy as np

from kerasviz._checks import check_choice, check_count, check_seed, check_verbose
from kerasviz.compute.attribution.explanation import Attributions as Attributions
from kerasviz.compute.attribution.explanation import MethodName as MethodName
from kerasviz.compute.attribution.explanation import explain
from kerasviz.compute.attribution.methods import METHODS
from kerasviz.compute.attribution.plan import Options, make_plan
from kerasviz.compute.attribution.score.goal import ScoreKind, Target
from kerasviz.compute.feature_maps import check_batch_size


def get_attributions(
    model: keras.Model,
    inputs: Any,
    *,
    method: MethodName | list[MethodName] = "integrated-gradients",
    layer: Any = None,
    target: Target = None,
    score: ScoreKind = "logit",
    baseline: Any = None,
    evidence: bool | Literal["randomised"] = True,
    batch_size: int = 32,
    steps: int | None = None,
    seed: int = 0,
    verbose: int = 0,
) -> Any:
    """Return which parts of inputs made a model answer as it did, with the evidence for it.

    Args:
        model: A Keras model.
        inputs: What the model takes, as in `get_feature_maps`.
        method: "gradient", "input-x-gradient", "smoothgrad", "integrated-gradients", "occlusion" or
            "rise", which explain by the inputs; "grad-cam", "grad-cam++", "hires-cam", "layer-cam"
            or "score-cam", which explain by the output of a layer; or a list of them.
        layer: For these, a layer address; tokens of an image's patches are cells on their grid.
            `None` is the last layer with cells along the axes of an input, such as rows and
            columns, on which the score depends. A list, a pattern or a class gives one result per
            layer, all from one pass.
        target: What is explained. `None`: the class that the model predicts for each sample. An
            int: that class. A list: one class for each sample. A tuple `(a, b)`: the difference of
            two, "why a and not b". A function that takes the model's outputs and returns
            `(samples,)`, written in `keras.ops`, for regression, boxes and segmentation. Of one
            sigmoid output, 1 is the logit and 0 its negative. Of several outputs, a function of all
            of them, or a dict from the name of one to any of these, of which a function takes that
            output.
        score: "logit", the score before softmax or sigmoid, without touching the model; or
            "probability". Where the step that makes probabilities cannot be found, as that of code
            in a subclassed model, the score is the probability all the same; of a model that
            returns no probabilities, and of a function, it is what they return.
        baseline: What counts as nothing: a number, an array of one sample or of all, "mean" (of
            all inputs, for each channel), "blur" (the input itself, out of focus), or a list of
            these, over which the values are averaged. For several inputs, a dict of these by their
            names. `None` is 0. It may itself be one of the classes: see `baseline_probabilities`.
        evidence: Whether to measure the curves of deletion and insertion, which takes about 70
            forward passes for each sample. "randomised" also computes the values again while the
            weights of the model are permuted, layer by layer; they come back as they were.
        batch_size: How many inputs run at a time. A model whose samples depend on one another runs
            on one at a time.
        steps: How many steps integrated gradients take; `None` doubles them until they add up to
            the change of the score, to 1 %, at most 512.
        seed: Decides whatever is random.
        verbose: 0 or 1; 1 shows a progress bar where something takes more than two seconds.

    Returns:
        `Attributions`; of a list of methods a dict keyed by method, of several layers a dict keyed
        by address. Gradients of float16 models are right to about 2 %, of bfloat16 to about 6 %.

    Raises:
        TypeError: An argument is of the wrong type, or an input holds integers and the method takes
            gradients with respect to it.
        ValueError: An argument has a value that does not exist or does not fit the model; no
            gradient of the score reaches the layer; or a score is NaN.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, _ = kerasviz.fashion_mnist.load_samples()
        >>> kerasviz.get_attributions(model, images[:2], method="grad-cam")
        Attributions('grad-cam', layer='max_pooling2d_1', 2 samples)
    """
    names = list(method) if isinstance(method, (list, tuple)) else [method]
    options = Options(
        methods=names,
        layer=layer,
        target=target,
        score=score,
        baseline=baseline,
        batch_size=batch_size,
        steps=steps,
        seed=seed,
        verbose=verbose,
    )
    check_options(options, evidence)
    results = explain(make_plan(model, inputs, options), names, evidence=evidence)
    return results if isinstance(method, (list, tuple)) else results[names[0]]


def check_options(options: Options, evidence: Any) -> None:
    """Refuse what is wrong for every model."""
    _check_choices(options.methods, options.score, evidence)
    check_batch_size(options.batch_size)
    check_verbose(options.verbose)
    check_seed(options.seed)
    if options.steps is not None:
        check_count("steps", options.steps)
        if "integrated-gradients" not in options.methods:
            raise ValueError(
                "`steps` can only be used together with method='integrated-gradients'. "
                f"Received: steps={options.steps!r} with method={options.methods[0]!r}"
            )


def _check_choices(names: Sequence[Any], score: Any, evidence: Any) -> None:
    if not names:
        raise ValueError("`method` must name at least one method. Received: method=[]")
    for name in names:
        check_choice("method", name, list(METHODS), "a list of these")
    check_choice("score", score, get_args(ScoreKind))
    if not isinstance(evidence, (bool, np.bool_)):
        check_choice("evidence", evidence, ["randomised"], "True or False")
