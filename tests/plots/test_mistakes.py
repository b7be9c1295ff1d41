"""`plot_mistakes`: the surest mistakes, against probabilities that are computed here."""

import re

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz
from legibility import faults, is_legible_or_refused, sample_cases
from marks import slow_after
from written_words import all_words

NAMES = ["disc", "cross", "$x$"]
STEPS = 4
"""Of integrated gradients, which need not be exact here."""


@pytest.fixture
def plot_mistakes(closing):
    return closing(kerasviz.plot_mistakes)


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(3, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(1)
    model.set_weights([0.4 * rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(2).random((40, 6, 6, 1)).astype("float32")


@pytest.fixture(scope="module")
def labels():
    return np.random.default_rng(5).integers(0, 3, 40)


@pytest.fixture(scope="module")
def surest(model, images, labels):
    """Return the indices of all mistakes, the surest first, and all probabilities."""
    probabilities = model.predict(images, verbose=0)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")], probabilities


def test_plot_mistakes_draws_the_surest_and_why(plot_mistakes, model, images, labels, surest):
    indices, probabilities = surest
    plot = plot_mistakes(
        model, images, labels, samples=3, class_names=NAMES, steps=STEPS, robust=False
    )
    assert len(plot.panels) == 9
    chosen = indices[:3]
    answers = probabilities[chosen].argmax(axis=1)
    result = kerasviz.get_attributions(
        model, images[chosen], target=np.stack([answers, labels[chosen]], axis=1), steps=STEPS
    )
    for row, index in enumerate(chosen):
        image, why, bars = plot.panels[3 * row : 3 * row + 3]
        np.testing.assert_array_equal(image.values, images[index])
        np.testing.assert_allclose(why.values, result.values[row, ..., 0], rtol=1e-4, atol=1e-6)
        ranked = np.sort(probabilities[index])[::-1]
        np.testing.assert_allclose(bars.values, ranked, rtol=1e-4)
        assert f"sample {index} of 40" in image.title
        answer, truth = NAMES[answers[row]], NAMES[labels[index]]
        assert image.title.startswith(f"sample {index} of 40, {answer} ")
        assert image.title.endswith(f"is {truth}")
        deletion = result.evidence.deletion
        numbers = f"deletion {deletion.area[row]:.2f}, random {deletion.random_area[row]:.2f}"
        assert numbers in " ".join(why.ax.get_title().split()) + all_words(plot)
        if not result.evidence.faithful[row]:
            assert "no better than random" in why.title
    assert len({panel.limits for panel in plot.panels[1::3]}) == 1
    share = 100 * len(indices) / 40
    assert f"3 surest of {len(indices)} mistakes in 40 samples ({share:.0f} %)." in all_words(plot)


def test_plot_mistakes_draws_bars_with_names(plot_mistakes, model, images, labels, surest):
    indices, probabilities = surest
    plot = plot_mistakes(
        model, images, labels, samples=1, class_names=NAMES, evidence=False, steps=STEPS
    )
    ax = plot.panels[2].ax
    widths = [patch.get_width() for patch in ax.patches][1::2]  # each on a pale one of all
    order = np.argsort(-probabilities[indices[0]])
    np.testing.assert_allclose(widths, probabilities[indices[0], order], rtol=1e-4)
    names = [text.get_text() for text in ax.texts][::2]
    truth = labels[indices[0]]
    expected = [NAMES[i] + (" (true)" if i == truth else "") for i in order]
    assert [name.replace(r"\$", "$") for name in names] == expected


def test_plot_mistakes_streams_over_batches(plot_mistakes, model, images, labels):
    def batches():
        for start in range(0, 40, 7):
            yield images[start : start + 7], labels[start : start + 7]

    keywords = {"samples": 2, "evidence": False, "steps": STEPS}
    whole = plot_mistakes(model, images, labels, **keywords)
    streamed = plot_mistakes(model, batches(), **keywords)
    assert [p.title for p in streamed.panels] == [p.title for p in whole.panels]
    for one, other in zip(streamed.panels, whole.panels, strict=True):
        np.testing.assert_allclose(one.values, other.values, rtol=1e-4, atol=1e-6)


def test_plot_mistakes_explains_by_a_layer(plot_mistakes, model, images, labels):
    plot = plot_mistakes(model, images, labels, samples=2, method="grad-cam", evidence=False)
    assert plot.panels[1].values.shape == (4, 4)
    assert plot.panels[1].address == "conv2d" or plot.panels[1].address.startswith("conv2d")
    assert plot.panels[1].limits[0] == 0
    assert "(red)" not in all_words(plot)


def test_plot_mistakes_says_that_outputs_are_logits(plot_mistakes, images, labels):
    model = keras.Sequential([keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(3)])
    plot = plot_mistakes(model, images, labels, samples=1, steps=STEPS)
    assert "The probabilities are the softmax of the model's outputs." in all_words(plot)
    assert np.isclose(plot.panels[2].values.sum(), 1)


def test_plot_mistakes_ends_the_progress_bar_of_its_search(
    plot_mistakes, model, images, labels, capsys
):
    batches = ((images[i : i + 8], labels[i : i + 8]) for i in range(0, 40, 8))
    plot_mistakes(model, batches, samples=1, steps=STEPS, verbose=1)
    search = capsys.readouterr().out.partition("\n")[0]
    assert re.split(r"[\b\r]+", search)[-1].lstrip().startswith("40/")


def test_plot_mistakes_of_a_model_without_any(model, images):
    right = model.predict(images, verbose=0).argmax(axis=1)
    with pytest.raises(ValueError, match=r"^`inputs` must hold a mistake: .* all 40 samples"):
        kerasviz.plot_mistakes(model, images, right)


WRONG = {
    "labels": (None, [0, 1], np.full(40, 7), "abc"),
    "samples": (0, 1.5, "all"),
    "class_names": ("abc", 3, ["one"]),
    "method": ("cam", ["gradient"]),
    "interpolation": ("cubic",),
    "vmax": (0, "big"),
    "robust": ("x", 3),
    "batch_size": (0,),
    "ax": (3,),
    "nope": (1,),
}


@pytest.mark.parametrize("name", WRONG)
def test_plot_mistakes_refuses_wrong_keywords(model, images, labels, name):
    for value in WRONG[name]:
        keywords = {"labels": labels, "steps": STEPS, "evidence": False} | {name: value}
        with pytest.raises((TypeError, ValueError), match=f"`{name}`"):
            kerasviz.plot_mistakes(model, images, **keywords)


CASES = [case for case in sample_cases(30, places=("own", "subfigure")) if case.size[0] < 10][:1]


@pytest.mark.slow
@pytest.mark.parametrize("case", slow_after(1, CASES), ids=str)
def test_plot_mistakes_is_legible(model, images, labels, case):
    def draw(**keywords):
        return kerasviz.plot_mistakes(
            model, images, labels, samples=2, class_names=NAMES, steps=STEPS, **keywords
        )

    is_legible_or_refused(draw, case, several=True)


def test_plot_mistakes_is_legible_in_a_figure_of_its_own(plot_mistakes, model, images, labels):
    plot = plot_mistakes(model, images, labels, samples=3, class_names=NAMES, steps=STEPS)
    assert not faults(plot)


def test_plot_mistakes_fills_the_figure_of_the_caller(plot_mistakes, model, images, labels):
    """Two mistakes are side by side in a wide figure, and below one another in others."""
    areas = []
    for size in ((10, 8), (16, 4.5)):
        plot = plot_mistakes(model, images, labels, samples=2, steps=STEPS, figsize=size)
        assert not faults(plot)
        boxes = [panel.ax.get_window_extent() for panel in plot.panels]
        areas.append(sum(box.width * box.height for box in boxes) / plot.figure.bbox.size.prod())
    assert min(areas) > 0.4, areas
