"""What a plot says of itself: the data of each panel, and what `close` closes."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import kerasviz


@pytest.fixture
def close():
    """Close every plot that a test hands over, whatever the test finds."""
    plots = []
    yield lambda plot: plots.append(plot) or plot
    for plot in plots:
        plt.close(plot.figure.get_figure(root=True))


@pytest.fixture
def volume_model():
    """Return a model whose only layer makes 5 maps 4×4 in 3 slices of a volume."""
    return keras.Sequential([keras.Input((5, 6, 6, 1)), keras.layers.Conv3D(5, 3, name="volume")])


def norms(array):
    return np.linalg.norm(array.reshape(-1, array.shape[-1]).astype(float), axis=0)


@pytest.mark.parametrize(
    "options", [{}, {"sort": "norm"}, {"top": 3}, {"tiles": [5, 0, 2], "sort": "mean"}]
)
def test_panels_of_plot_kernels_say_which_kernel_is_which_tile(
    close, read_tiles, grey_model, options
):
    plot = close(kerasviz.plot_kernels(grey_model, "second", channel=1, **options))
    (panel,) = plot.panels
    kernel = grey_model.get_layer("second").get_weights()[0]
    strongest = np.argsort(-norms(kernel))
    expected = {
        (): np.arange(6),
        ("sort",): strongest,
        ("top",): strongest[:3],
        ("tiles", "sort"): sorted([5, 0, 2], key=lambda n: -kernel[..., n].mean()),
    }[tuple(options)]
    np.testing.assert_array_equal(panel.indices, expected)
    tiles = np.moveaxis(kernel[:, :, 1], -1, 0)[panel.indices]
    np.testing.assert_array_equal(panel.values, tiles)
    np.testing.assert_array_equal(read_tiles(panel.image, 3, 3), tiles)
    assert panel.address == "second"
    assert panel.title.startswith("second: ")
    assert " of 6" in panel.title or "6 kernels" in panel.title
    assert panel.limits == panel.image.get_clim()


@pytest.mark.parametrize("scale", ["layer", "tile", "figure"])
def test_panels_of_plot_feature_maps_have_the_values_of_get_feature_maps(
    close, grey_model, rng, scale
):
    images = rng.normal(size=(3, 12, 12, 1)).astype("float32")
    plot = close(kerasviz.plot_feature_maps(grey_model, None, images, sample=1, scale=scale, top=4))
    maps = kerasviz.get_feature_maps(grey_model, None, images[1:2])
    assert [panel.address for panel in plot.panels] == list(maps)
    for panel, array in zip(plot.panels, maps.values(), strict=True):
        np.testing.assert_array_equal(panel.indices, np.argsort(-norms(array), kind="stable")[:4])
        np.testing.assert_array_equal(panel.values, np.moveaxis(array[0], -1, 0)[panel.indices])
        assert panel.limits == panel.image.get_clim()
        assert panel.title.splitlines()[0] in panel.ax.get_title().replace("\n", " ")


def test_panels_of_smooth_maps_have_the_values_that_the_layer_returned(close, grey_model, rng):
    images = rng.normal(size=(1, 12, 12, 1)).astype("float32")
    plot = close(
        kerasviz.plot_feature_maps(
            grey_model, "second", images, overlay=True, interpolation="bilinear"
        )
    )
    maps = kerasviz.get_feature_maps(grey_model, "second", images)
    np.testing.assert_array_equal(plot.panels[0].values, np.moveaxis(maps[0], -1, 0))
    assert plot.images[0].get_array().size > maps.size


def test_panels_of_a_table_of_samples_have_the_map_as_the_first_axis(close, grey_model, rng):
    images = rng.normal(size=(4, 12, 12, 1)).astype("float32")
    plot = close(
        kerasviz.plot_feature_maps(grey_model, "first", images, sample=[3, 1], tiles=[2, 0, 3])
    )
    maps = kerasviz.get_feature_maps(grey_model, "first", images[[3, 1]])
    (panel,) = plot.panels
    assert panel.indices.tolist() == [2, 0, 3]
    np.testing.assert_array_equal(panel.values, maps.transpose(3, 0, 1, 2)[[2, 0, 3]])


def test_panels_of_several_slices_have_an_axis_for_these(close, volume_model, rng):
    volume = rng.normal(size=(5, 6, 6, 1)).astype("float32")
    plot = close(kerasviz.plot_feature_maps(volume_model, "volume", volume, sort="norm"))
    maps = kerasviz.get_feature_maps(volume_model, "volume", volume[np.newaxis])
    (panel,) = plot.panels
    np.testing.assert_array_equal(panel.values, np.moveaxis(maps[0], -1, 0)[panel.indices])
    assert panel.values.shape == (5, 3, 4, 4)


def test_panels_of_a_matrix_have_its_columns_as_values(close):
    model = keras.Sequential([keras.Input((4, 4, 6)), keras.layers.Conv2D(3, 1, name="point")])
    (panel,) = close(kerasviz.plot_kernels(model, "point", sort="norm")).panels
    kernel = model.get_layer("point").get_weights()[0][0, 0]
    assert panel.indices.tolist() == np.argsort(-norms(kernel)).tolist()
    np.testing.assert_array_equal(panel.values, kernel.T[panel.indices])


def test_panels_of_a_table_of_input_channels_have_one_row_per_channel(close, grey_model):
    (panel,) = close(kerasviz.plot_kernels(grey_model, "second", channel="all", top=2)).panels
    kernel = grey_model.get_layer("second").get_weights()[0]
    np.testing.assert_array_equal(panel.values, kernel.transpose(3, 2, 0, 1)[panel.indices])


def test_panels_of_colors_have_values_and_no_limits(close, rgb_model):
    (panel,) = close(kerasviz.plot_kernels(rgb_model, "color")).panels
    kernel = rgb_model.get_layer("color").get_weights()[0]
    np.testing.assert_array_equal(panel.values, np.moveaxis(kernel, -1, 0))
    assert panel.limits is None
    assert panel.colorbar is None


@pytest.mark.parametrize("title", [False, "Mine"])
def test_panels_have_a_title_whatever_is_drawn(close, title):
    (panel,) = close(kerasviz.plot_tiles(np.ones((2, 2, 3)), title=title)).panels
    assert panel.title == "3 tiles, 2×2\n3 constant (×)"
    assert repr(panel) == "Panel(3 tiles, 2×2)"


def test_panels_of_a_comparison_have_the_same_filters(close, grey_model):
    other = keras.models.clone_model(grey_model)
    plot = close(kerasviz.compare_kernels({"a": grey_model, "b": other}, "first", top=2))
    kernels = [model.get_layer("first").get_weights()[0][:, :, 0] for model in (grey_model, other)]
    strongest = np.argsort(-norms(kernels[1]))[:2].tolist()
    assert [panel.indices.tolist() for panel in plot.panels] == 3 * [strongest]
    for panel, kernel in zip(plot.panels, [*kernels, kernels[1] - kernels[0]], strict=True):
        np.testing.assert_array_equal(panel.values, np.moveaxis(kernel, -1, 0)[strongest])
        assert "first: 2 strongest of 4 kernels" in panel.title
    assert [panel.title[:2] for panel in plot.panels] == ["a,", "b,", "b "]
    assert plot.panels[0].colorbar is plot.panels[1].colorbar


def test_plots_without_tiles_have_a_panel_per_axes(close, grey_model):
    history = close(kerasviz.plot_history({"loss": [2.0, 1.0, 0.5], "val_loss": [3.0, 2.0, 1.5]}))
    assert [panel.address for panel in history.panels] == ["loss"]
    np.testing.assert_array_equal(
        np.sort(history.panels[0].values, axis=0), [[2.0, 1.0, 0.5], [3.0, 2.0, 1.5]]
    )
    histograms = close(kerasviz.plot_kernel_histograms(grey_model, bins=7))
    assert [panel.address for panel in histograms.panels] == ["first", "second"]
    for panel in histograms.panels:
        kernel = grey_model.get_layer(panel.address).get_weights()[0]
        assert panel.values.shape == (1, 7)
        assert panel.values.sum() == kernel.size
    for plot in (history, histograms):
        assert plot.axes == tuple(panel.ax for panel in plot.panels)
        assert plot.images == plot.colorbars == ()
        assert all(panel.image is None and panel.limits is None for panel in plot.panels)


def test_panels_of_plot_convolution_and_of_plot_architecture(close, grey_model, rng):
    image = rng.normal(size=(12, 12, 1)).astype("float32")
    steps = close(kerasviz.plot_convolution(grey_model, "first", image, position=(2, 3), filter=1))
    maps = kerasviz.get_feature_maps(grey_model, "first", image[np.newaxis])
    np.testing.assert_allclose(steps.panels[-1].values, maps[0, :, :, 1], atol=1e-5)
    assert {panel.address for panel in steps.panels} == {"first"}
    plain = close(kerasviz.plot_architecture(grey_model))
    assert [panel.image for panel in plain.panels] == [None]
    drawn = close(kerasviz.plot_architecture(grey_model, inputs=image, maps=2))
    assert len(drawn.axes) == 1
    assert len(drawn.images) == len(drawn.panels) - 1
    first = next(panel for panel in drawn.panels if panel.address == "first")
    np.testing.assert_array_equal(first.values, np.moveaxis(maps[0], -1, 0)[first.indices])


def test_close_closes_a_figure_of_ours_in_pyplot(grey_model):
    before = plt.get_fignums()
    plots = [
        kerasviz.plot_tiles(np.eye(3)),
        kerasviz.plot_kernel_histograms(grey_model),
        kerasviz.plot_history({"loss": [2.0, 1.0]}),
        kerasviz.plot_architecture(grey_model),
        kerasviz.plot_convolution(grey_model, "first", np.ones((12, 12, 1)), position=(0, 0)),
        kerasviz.compare_kernels({"a": grey_model, "b": grey_model}, "first"),
    ]
    assert len(plt.get_fignums()) == len(before) + len(plots)
    for plot in plots:
        plot.close()
        plot.close()
    assert plt.get_fignums() == before


def test_close_keeps_the_data_of_a_plot_that_can_still_be_saved(tmp_path):
    plot = kerasviz.plot_tiles(np.eye(3))
    plot.close()
    np.testing.assert_array_equal(plot.panels[0].values, [np.eye(3)])
    plot.savefig(tmp_path / "eye.png")
    assert (tmp_path / "eye.png").exists()


def test_close_closes_no_figure_of_the_users(grey_model):
    figure = plt.figure()
    ax, below = figure.subplots(2)
    kerasviz.plot_tiles(np.eye(3), ax=ax).close()
    kerasviz.plot_history({"loss": [2.0, 1.0]}, ax=below).close()
    kerasviz.plot_kernel_histograms(grey_model, figure=figure).close()
    kerasviz.compare_kernels({"a": grey_model}, "first", figure=figure).close()
    kerasviz.plot_convolution(
        grey_model, "first", np.ones((12, 12, 1)), position=(0, 0), figure=figure
    ).close()
    first = kerasviz.plot_tiles(np.eye(3))
    kerasviz.plot_tiles(np.eye(3), figure=first.figure).close()
    assert plt.get_fignums() == [figure.number, first.figure.number]
    first.close()
    plt.close(figure)


def test_close_leaves_a_figure_alone_that_pyplot_does_not_know():
    figure = Figure()
    plot = kerasviz.plot_tiles(np.eye(3), figure=figure)
    plot.close()
    assert plot.figure is figure
    assert figure.axes


def test_the_plot_of_a_chart_of_one_layer_is_called_by_the_first_line_of_its_title():
    ax = Figure().add_subplot()
    panel = kerasviz.Panel(ax=ax, title="dense: 2 units\n1 is dead", indices=np.arange(2))
    assert repr(kerasviz.Plot(figure=ax.figure, panels=(panel,))) == "Plot(dense: 2 units)"
