"""`plot_attributions`: which parts of an input made a model answer as it did, and the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from numpy.typing import ArrayLike
from typing_extensions import Unpack

from kerasviz._checks import check_choice
from kerasviz.compute.attribution.attributions import (
    MethodName,
)
from kerasviz.compute.attribution.score.goal import ScoreKind, Target
from kerasviz.draw.attributions.picture import MapStyle, draw_attributions
from kerasviz.draw.color import Robust
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_placement
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.plots._attributions.computed import is_computed, take_computed
from kerasviz.plots._attributions.keywords import check_limits, refuse_ax
from kerasviz.plots._attributions.question import AttributionQuestion, explain
from kerasviz.plots._attributions.rows_and_columns import Words, make_table
from kerasviz.plots._maps.background import Interpolation, as_pictures
from kerasviz.plots._maps.samples import Samples, check_sample

OWN_KEYWORDS = (
    "method",
    "sample",
    "class_names",
    "labels",
    "sample_names",
    "picture",
    "interpolation",
    "vmax",
    "robust",
    "layer",
    "target",
    "score",
    "baseline",
    "evidence",
    "batch_size",
    "steps",
    "seed",
)


@shows_keywords(FigureOptions, FIGURE_DEFAULTS, without=("ax",))
def plot_attributions(
    model: Any,
    inputs: Any,
    *,
    method: MethodName | list[MethodName] = "integrated-gradients",
    sample: Samples = 0,
    class_names: Sequence[str] | None = None,
    labels: ArrayLike | None = None,
    sample_names: Sequence[str] | None = None,
    picture: ArrayLike | None = None,
    interpolation: Interpolation = "nearest",
    vmax: float | None = None,
    robust: Robust = "auto",
    layer: Any = None,
    target: Target = None,
    score: ScoreKind = "logit",
    baseline: Any = None,
    evidence: Any = True,
    batch_size: int = 32,
    steps: int | None = None,
    seed: int = 0,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw which parts of an input made a model answer as it did, and the evidence for it.

    Each row is a sample: the input with the model's claim, then for each method its map, and beside
    it what happens to the model when the strongest pixels are erased (deletion) or put into the
    baseline (insertion), against the same in a random order.

    Args:
        model: A Keras model; several to compare, as a dict of names: `{"before": a, "after": b}`;
            or what `get_attributions` returned for all of `inputs`.
        inputs: What the model takes, as in `plot_feature_maps`.
        method: A method of `get_attributions`, or a list of them, one column each.
        sample: Which samples to draw, one row each: an index, a slice, a list or "all". Only these
            are computed.
        class_names: The name of each class.
        labels: The true class of each sample of `inputs`, `(samples,)`, to be written beside the
            claim.
        sample_names: A name for each sample of `inputs`.
        picture: Images to draw instead of the inputs, such as photos before they were preprocessed:
            `(samples, height, width, 1 or 3)`.
        interpolation: How the cells of a layer are drawn over the image. "nearest": each covers the
            part of the image that it stands for. "bilinear": smooth between their middles, which
            looks finer than it is.
        vmax: The upper end of every scale, such as to compare pictures; the lower end is its
            negative where values are signed, and else 0. `None`: the largest value of all maps of
            one unit.
        robust: Whether the limits of signed maps ignore the most extreme 2 %, as for tiles. "auto"
            does where these would wash out the rest; the bar then ends in arrows, and the heading
            counts what is beyond.
        layer: The layer that class activation maps explain by, see `get_attributions`.
        target: What is explained, see `get_attributions`.
        score: "logit" or "probability", see `get_attributions`.
        baseline: What counts as nothing, see `get_attributions`.
        evidence: Whether to measure and to draw the evidence, see `get_attributions`.
        batch_size: How many inputs run at a time.
        steps: How many steps integrated gradients take, see `get_attributions`.
        seed: Decides whatever is random.
        **options: `title` and `figure`, as for every plot.

    Returns:
        A `Plot`. Of each row the first panel is the input; a map's panel has the raw map as
        `values`, summed over the channels, or the cells of the layer; the panel beside it has the
        curves as `values`: deletion, deletion at random, insertion, insertion at random.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument has a value that does not exist or does not fit the model, or the
            figure is too small.

    Notes:
        Signed maps are red where the input speaks for the target and blue where it speaks against
        it. All maps of one unit share a scale, over all rows and models: integrated gradients and
        input × gradient are contributions to the score; gradient and SmoothGrad are changes of it;
        each other method has a scale of its own. No map is stretched by itself: one that is 0
        everywhere is said to be so.

        A map is "no better than random" where the model's answer outlives the deletion of its
        strongest pixels as long as that of random ones. Where the baseline itself is of the class,
        the title of the input says so: then deletion proves little, and another baseline is worth
        a try.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> kerasviz.plot_attributions(model, images, sample=9, labels=labels)
        Plot(integrated gradients)
    """
    refuse_ax(options)
    place = check_placement(*OWN_KEYWORDS, **options)
    check_sample(sample, None)
    check_choice("interpolation", interpolation, get_args(Interpolation))
    check_limits(vmax, robust)
    words = Words.of(class_names, labels, sample_names)
    pictures = None if picture is None else as_pictures("picture", picture)
    style = MapStyle(vmax=vmax, smooth=interpolation == "bilinear", robust=robust)
    if is_computed(model):
        explained = take_computed(model, inputs, sample, words)
    else:
        question = AttributionQuestion(
            method=method,
            layer=layer,
            target=target,
            score=score,
            baseline=baseline,
            evidence=evidence,
            batch_size=batch_size,
            steps=steps,
            seed=seed,
        )
        explained = explain(model, inputs, sample, question, words)
    explained.words.check_classes([result for _, result in explained.results])
    return draw_attributions(make_table(explained, pictures), place, style)
