"""Outputs that are pictures: in greys, in colours, or a label per pixel with a legend."""

from __future__ import annotations

import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

import kerasviz

KERAS_ON_TORCH = "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""
NAMES = ("sky", "sea", "sand", "tree")


def picture_model(channels, activation=None, shape=(6, 7, 2)):
    """Map each pixel by itself → "out", with `channels` channels."""
    layer = keras.layers.Conv2D(channels, 1, activation=activation, name="out")
    return keras.Sequential([keras.Input(shape), layer])


def output(model, inputs):
    return keras.ops.convert_to_numpy(model(inputs))


@pytest.fixture
def inputs(rng):
    return rng.normal(size=(3, 6, 7, 2)).astype("float32")


def legend(panel):
    return [label.get_text() for label in panel.colorbar.ax.get_yticklabels()]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_plot_feature_maps_draws_a_grey_output_as_a_picture(
    plot_feature_maps, read_tiles, inputs, activation
):
    model = picture_model(1, activation)
    expected = output(model, inputs)[1, ..., 0]
    (panel,) = plot_feature_maps(model, "out", inputs, sample=1, kind="image").panels
    np.testing.assert_allclose(panel.values[0], expected, rtol=1e-5)
    np.testing.assert_allclose(read_tiles(panel.image, 6, 7)[0], expected, rtol=1e-5)
    reach = np.abs(expected).max()
    assert panel.limits == pytest.approx((0, 1) if activation == "sigmoid" else (-reach, reach))
    assert panel.image.get_cmap().name == "gray"
    assert panel.title == "out: 1 feature map, 6×7\nsample 1 of 3"
    colored = plot_feature_maps(model, "out", inputs, kind="image", cmap="viridis", vmax=2)
    assert colored.images[0].get_cmap().name == "viridis"
    assert colored.images[0].get_clim()[1] == 2


def test_plot_feature_maps_draws_an_output_in_its_colors(plot_feature_maps, read_tiles, inputs):
    model = picture_model(3, "sigmoid")
    expected = output(model, inputs)
    plot = plot_feature_maps(model, "out", inputs, sample="all", kind="image")
    np.testing.assert_allclose(plot.panels[0].values[0], expected, rtol=1e-5)
    assert plot.panels[0].limits is None
    np.testing.assert_allclose(read_tiles(plot.images[0], 6, 7), expected, atol=0.003)
    ticks = [label.get_text() for label in plot.axes[0].get_xticklabels()]
    assert ticks[-1] == "output"


def test_plot_feature_maps_draws_the_label_of_the_largest_channel(
    plot_feature_maps, read_tiles, inputs
):
    model = picture_model(4)
    expected = output(model, inputs).argmax(axis=-1)
    plot = plot_feature_maps(model, "out", inputs, sample=2, kind="labels", class_names=NAMES)
    (panel,) = plot.panels
    np.testing.assert_array_equal(panel.values[0], expected[2])
    np.testing.assert_array_equal(read_tiles(panel.image, 6, 7)[0], expected[2])
    present = np.unique(expected[2])
    assert legend(panel) == [NAMES[label] for label in present]
    assert panel.limits == panel.image.get_clim()
    assert panel.title == (
        f"out: label map, 6×7\n{len(present)} of 4 classes, largest of the channels, sample 2 of 3"
    )


def test_plot_feature_maps_gives_a_label_the_same_color_in_every_picture(plot_feature_maps):
    model = keras.Sequential([keras.Input((4, 4)), keras.layers.Activation("linear", name="out")])
    first, second = np.full((2, 1, 4, 4), 2.0)
    first[0, 0], second[0, 0] = 5, 1
    colors = []
    for labels in (first, second):
        (panel,) = plot_feature_maps(
            model, "out", labels, kind="labels", class_names=list("abcdef")
        ).panels
        assert panel.colorbar.ax.get_yticklabels()[-1].get_text() in "fc"
        colors.append(panel.image.to_rgba(np.array([2.0]))[0])
    assert (colors[0] == colors[1]).all()


def test_plot_feature_maps_draws_a_mask_of_one_class_as_labels(plot_feature_maps, inputs):
    model = picture_model(1, "sigmoid")
    expected = output(model, inputs)[0, ..., 0] > 0.5
    (panel,) = plot_feature_maps(model, "out", inputs, kind="labels").panels
    np.testing.assert_array_equal(panel.values[0], expected)
    assert "1 where the value is above 0.5" in panel.title
    assert legend(panel) == ["0", "1"]


def test_plot_feature_maps_takes_colors_for_labels(plot_feature_maps, inputs):
    model = picture_model(2)
    (panel,) = plot_feature_maps(model, "out", inputs, kind="labels", cmap="gray").panels
    shown = panel.image.to_rgba(np.arange(2.0))
    np.testing.assert_allclose(shown, [to_rgba("black"), to_rgba("white")])


def test_plot_feature_maps_draws_labels_over_the_picture(plot_feature_maps, rng):
    model = picture_model(4, shape=(6, 7, 1))
    photo = rng.uniform(size=(1, 6, 7, 1))
    plot = plot_feature_maps(model, "out", photo, kind="labels", overlay=True)
    assert "over the 6×7 input" in plot.panels[0].title
    assert "strength" not in plot.panels[0].title
    alphas = plot.images[0].get_cmap()(np.arange(2))[:, 3]
    assert ((alphas > 0.4) & (alphas < 0.8)).all()


@pytest.mark.filterwarnings(KERAS_ON_TORCH)
def test_plot_feature_maps_shows_where_a_label_is_not_known(plot_feature_maps, inputs):
    bad = inputs.copy()
    bad[0, 2, 3] = np.nan
    with pytest.warns(UserWarning, match="1 of the values drawn is NaN or infinite"):
        plot = plot_feature_maps(picture_model(4), "out", bad, kind="labels")
    assert np.isnan(plot.panels[0].values[0, 2, 3])
    assert np.isfinite(plot.panels[0].values).sum() == 6 * 7 - 1


@pytest.mark.parametrize(
    ("channels", "options", "message"),
    [
        (4, {"vmax": 2}, "`vmax` cannot be used with kind='labels'"),
        (4, {"norm": "log"}, "`norm` cannot be used with kind='labels'"),
        (4, {"class_names": ["a"]}, "`class_names` must have a name for each label of 'out'"),
        (1, {}, "for probabilities of one class. Received: 'out', whose values are from"),
    ],
    ids=str,
)
def test_plot_feature_maps_refuses_labels_that_cannot_be_told(inputs, channels, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(
            picture_model(channels), "out", inputs, sample="all", kind="labels", **options
        )
    assert not plt.get_fignums()


def test_feature_map_snapshots_draw_label_maps(tmp_path, closing, inputs):
    model = picture_model(4)
    model.compile("sgd", "mse")
    plots = []
    snapshots = kerasviz.FeatureMapSnapshots(
        inputs,
        "out",
        directory=tmp_path,
        gif=tmp_path,
        kind="labels",
        class_names=NAMES,
        on_plot=lambda *args: plots.append(args[2]),
    )
    model.fit(inputs, np.ones((3, 6, 7, 4)), epochs=2, verbose=0, callbacks=[snapshots])
    plot = closing(kerasviz.plot_snapshots)(tmp_path, "out")
    np.testing.assert_array_equal(plot.panels[-1].values, plots[-1].panels[0].values)
    assert set(legend(plot.panels[-1])) <= set(NAMES)
