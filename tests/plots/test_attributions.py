"""`plot_attributions`: what the picture says, against the numbers of `get_attributions`."""

import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers
from matplotlib.colors import to_rgb

import kerasviz
from legibility import Case, faults, is_legible_or_refused, sample_cases
from marks import slow_after
from written_words import all_words

NAMES = ["disc", "cross", "$x$"]
CLOSE = {"rtol": 1e-4, "atol": 1e-6}
STEPS = 4
"""Of integrated gradients, which need not be exact here."""


@pytest.fixture
def plot_attributions(closing):
    return closing(kerasviz.plot_attributions)


@pytest.fixture(scope="module")
def model():
    """Return a classifier of images 8×8×1 whose last cells are 4×4, with fixed weights."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="conv"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(3)
    model.set_weights([0.5 * rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(4).random((4, 8, 8, 1)).astype("float32")


def write_percent(probability):
    """Return a share between 1 and 10 % with one decimal, and others below 99 % without."""
    return f"{100 * probability:.{0 if probability > 0.1 else 1}f} %"


def test_plot_attributions_draws_what_get_attributions_returns(plot_attributions, model, images):
    methods = ["integrated-gradients", "grad-cam"]
    plot = plot_attributions(model, images, method=methods, sample=[2, 0], steps=STEPS)
    results = kerasviz.get_attributions(model, images[[2, 0]], method=methods, steps=STEPS)
    signed, cam = (results[name] for name in methods)
    assert len(plot.panels) == 2 * 5
    for row in range(2):
        image, signed_map, signed_curves, cam_map, cam_curves = plot.panels[5 * row : 5 * row + 5]
        np.testing.assert_array_equal(image.values, images[[2, 0][row]])
        np.testing.assert_allclose(
            signed_map.values, signed.values[row, ..., 0], rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(cam_map.values, cam.values[row], **CLOSE)
        assert (signed_map.address, cam_map.address) == ("", "pool")
        for curves, result in ((signed_curves, signed), (cam_curves, cam)):
            proof = result.evidence
            expected = [proof.deletion.values, proof.deletion.random]
            expected += [proof.insertion.values, proof.insertion.random]
            np.testing.assert_allclose(
                curves.values, [x[row] for x in expected], rtol=1e-4, atol=1e-6
            )
            lines = [line.get_ydata() for line in curves.ax.lines]
            np.testing.assert_allclose(lines, curves.values)
            legend = " ".join(text.get_text() for text in curves.ax.get_legend().get_texts())
            for name in ("deletion", "insertion"):
                curve = getattr(proof, name)
                area, random = curve.area[row], curve.random_area[row]
                assert f"{name} {area:.2f}, random {random:.2f}" in " ".join(legend.split())


def test_plot_attributions_has_one_scale_per_unit(plot_attributions, model, images):
    methods = ["integrated-gradients", "input-x-gradient", "gradient", "grad-cam"]
    plot = plot_attributions(
        model, images, method=methods, sample="all", steps=STEPS, evidence=False
    )
    columns = [plot.panels[1 + index :: 5] for index in range(4)]
    largest = [max(np.abs(panel.values).max() for panel in column) for column in columns]
    contribution = max(largest[:2])
    for column, reach in zip(columns, [contribution, contribution, largest[2], None], strict=True):
        for panel in column:
            expected = (0, largest[3]) if reach is None else (-reach, reach)
            np.testing.assert_allclose(panel.limits, expected, rtol=1e-6)
            assert panel.image.get_clim() == panel.limits
    white = to_rgb(columns[0][0].image.to_rgba(np.zeros(1))[0, :3])
    assert min(white) > 0.95
    red, blue = columns[0][0].image.to_rgba(np.array([contribution, -contribution]))
    assert red[0] > red[2]
    assert blue[2] > blue[0]
    bars = [[panel.colorbar for panel in column] for column in columns]
    assert all(bar[-1] is not None and not any(bar[:-1]) for bar in bars)


def test_plot_attributions_takes_the_end_of_the_scale(plot_attributions, model, images):
    methods = ["gradient", "grad-cam"]
    plot = plot_attributions(model, images, method=methods, vmax=0.01, evidence=False)
    assert [panel.limits for panel in plot.panels[1:]] == [(-0.01, 0.01), (0, 0.01)]
    assert [panel.colorbar.extend for panel in plot.panels[1:]] == ["both", "max"]


def test_plot_attributions_draws_cells_over_the_image(plot_attributions, model, images):
    cells = plot_attributions(model, images, method="grad-cam", evidence=False).panels[1]
    below, image = cells.ax.images
    assert image is cells.image
    assert image.get_array().shape == (4, 4)
    assert image.get_extent() == below.get_extent() == [-0.5, 7.5, 7.5, -0.5]
    assert image.get_interpolation() == "nearest"
    assert image.to_rgba(np.zeros((1, 1)))[0, 0, 3] < 0.01  # nothing covers the image
    smooth = plot_attributions(
        model, images, method="grad-cam", evidence=False, interpolation="bilinear"
    ).panels[1]
    assert smooth.image.get_array().shape == (8, 8)
    np.testing.assert_array_equal(smooth.values, cells.values)
    assert smooth.limits == cells.limits


def test_plot_attributions_says_target_probability_and_score(plot_attributions, model, images):
    probabilities = model.predict(images, verbose=0)[1]
    logits = kerasviz.get_attributions(model, images[1:2], target=0, evidence=False).scores
    plot = plot_attributions(
        model, images, sample=1, target=0, class_names=NAMES, labels=[0, 2, 1, 0], steps=STEPS
    )
    text = all_words(plot).replace(r"\$", "$")
    percent = write_percent(probabilities[0])
    assert f"Why disc ({percent})? Attributions of the logit." in text
    assert f"disc {percent}, logit {logits[0]:.3g}".replace("-", "−")[:12] in text
    assert "sample 1 of 4" in text
    assert "truth: $x$" in text
    assert r"\$" in all_words(plot)  # no formula
    both = plot_attributions(model, images, target=(0, 1), class_names=NAMES, steps=STEPS)
    assert "and not cross? Attributions of the difference of two logits." in all_words(both)
    other = plot_attributions(model, images, target=0, score="probability", steps=STEPS)
    assert re.search(r"Why class 0 .*Attributions of the probability\.", all_words(other))
    assert "logit" not in all_words(other)


def test_plot_attributions_of_a_score_of_the_callers(plot_attributions, model, images):
    plot = plot_attributions(
        model, images, target=lambda y: keras.ops.sum(y**2, axis=1), steps=STEPS
    )
    expected = (model.predict(images[:1], verbose=0) ** 2).sum()
    assert f"score {expected:.2f}" in all_words(plot)
    assert "Why this score? Attributions of the function of the outputs." in all_words(plot)


def test_plot_attributions_says_in_red_what_is_no_better_than_random(plot_attributions):
    model = kerasviz.fashion_mnist.load_model()
    images, _ = kerasviz.fashion_mnist.load_samples()
    plot = plot_attributions(model, images, method="grad-cam", sample=[9, 6])
    faithful = kerasviz.get_attributions(model, images[[9, 6]], method="grad-cam").evidence.faithful
    assert faithful.tolist() == [False, True]  # EXPLAIN: on this network it often fails
    for panel, is_faithful in zip(plot.panels[1::3], faithful, strict=True):
        assert ("no better than random" in panel.title) != is_faithful
        assert ("no better than random" in panel.ax.get_title()) != is_faithful
        red, green, blue = to_rgb(panel.ax.title.get_color())
        assert (red > 2 * max(green, blue)) != is_faithful


def test_plot_attributions_says_what_is_0_everywhere(plot_attributions, images):
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]
    )
    weights = model.get_weights()
    model.set_weights([*weights[:2], np.zeros_like(weights[2]), weights[3]])
    plot = plot_attributions(model, images, method=["gradient", "grad-cam"], target=0)
    for panel in plot.panels[1::2]:
        assert panel.ax.get_title() == "0 everywhere"
        assert "0 everywhere" in panel.title
        assert not panel.values.any()
        assert panel.limits[1] > 0


def test_plot_attributions_says_where_the_baseline_is_the_class(plot_attributions, model, images):
    bias = [*model.get_weights()[:-1], np.array([5.0, 0, 0], "float32")]
    biased = keras.models.clone_model(model)
    biased.set_weights(bias)
    result = kerasviz.get_attributions(biased, images[:1], target=0, evidence=False)
    part = write_percent(result.baseline_probabilities[0])
    plot = plot_attributions(biased, images, target=0, class_names=NAMES, steps=STEPS)
    assert f"the baseline itself is disc, {part}" in all_words(plot)
    other = plot_attributions(biased, images, target=1, class_names=NAMES, steps=STEPS)
    assert "baseline" not in all_words(other)


def test_plot_attributions_compares_models_on_one_scale(plot_attributions, model, images):
    other = keras.models.clone_model(model)
    other.set_weights([2 * w for w in model.get_weights()])
    plot = plot_attributions(
        {"before": model, "after": other}, images, method="gradient", sample=[0, 1], target=0
    )
    assert len(plot.panels) == 2 * 5
    maps = [*plot.panels[1::5], *plot.panels[3::5]]
    expected = [
        kerasviz.get_attributions(each, images[:2], method="gradient", target=0, evidence=False)
        for each in (model, other)
    ]
    values = np.concatenate([result.values[..., 0] for result in expected])
    np.testing.assert_allclose([panel.values for panel in maps], values, **CLOSE)
    assert len({panel.limits for panel in maps}) == 1
    assert "before: gradient" in all_words(plot)
    assert "after: class 0" in all_words(plot)


def test_plot_attributions_takes_what_was_computed_already(plot_attributions, model, images):
    methods = ["gradient", "layer-cam"]
    results = kerasviz.get_attributions(model, images, method=methods)
    plot = plot_attributions(results, images, sample=[3, 1])
    expected = [results[name].values[index] for index in (3, 1) for name in methods]
    for panel, values in zip(
        [panel for panel in plot.panels if panel.image], expected, strict=True
    ):
        np.testing.assert_array_equal(panel.values, values.reshape(panel.values.shape))
    single = plot_attributions(results["gradient"], images[..., 0], sample=2)
    np.testing.assert_array_equal(single.panels[1].values, results["gradient"].values[2, ..., 0])
    with pytest.raises(ValueError, match=r"^`inputs` must be the 4 samples"):
        kerasviz.plot_attributions(results["layer-cam"], images[:2])


def test_plot_attributions_takes_the_targets_and_baselines_of_the_samples(
    plot_attributions, model, images
):
    targets, baselines = [0, 1, 2, 0], images[::-1]
    plot = plot_attributions(
        model, images, sample=[2], target=targets, baseline=baselines, steps=STEPS
    )
    whole = kerasviz.get_attributions(
        model, images, target=targets, baseline=baselines, steps=STEPS, evidence=False
    )
    np.testing.assert_allclose(plot.panels[1].values, whole.values[2, ..., 0], rtol=1e-4)
    plot = plot_attributions(model, images, sample=[2], baseline="mean", steps=STEPS)
    whole = kerasviz.get_attributions(model, images, baseline="mean", steps=STEPS, evidence=False)
    np.testing.assert_allclose(plot.panels[1].values, whole.values[2, ..., 0], rtol=1e-4)


def test_plot_attributions_of_several_inputs_has_a_row_for_each(plot_attributions, rng):
    left, right = keras.Input((6, 6, 1), name="left"), keras.Input((5, 7, 3), name="right")
    both = layers.Concatenate()([layers.Flatten()(left), layers.Flatten()(right)])
    model = keras.Model([left, right], layers.Dense(2)(both))
    inputs = [rng.random((3, 6, 6, 1)), rng.random((3, 5, 7, 3))]
    plot = plot_attributions(model, inputs, method="input-x-gradient", sample=[1, 2])
    result = kerasviz.get_attributions(
        model, inputs, method="input-x-gradient", evidence=False
    ).values
    maps = [panel for panel in plot.panels if panel.image is not None]
    assert len(maps) == 4
    for panel, (sample, index) in zip(maps, [(1, 0), (1, 1), (2, 0), (2, 1)], strict=True):
        expected = result[index][sample].sum(axis=-1)
        np.testing.assert_allclose(panel.values, expected, rtol=1e-5, atol=1e-7)
    assert "sample 1 of 3, input 'right'" in all_words(plot)
    assert len(plot.panels) == 2 * 5  # the evidence is that of a sample, and is drawn once


@pytest.mark.few(2)
@pytest.mark.parametrize(("layer", "rows"), [("one", [0]), ("two", [1]), ("both", [0, 1])])
def test_plot_attributions_draws_a_layer_over_its_inputs(plot_attributions, rng, layer, rows):
    inputs = [keras.Input((6, 6, 1), name="left"), keras.Input((6, 6, 1), name="right")]
    one, two = (
        layers.Conv2D(2, 3, name="one")(inputs[0]),
        layers.Conv2D(2, 3, name="two")(inputs[1]),
    )
    both = layers.Conv2D(2, 2, name="both")(layers.Concatenate()([one, two]))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(both)))
    images = [rng.random((2, 6, 6, 1)) for _ in inputs]
    options = {"method": "grad-cam", "layer": layer, "target": 0}
    result = kerasviz.get_attributions(model, images, **options)
    for plot in (
        plot_attributions(model, images, sample=1, **options),
        plot_attributions(result, images, sample=1),
    ):
        subjects = [panel for panel in plot.panels if panel.title.startswith("sample 1 of 2")]
        maps = [panel for panel in plot.panels if panel.address == layer and panel.image]
        assert len(maps) == len(rows)
        for panel, row in zip(maps, rows, strict=True):
            np.testing.assert_allclose(panel.values, result.values[1], rtol=1e-4, atol=1e-6)
            bottom, top = subjects[row].ax.get_position().intervaly
            assert bottom <= np.mean(panel.ax.get_position().intervaly) <= top


def test_plot_attributions_draws_images_without_an_axis_of_channels(plot_attributions, rng):
    inputs = keras.Input((6, 5))
    maps = layers.Conv2D(2, 3, name="c")(layers.Reshape((6, 5, 1))(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(maps)))
    images = rng.random((3, 6, 5))
    options = {"method": ["input-x-gradient", "grad-cam"], "target": 0, "baseline": "mean"}
    results = kerasviz.get_attributions(model, images, **options)
    for plot in (
        plot_attributions(model, images, sample=1, **options),
        plot_attributions(results, images, sample=1),
    ):
        subject, signed, curves, cam, _ = plot.panels
        assert subject.values.shape == (6, 5, 1)
        np.testing.assert_allclose(
            signed.values, results["input-x-gradient"].values[1], rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(cam.values, results["grad-cam"].values[1], rtol=1e-4, atol=1e-6)
        deletion = results["input-x-gradient"].evidence.deletion.values[1]
        np.testing.assert_allclose(curves.values[0], deletion, rtol=1e-4, atol=1e-5)


def test_plot_attributions_refuses_a_layer_that_is_on_no_input(plot_attributions, rng):
    image, code = keras.Input((6, 6, 1)), keras.Input((4,))
    drawn = layers.Reshape((6, 6, 1), name="drawn")(layers.Dense(36)(code))
    flat = layers.Flatten()(layers.Concatenate()([image, drawn]))
    model = keras.Model([image, code], layers.Dense(2)(flat))
    inputs = [rng.random((1, 6, 6, 1)), rng.random((1, 4))]
    with pytest.raises(ValueError, match="`layer` must name a layer whose cells are those of an"):
        plot_attributions(model, inputs, method="grad-cam", layer="drawn")


def test_plot_attributions_takes_no_layer_whose_rows_are_columns(plot_attributions, images):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(2, 3, name="conv"),
            layers.Permute((2, 1, 3)),  # as in a network that was ported from another framework
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    plot = plot_attributions(model, images, method="grad-cam", evidence=False)
    assert plot.panels[1].address == "conv"


def test_plot_attributions_of_channels_first_images(plot_attributions, images):
    model = keras.Sequential(
        [
            keras.Input((3, 8, 8)),
            layers.Conv2D(2, 3, data_format="channels_first"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    colors = np.repeat(np.moveaxis(images, -1, 1), 3, axis=1) * np.ones((3, 1, 1))
    plot = plot_attributions(model, colors, method=["gradient", "grad-cam"], evidence=False)
    image, signed, cam = plot.panels
    assert image.values.shape == (8, 8, 3)
    assert signed.values.shape == (8, 8)
    assert cam.values.shape == (6, 6)


def test_plot_attributions_of_a_sequence_draws_curves_and_bars(plot_attributions, rng):
    model = keras.Sequential(
        [keras.Input((16, 2)), layers.Conv1D(3, 3), layers.Flatten(), layers.Dense(2)]
    )
    signals = rng.normal(size=(2, 16, 2))
    plot = plot_attributions(model, signals, method=["gradient", "grad-cam"], evidence=False)
    signal, signed, cam = plot.panels
    curves = [line.get_ydata() for line in signal.ax.lines]
    np.testing.assert_allclose(curves, signals[0].T)
    result = kerasviz.get_attributions(model, signals, method="gradient", evidence=False)
    expected = result.values[0].sum(axis=-1)
    np.testing.assert_allclose(signed.values, expected, **CLOSE)
    (bars,) = signed.ax.collections
    heights = [path.vertices[1, 1] for path in bars.get_paths()]
    np.testing.assert_allclose(heights, expected, **CLOSE)
    np.testing.assert_allclose(
        bars.get_facecolors(), signed.image.to_rgba(signed.values[np.newaxis])[0], atol=1e-6
    )
    assert cam.values.shape == (14,)
    vector = keras.Sequential([keras.Input((5,)), layers.Dense(2)])
    plot = plot_attributions(vector, rng.normal(size=(2, 5)), method="gradient", evidence=False)
    assert plot.panels[1].values.shape == (5,)


def test_plot_attributions_of_a_volume_draws_slices(plot_attributions, rng):
    model = keras.Sequential(
        [
            keras.Input((12, 4, 5, 1)),
            layers.Conv3D(2, 3, padding="same", strides=(2, 1, 1)),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    volumes = rng.random((2, 12, 4, 5, 1))
    plot = plot_attributions(model, volumes, method=["gradient", "grad-cam"], evidence=False)
    subject, signed, cam = plot.panels
    assert subject.title.startswith("sample 0 of 2, 9 of 12 slices")
    result = kerasviz.get_attributions(model, volumes, method="gradient", evidence=False)
    np.testing.assert_allclose(signed.values, result.values[0].sum(axis=-1), **CLOSE)
    drawn = signed.image.get_array()
    assert drawn.shape == (3 * 4 + 2, 3 * 5 + 2)
    np.testing.assert_allclose(drawn[:4, :5], signed.values[0], **CLOSE)
    np.testing.assert_allclose(drawn[-4:, -5:], signed.values[11], **CLOSE)
    assert cam.values.shape == (6, 4, 5)
    np.testing.assert_allclose(cam.image.get_array()[-4:, -5:], cam.values[5], **CLOSE)


def test_plot_attributions_leaves_no_room_around_the_slices_of_a_volume(plot_attributions, rng):
    """Two slices side by side are twice as wide as one."""
    model = keras.Sequential([keras.Input((2, 6, 6, 1)), layers.Flatten(), layers.Dense(2)])
    plot = plot_attributions(model, rng.random((1, 2, 6, 6, 1)), method="gradient", evidence=False)
    plot.figure.draw_without_rendering()
    for panel in plot.panels:
        room = panel.ax.get_position(original=True).bounds
        np.testing.assert_allclose(panel.ax.get_position().bounds, room, atol=1e-6)


def test_plot_attributions_draws_the_callers_picture(plot_attributions, model, images):
    photos = np.linspace(0, 255, 4 * 16 * 16 * 3).reshape(4, 16, 16, 3).astype("uint8")
    plot = plot_attributions(
        model, images, method="grad-cam", sample=2, picture=photos, evidence=False
    )
    np.testing.assert_array_equal(plot.panels[0].ax.images[0].get_array(), photos[2])
    assert plot.panels[1].ax.images[0].get_array().shape[:2] == (16, 16)
    assert plot.panels[1].image.get_extent() == [-0.5, 15.5, 15.5, -0.5]


WRONG = {
    "method": ("cam", ["gradient", "x"]),
    "sample": (9, "some", 1.5),
    "class_names": ("abc", 3, []),
    "labels": ([0, 1], "abc", [0.5] * 4),
    "sample_names": (["a"], "abcd"),
    "picture": ("x.png", np.zeros(3), np.zeros((2, 8, 8))),
    "interpolation": ("cubic",),
    "vmax": (0, -1, "big", np.nan),
    "target": (9, [0, 1], "disc"),
    "baseline": ("white", np.zeros(3)),
    "nope": (1,),
}


@pytest.mark.parametrize("name", WRONG)
def test_plot_attributions_refuses_wrong_keywords(model, images, name):
    for value in WRONG[name]:
        with pytest.raises((TypeError, ValueError), match=f"`{name}`"):
            kerasviz.plot_attributions(model, images, steps=STEPS, **{name: value})


def test_plot_attributions_refuses_an_axes_and_a_model_of_another_kind(model, images):
    figure, ax = plt.subplots()
    with pytest.raises(ValueError, match=r"^`ax` takes one panel"):
        kerasviz.plot_attributions(model, images, ax=ax)
    plt.close(figure)
    with pytest.raises(TypeError, match=r"^`model` must be a dict of names and Keras models"):
        kerasviz.plot_attributions({"a": 3}, images)
    with pytest.raises(TypeError, match=r"Keras model"):
        kerasviz.plot_attributions("model.keras", images)


@pytest.fixture(scope="module")
def computed(model, images):
    """Return a function that draws attributions that are computed once, of one row or two."""
    methods = ["integrated-gradients", "grad-cam"]
    results = kerasviz.get_attributions(model, images, method=methods, steps=STEPS)

    def draw(**keywords):
        return kerasviz.plot_attributions(
            results, images, sample=[0, 1], class_names=NAMES, labels=[0, 0, 0, 0], **keywords
        )

    return draw


CASES = [case for case in sample_cases(40, places=("own", "subfigure")) if case.size[0] < 10][:3]


@pytest.mark.slow
@pytest.mark.parametrize("case", slow_after(1, CASES), ids=str)
def test_plot_attributions_is_legible(computed, case):
    is_legible_or_refused(computed, case, several=True)


def test_plot_attributions_stays_where_it_is_in_a_part_of_a_figure_with_a_layout(computed):
    """A layout engine moves the map above a colour bar, which is placed by where that is."""
    case = Case(size=(16, 10), font=8, style="default", layout="tight", place="subfigure")
    assert is_legible_or_refused(computed, case, several=True)


@pytest.mark.parametrize("font", [8])
def test_plot_attributions_is_legible_in_a_figure_of_its_own(computed, font):
    with plt.rc_context({"font.size": font}):
        plot = computed()
        assert not faults(plot)
        plot.close()


@pytest.mark.few(1)
@pytest.mark.parametrize("size", [(9, 7), (16, 9)], ids=str)
def test_plot_attributions_breaks_its_lines_again_in_a_figure_of_another_size(computed, size):
    plot, fresh = computed(), computed(figsize=size)
    plot.figure.set_size_inches(size)
    found = faults(plot)
    fresh.figure.draw_without_rendering()
    titles = [[ax.get_title() for ax in each.axes] for each in (plot, fresh)]
    boxes = [[ax.get_position().bounds for ax in each.axes] for each in (plot, fresh)]
    plot.close()
    fresh.close()
    assert not found
    assert titles[0] == titles[1]
    np.testing.assert_allclose(boxes[0], boxes[1], atol=1e-6)


def test_plot_attributions_draws_curves_as_high_as_the_picture_beside_them(computed):
    plot = computed(figsize=(16, 12))
    plot.figure.draw_without_rendering()
    heights = [panel.ax.get_position().height for panel in plot.panels[:3]]
    plot.close()
    np.testing.assert_allclose(heights, heights[0], atol=1e-6)


def test_plot_attributions_fills_a_figure_and_leaves_it_open(computed):
    figure = plt.figure(figsize=(9, 6))
    plot = computed(figure=figure, title="mine")
    assert plot.figure is figure
    assert figure.get_suptitle() == "mine"
    plot.close()
    assert plt.fignum_exists(figure.number)
    plt.close(figure)
