"""Turn attributions into the rows and columns of a picture, with what is said about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from kerasviz._wording import sample_of, write_count, write_size
from kerasviz.compute.attribution.attributions import Attributions
from kerasviz.compute.attribution.methods import METHODS
from kerasviz.draw.attributions.content import (
    AttributionMap,
    AttributionTable,
    MapColumn,
    Subject,
    SubjectKind,
    slice_indices,
)
from kerasviz.draw.attributions.words import name_class, write_probability, write_score
from kerasviz.draw.charts.evidence import EvidenceCurves
from kerasviz.draw.tiles.background import picture_colors
from kerasviz.model.inputs.labels import as_labels
from kerasviz.plots._maps.kinds import check_class_names

NAMES: dict[str, str] = {
    "gradient": "gradient",
    "input-x-gradient": "input × gradient",
    "smoothgrad": "SmoothGrad",
    "integrated-gradients": "integrated gradients",
    "occlusion": "occlusion",
    "rise": "RISE",
    "grad-cam": "Grad-CAM",
    "grad-cam++": "Grad-CAM++",
    "hires-cam": "HiResCAM",
    "layer-cam": "LayerCAM",
    "score-cam": "Score-CAM",
}
UNITS = {"integrated-gradients": "contribution", "input-x-gradient": "contribution"}
UNITS |= {"gradient": "gradient", "smoothgrad": "gradient"}
"""Methods whose values have one unit share a scale; each other method has its own."""
KINDS: dict[int, SubjectKind] = {2: "vector", 3: "signal", 4: "image", 5: "volume"}
"""How an input is drawn, by its axes."""
PARTS = {"vector": "features", "signal": "steps", "image": "pixels", "volume": "voxels"}
READ_CURVES = "the strongest first (solid), in random order (dashed)."
IS_CLASS = 0.5
"""From this probability on, the baseline itself is of the class."""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """The samples that are drawn, and their attributions.

    Args:
        arrays: The inputs of these samples, channels last.
        names: The name of each input.
        indices: The index of each sample.
        total: How many samples there were.
        results: For each column the name of its model, "" for one alone, and its attributions.
        words: Names and truths, those of these samples.
    """

    arrays: Sequence[np.ndarray]
    names: Sequence[str]
    indices: np.ndarray
    total: int
    results: Sequence[tuple[str, Attributions]]
    words: Words


@dataclass(frozen=True, kw_only=True)
class Words:
    """The caller's names and truths: of all samples, or of those that are drawn."""

    class_names: Sequence[str] | None = None
    labels: np.ndarray | None = None
    names: Sequence[str] | None = None

    @classmethod
    def of(cls, class_names: Any, labels: Any, names: Any) -> Words:
        """Check what can be checked of the caller's keywords without the samples."""
        is_list = isinstance(names, Sequence) or (isinstance(names, np.ndarray) and names.ndim)
        if names is not None and (isinstance(names, (str, bytes)) or not is_list):
            raise TypeError(
                f"`sample_names` must be a list of names. Received: sample_names={names!r}"
            )
        return cls(
            class_names=check_class_names(class_names),
            labels=None if labels is None else as_labels(labels),
            names=names,
        )

    def take(self, indices: np.ndarray, total: int) -> Words:
        """Return the truths and names of the samples that are drawn.

        Raises:
            ValueError: There are those of another number of samples.
        """
        for name, values in {"labels": self.labels, "sample_names": self.names}.items():
            if values is not None and len(values) != total:
                raise ValueError(
                    f"`{name}` must have one for each of the {total} samples. "
                    f"Received: {name} of length {len(values)}"
                )
        return replace(
            self,
            labels=None if self.labels is None else self.labels[indices],
            names=None if self.names is None else [str(self.names[i]) for i in indices],
        )

    def check_classes(self, results: Sequence[Attributions]) -> None:
        """Refuse too few names of classes."""
        if self.class_names is None:
            return
        targets = [result.targets for result in results if result.targets is not None]
        used = [*targets, *([] if self.labels is None else [self.labels])]
        largest = max((int(each.max()) for each in used if each.size), default=-1)
        if largest >= len(self.class_names):
            raise ValueError(
                f"`class_names` must have a name for each class, also for class {largest}. "
                f"Received: {len(self.class_names)} names"
            )


def make_table(explained: Explained, pictures: np.ndarray | None) -> AttributionTable:
    """Return what is drawn: one row per input of each sample.

    Args:
        explained: The samples and their attributions.
        pictures: What is drawn instead of the inputs, `(samples, height, width, channels)`.
    """
    if pictures is not None:
        if len(pictures) != explained.total:
            raise ValueError(
                f"`picture` must be one for each of the {explained.total} samples. "
                f"Received: {len(pictures)}"
            )
        pictures = pictures[explained.indices]
    explained = replace(explained, results=_drawable(explained.results))
    subjects, maps = [], []
    columns = [_column(name, result) for name, result in explained.results]
    for position in range(len(explained.indices)):
        has_evidence = [False] * len(columns)  # it is that of all inputs of a sample: drawn once
        for index in range(len(explained.arrays)):
            subjects.append(_subject(explained, position, index, pictures))
            contents: list[AttributionMap | None] = []
            for place, (_, result) in enumerate(explained.results):
                content = _map(
                    explained, result, position, index, with_evidence=not has_evidence[place]
                )
                has_evidence[place] |= content is not None and content.evidence is not None
                contents.append(content)
            maps.append(contents)
    return AttributionTable(
        subjects=subjects,
        columns=columns,
        maps=maps,
        title=_title(explained),
        has_evidence=any(result.evidence is not None for _, result in explained.results),
    )


def _drawable(results: Sequence[tuple[str, Attributions]]) -> list[tuple[str, Attributions]]:
    """Return the results whose cells are those of an input, so that they can be drawn over it."""
    drawable = [(name, result) for name, result in results if result.input_indices]
    if drawable:
        return drawable
    raise ValueError(
        "`layer` must name a layer whose cells are those of an input to be drawn over it; "
        "get_attributions returns the values of others. Received: "
        + ", ".join(f"'{result.layer}' of shape {result.values.shape}" for _, result in results)
    )


def _column(name: str, result: Attributions) -> MapColumn:
    heading, unit = NAMES[result.method], UNITS.get(result.method, result.method)
    if result.layer is not None:
        unit += f" of {result.layer}"
        size = write_size(*result.values.shape[1:])
        heading += f" of {result.layer}, {size} cells"
    return MapColumn(
        heading=f"{name}: {heading}" if name else heading,
        unit=UNITS.get(result.method, result.method)
        + (f" of {result.layer}" if result.layer else ""),
        is_signed=not METHODS[result.method].is_cam,
        address=result.layer or "",
    )


def _subject(
    explained: Explained, position: int, index: int, pictures: np.ndarray | None
) -> Subject:
    """Return an input of a sample, with what is said about both."""
    array, words = explained.arrays[index], explained.words
    kind = KINDS.get(array.ndim)
    if kind is None:
        raise ValueError(
            "`inputs` must have 2 to 5 axes to be drawn; get_attributions returns the values of "
            f"others. Received: an array of shape {array.shape}"
        )
    values = array[position]
    sample = int(explained.indices[position])
    titles = [sample_of(sample, explained.total)]
    if words.names is not None:
        titles = [words.names[position]]
    lines: list[str] = []
    if len(explained.arrays) > 1:
        titles.append(f"input '{explained.names[index]}'")
    if kind == "volume":
        count = len(slice_indices(len(values)))
        whole = "" if count == len(values) else f"{count} of "
        titles.append(f"{whole}{write_count(len(values), 'slice')}")
    if index == 0:
        lines = _claims(explained, position)
    return Subject(
        values=values[:, np.newaxis] if array.ndim == 2 else values,
        picture=_picture(array, position, kind, pictures),
        kind=kind,
        title=", ".join(filter(None, titles)),
        lines=lines,
    )


def _picture(
    array: np.ndarray, position: int, kind: SubjectKind, pictures: np.ndarray | None
) -> np.ndarray | None:
    """Return an input as it is drawn; all samples have the same black and white."""
    if kind in ("signal", "vector"):
        return None
    if pictures is not None and kind == "image":
        array = pictures
    if array.shape[-1] not in (1, 3):
        array = array.mean(axis=-1, keepdims=True)
    flat = array.reshape(-1, *array.shape[-3:])
    colors = picture_colors(flat).colors.reshape(*array.shape[:-1], 3)
    return np.asarray(colors[position])


def _claims(explained: Explained, position: int) -> list[str]:
    """Return what the models say of a sample, what it is, and what they say of the baseline."""
    lines: list[str] = []
    words = explained.words
    models = dict(explained.results)  # the claim is that of a model, whatever the method
    for name, result in models.items():
        prefix = f"{name}: " if name else ""
        lines.append(prefix + _claim(result, position, words.class_names))
    if words.labels is not None:
        label = int(words.labels[position])
        lines.append(f"truth: {name_class(label, words.class_names)}")
    for name, result in models.items():
        nothing = result.baseline_probabilities
        if nothing is not None and nothing[position] >= IS_CLASS:
            prefix = f"{name}: " if name else ""
            target = name_class(_first(result, position), words.class_names)
            part = write_probability(float(nothing[position]))
            lines.append(f"{prefix}the baseline itself is {target}, {part}")
    return lines


def _first(result: Attributions, position: int) -> int:
    """Return the class of a sample, of a difference the first."""
    assert result.targets is not None
    return int(np.atleast_1d(result.targets[position])[0])


def _claim(result: Attributions, position: int, names: Sequence[str] | None) -> str:
    score = write_score(float(result.scores[position]))
    if result.targets is None:
        return f"score {score}"
    target = name_class(_first(result, position), names)
    if result.probabilities is None:
        return f"{target}: {score}"
    claim = f"{target} {write_probability(float(result.probabilities[position]))}"
    if result.targets.ndim == 2:
        other = name_class(int(result.targets[position, 1]), names)
        return f"{claim}, not {other}: {_score_word(result)} {score}"
    return claim if result.score == "probability" else f"{claim}, logit {score}"


def _score_word(result: Attributions) -> str:
    """Return what the score is."""
    if result.targets is None:
        return "function of the outputs"
    kind = result.score if result.probabilities is not None else "output"
    return kind if result.targets.ndim == 1 else f"difference of two {kind.replace('y', 'ie')}s"


def _title(explained: Explained) -> str:
    """Return the title: the target, its probability, and what the score is."""
    results = [result for _, result in explained.results]
    first, words = results[0], explained.words
    targets = [None if r.targets is None else r.targets.tolist() for r in results]
    flat = {str(target) for each in targets for target in (each or [None])}
    if first.targets is None:
        question = "Why this score?" if len(first.scores) == 1 else "Why these scores?"
    elif len(flat) > 1:
        is_pair = first.targets.ndim == 2
        question = "Why the one class and not the other?" if is_pair else "Why these classes?"
    else:
        question = f"Why {_name_target(first, words.class_names)}?"
        if len(explained.indices) == 1 and len(dict(explained.results)) == 1:
            question = f"Why {_name_target(first, words.class_names, 0)}?"
    title = f"{question} Attributions of the {_score_word(first)}."
    if any(result.evidence is not None for result in results):
        name = "probability" if first.probabilities is not None else "score"
        title += f"\nCurves: the {name}, {READ_CURVES}"
    return title


def _name_target(
    result: Attributions, names: Sequence[str] | None, position: int | None = None
) -> str:
    assert result.targets is not None
    name = name_class(_first(result, position or 0), names)
    if position is not None and result.probabilities is not None:
        name += f" ({write_probability(float(result.probabilities[position]))})"
    if result.targets.ndim == 2:
        name += f" and not {name_class(int(result.targets[0, 1]), names)}"
    return name


def _map(
    explained: Explained, result: Attributions, position: int, index: int, *, with_evidence: bool
) -> AttributionMap | None:
    """Return the map of an input, `None` where the method says nothing about it."""
    values = _cells(explained, result, index)
    if values is None:
        return None
    values = values[position]
    kind = KINDS[explained.arrays[index].ndim]
    is_zero, note, warning = not np.any(values), "", ""
    evidence = result.evidence
    if evidence is not None:
        note = _note(result, position)
        if not evidence.faithful[position]:
            warning = "no better than random"
    warning = "0 everywhere" if is_zero else warning
    facts = [_column("", result).heading, note, warning]
    sample = sample_of(int(explained.indices[position]), explained.total)
    return AttributionMap(
        values=values,
        note=note,
        warning=warning,
        evidence=_curves(result, position, PARTS[kind]) if evidence and with_evidence else None,
        title=", ".join(filter(None, [facts[0], sample, *facts[1:]])),
    )


def _note(result: Attributions, position: int) -> str:
    """Return how exact integrated gradients are, and what is left of a map by other weights."""
    evidence, notes = result.evidence, []
    assert evidence is not None
    if evidence.completeness is not None:
        error = write_probability(float(evidence.completeness[position]))
        notes.append(f"sum off by {error}")
    if evidence.randomised is not None:
        correlation = f"{evidence.randomised[-1, position]:.2f}".replace("-", "\N{MINUS SIGN}")
        notes.append(f"with permuted weights: correlation {correlation}")
    return ", ".join(notes)


def _cells(explained: Explained, result: Attributions, index: int) -> np.ndarray | None:
    """Return the map of an input for all samples, `(samples, *cells)`, summed over channels."""
    if index not in result.input_indices:
        return None
    values = keras.tree.flatten(result.values)[index if result.layer is None else 0]
    is_summed = result.layer is None and values.ndim == explained.arrays[index].ndim > 2
    return np.asarray(values.sum(axis=-1) if is_summed else values)


def _curves(result: Attributions, position: int, part: str) -> EvidenceCurves:
    evidence = result.evidence
    assert evidence is not None
    both = (evidence.deletion, evidence.insertion)
    return EvidenceCurves(
        fractions=evidence.deletion.fractions,
        values=np.stack([curve.values[position] for curve in both]),
        random=np.stack([curve.random[position] for curve in both]),
        areas=np.array([curve.area[position] for curve in both]),
        random_areas=np.array([curve.random_area[position] for curve in both]),
        is_probability=result.probabilities is not None,
        part=part,
    )
