"""`plot_mistakes`: the samples that a model is surest of and wrong about, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_choice
from kerasviz._wording import sample_of, write_count
from kerasviz.compute.attribution.attributions import (
    Attributions,
    MethodName,
    check_options,
    get_attributions,
)
from kerasviz.compute.attribution.methods import METHODS
from kerasviz.compute.attribution.mistakes import Mistakes, find_mistakes
from kerasviz.compute.attribution.plan import Options, plan_parts
from kerasviz.compute.feature_maps import plan_call
from kerasviz.draw.attributions.content import AttributionMap, AttributionTable
from kerasviz.draw.attributions.picture import MapStyle, draw_attributions
from kerasviz.draw.attributions.words import name_class, write_probability
from kerasviz.draw.charts.top_classes import ClassBars
from kerasviz.draw.color import Robust
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_placement
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.model.calls import input_names
from kerasviz.plots._attributions.input_pictures import drawn_inputs
from kerasviz.plots._attributions.keywords import check_limits, refuse_ax
from kerasviz.plots._attributions.rows_and_columns import Explained, Words, make_table
from kerasviz.plots._maps.background import Interpolation
from kerasviz.plots._maps.kinds import check_class_names

OWN_KEYWORDS = (
    "samples",
    "class_names",
    "method",
    "layer",
    "baseline",
    "evidence",
    "interpolation",
    "vmax",
    "robust",
    "batch_size",
    "steps",
    "seed",
    "verbose",
)
ACROSS = 2
"""How many mistakes are side by side, where there are more than one."""


@shows_keywords(FigureOptions, FIGURE_DEFAULTS, without=("ax",))
def plot_mistakes(
    model: keras.Model,
    inputs: Any,
    labels: Any = None,
    *,
    samples: int = 8,
    class_names: Sequence[str] | None = None,
    method: MethodName = "integrated-gradients",
    layer: Any = None,
    baseline: Any = None,
    evidence: bool = True,
    interpolation: Interpolation = "nearest",
    vmax: float | None = None,
    robust: Robust = "auto",
    batch_size: int = 32,
    steps: int | None = None,
    seed: int = 0,
    verbose: int = 0,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw the samples that a classifier is surest of and wrong about, and why.

    Each mistake is its input, a map of why the model gives its answer and not the true one, and
    the most probable classes. The inputs may be more than fit into memory: only the mistakes that
    are drawn are kept.

    Args:
        model: A classifier that returns probabilities or logits, `(samples, classes)`.
        inputs: What the model takes, as in `plot_feature_maps`; or batches of it from anything that
            can be iterated: a generator, a `tf.data.Dataset`, a `keras.utils.PyDataset`, a PyTorch
            `DataLoader`. All batches are used.
        labels: The class of each sample, `(samples,)`, or one-hot, `(samples, classes)`. `None`
            where batches `(x, y)` bring their own. Of several outputs, a dict from the name of one.
        samples: How many mistakes are drawn at most.
        class_names: The name of each class.
        method: The method by which the difference of two scores is explained, as in
            `get_attributions`.
        layer: The layer that class activation maps explain by, as there.
        baseline: What counts as nothing, as there.
        evidence: Whether to measure the curves of deletion and insertion, whose areas are written
            above each map.
        interpolation: How the cells of a layer are drawn over the image, as in `plot_attributions`.
        vmax: The upper end of the scale, as there.
        robust: Whether the limits ignore the most extreme values, as there.
        batch_size: How many samples run at a time.
        steps: How many steps integrated gradients take, as in `get_attributions`.
        seed: Decides whatever is random.
        verbose: 0 or 1; 1 shows a progress bar.
        **options: `title`, `figsize` and `figure`, as for every plot.

    Returns:
        A `Plot` with three panels per mistake: the input, the map, and the classes; their `values`
        are the image, the raw map, and the probabilities.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: `labels` do not fit the samples or the model, there is no mistake, or an
            argument has a value that cannot be used.

    Notes:
        Red is what speaks for the answer and against the truth, blue the other way round; all maps
        have one scale. Of equally probable mistakes the earlier sample comes first, whatever the
        size of the batches.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> kerasviz.plot_mistakes(model, images[:, ::-1], labels, samples=2)
        Plot(6 panels)
    """
    refuse_ax(options)
    place = check_placement(*OWN_KEYWORDS, **options)
    check_choice("method", method, list(METHODS))
    check_choice("interpolation", interpolation, get_args(Interpolation))
    check_limits(vmax, robust)
    names = check_class_names(class_names)
    question = Options(
        methods=[method],
        layer=layer,
        target=None,
        score="logit",
        baseline=baseline,
        batch_size=batch_size,
        steps=steps,
        seed=seed,
        verbose=verbose,
    )
    check_options(question, evidence)
    mistakes = find_mistakes(
        model,
        inputs,
        labels,
        samples=samples,
        batch_size=batch_size,
        verbose=verbose,
        # Whether they can be explained is known before all inputs have run.
        check=lambda sample: plan_parts(model, sample, question),
    )
    result = _explain(model, mistakes, labels, question, evidence=evidence)
    table = _table(model, mistakes, result, names)
    style = MapStyle(vmax=vmax, smooth=interpolation == "bilinear", robust=robust)
    return draw_attributions(table, place, style)


def _explain(
    model: keras.Model, mistakes: Mistakes, labels: Any, question: Options, *, evidence: bool
) -> Any:
    """Return why the model gives each wrong answer and not the true one.

    Args:
        model: The classifier.
        mistakes: Its mistakes.
        labels: The caller's labels, which may name an output.
        question: The keywords of the attributions, but for the target.
        evidence: Whether to measure the evidence.

    Raises:
        ValueError: All samples are classified correctly.
    """
    if not len(mistakes):
        raise ValueError(
            "`inputs` must hold a mistake: the model is right about all "
            f"{write_count(mistakes.samples, 'sample')}. Received: no mistake"
        )
    pairs = np.stack([mistakes.predicted, mistakes.labels], axis=1)
    method: Any = question.methods[0]  # which has been checked
    return get_attributions(
        model,
        mistakes.inputs,
        method=method,
        layer=question.layer,
        target={next(iter(labels)): pairs} if isinstance(labels, dict) else pairs,
        baseline=question.baseline,
        evidence=evidence,
        batch_size=question.batch_size,
        steps=question.steps,
        seed=question.seed,
    )


def _table(
    model: keras.Model, mistakes: Mistakes, result: Any, names: Sequence[str] | None
) -> AttributionTable:
    """Return what is drawn of the mistakes."""
    if not isinstance(result, Attributions):
        raise ValueError(
            f"`layer` must name one layer. Received: layers {', '.join(map(repr, result))}"
        )
    call = plan_call(model, mistakes.inputs)
    arrays = drawn_inputs(call)
    words = Words(class_names=names, labels=mistakes.labels)
    words.check_classes([result])
    explained = Explained(
        arrays=arrays,
        names=input_names(call.specs),
        indices=mistakes.indices,
        total=mistakes.samples,
        results=[("", result)],
        words=words,
    )
    table = make_table(explained, None)
    per_sample = len(arrays)
    subjects = list(table.subjects)
    for position in range(len(mistakes)):
        row = position * per_sample
        subjects[row] = replace(
            subjects[row],
            title=sample_of(int(mistakes.indices[position]), mistakes.samples),
            lines=[_claim(mistakes, position, names)],
            bars=_bars(mistakes, position, names),
        )
    return replace(
        table,
        subjects=subjects,
        maps=[[_with_numbers(content) for content in row] for row in table.maps],
        title=_title(mistakes, result),
        has_evidence=False,
        across=ACROSS if len(mistakes) > 1 and per_sample == 1 else 1,
    )


def _claim(mistakes: Mistakes, position: int, names: Sequence[str] | None) -> str:
    answer = name_class(int(mistakes.predicted[position]), names)
    truth = name_class(int(mistakes.labels[position]), names)
    return f"{answer} {write_probability(float(mistakes.probabilities[position]))}, is {truth}"


def _bars(mistakes: Mistakes, position: int, names: Sequence[str] | None) -> ClassBars:
    """Return the most probable classes, and the true one in any case."""
    classes = mistakes.top_classes[position].tolist()
    shares = mistakes.top_probabilities[position].tolist()
    truth = int(mistakes.labels[position])
    if truth not in classes:
        classes.append(truth)
        shares.append(float(mistakes.label_probabilities[position]))
    return ClassBars(
        names=[name_class(index, names) for index in classes],
        probabilities=np.array(shares),
        percentages=[write_probability(share) for share in shares],
        truth=classes.index(truth),
    )


def _with_numbers(content: AttributionMap | None) -> AttributionMap | None:
    """Return a map with the evidence in numbers, and without its curves."""
    if content is None or content.evidence is None:
        return content
    note = ", ".join(filter(None, [content.note, content.evidence.lines[0]]))
    return replace(content, note=note, evidence=None)


def _title(mistakes: Mistakes, result: Attributions) -> str:
    count, total = mistakes.count, mistakes.samples
    number = f"{len(mistakes)} surest of " if len(mistakes) < count else ""
    share = write_probability(count / total)
    word = write_count(count, "mistake")
    title = f"{number}{word} in {write_count(total, 'sample')} ({share})."
    red, blue = ("", "") if METHODS[result.method].is_cam else (" (red)", " (blue)")
    title += f" Maps: why the answer{red} and not the truth{blue}."
    if mistakes.from_logits:
        title += " The probabilities are the softmax of the model's outputs."
    return title
