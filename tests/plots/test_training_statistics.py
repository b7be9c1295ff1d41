import csv
import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure

import kerasviz

COLUMNS = ["epoch", "step", "layer", "mean", "std", "norm", "update_ratio", "dead"]
STATISTICS = COLUMNS[3:]

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours without yellow; black is the colour of the text."""


@pytest.fixture
def plot_training_statistics(closing):
    return closing(kerasviz.plot_training_statistics)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return callbacks for epochs and for batches of a real training, and the file of the first."""
    rng = np.random.default_rng(4)
    images = rng.normal(size=(12, 8, 8, 1)).astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(3, 3, name="first", activation="relu"),
            keras.layers.Conv2D(4, 3, name="second", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, name="dense"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    path = tmp_path_factory.mktemp("log") / "statistics.csv"
    layers = ["first", "second", "dense"]
    epochs = kerasviz.WeightStatistics(layers, inputs=images, csv=path)
    batches = kerasviz.WeightStatistics(layers, every="2 batches")
    model.fit(images, np.ones((12, 2)), 2, epochs=3, verbose=0, callbacks=[epochs, batches])
    return epochs, batches, path


def made_up(layers=("a", "b"), epochs=4, **columns):
    """Return a history; `columns` are values of all layers and epochs."""
    rows = [(epoch, 5 * epoch, layer) for epoch in range(1, epochs + 1) for layer in layers]
    history = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=False))
    for number, name in enumerate(STATISTICS, start=1):
        history[name] = [0.001 * number * (row + 1) for row in range(len(rows))]
    return {**history, **columns}


def write(path, history):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(history)
        writer.writerows(zip(*history.values(), strict=True))


def legend(owner):
    """Return the entries of a legend of a figure or an Axes, and the colours of their lines."""
    key = owner.get_legend() if hasattr(owner, "get_legend") else owner.legends[0]
    return {
        text.get_text(): line.get_color()
        for text, line in zip(key.texts, key.get_lines(), strict=True)
    }


def title(ax):
    return " ".join(ax.get_title().split())


def level(ax):
    """Return the values of the lines across a panel."""
    return [
        segment[0][1]
        for item in ax.collections
        if item.get_transform() == ax.get_yaxis_transform()
        for segment in item.get_segments()
    ]


# What is drawn


def test_plot_training_statistics_draws_the_numbers_of_the_file(plot_training_statistics, trained):
    callback, _, path = trained
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for source in (callback, callback.history, path, str(path)):
        plot = plot_training_statistics(source)
        assert len(plot.axes) == 5
        for ax, name in zip(plot.axes, STATISTICS, strict=True):
            assert len(ax.lines) == 3
            for line, layer in zip(ax.lines, ("first", "second", "dense"), strict=True):
                own = [(row["epoch"], row[name]) for row in rows if row["layer"] == layer]
                np.testing.assert_array_equal(line.get_xydata(), np.array(own, float))
            assert ax.get_xlabel() == "epoch"
        assert (plot.images, plot.colorbars) == ((), ())
        assert repr(plot) == "Plot(5 panels)"


def test_plot_training_statistics_says_in_titles_what_the_panels_show(
    plot_training_statistics, trained
):
    plot = plot_training_statistics(trained[0])
    assert list(map(title, plot.axes)) == [
        "mean of the weights",
        "standard deviation of the weights",
        "norm of the kernel",
        "update ratio of a step (dotted: 0.001, a rule of thumb)",
        "dead filters over your samples",
    ]
    assert not plot.figure.get_suptitle()


def test_plot_training_statistics_draws_several_records_per_epoch_over_steps(
    plot_training_statistics, trained
):
    plot = plot_training_statistics(trained[1], layer="first")
    assert len(plot.axes) == 4
    for ax, name in zip(plot.axes, STATISTICS, strict=False):
        steps = np.arange(2, 19, 2)
        np.testing.assert_array_equal(ax.lines[0].get_xdata(), steps)
        history = trained[1].history
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), history[name][::3])
        assert ax.get_xlabel() == "step"


def test_plot_training_statistics_draws_the_update_ratio_on_a_logarithm_with_the_rule_of_thumb(
    plot_training_statistics,
):
    plot = plot_training_statistics(made_up(update_ratio=[0.1, 0.2] * 4))
    assert [ax.get_yscale() for ax in plot.axes] == ["linear"] * 3 + ["log", "linear"]
    assert [level(ax) for ax in plot.axes] == [[], [], [], [0.001], []]
    low, high = plot.axes[3].get_ylim()
    assert low < 0.001 < 0.2 < high
    (line,) = plot.axes[3].collections
    assert same_color(line.get_color()[0], "0.4")
    assert line.get_zorder() < plot.axes[3].lines[0].get_zorder()


def test_plot_training_statistics_draws_dead_filters_as_percentages(plot_training_statistics):
    plot = plot_training_statistics(made_up(dead=[0, 0.5] * 4), statistics="dead")
    plot.figure.draw_without_rendering()
    labels = [label.get_text() for label in plot.axes[0].get_yticklabels()]
    assert {"0%", "50%"} <= set(labels)


def test_plot_training_statistics_gives_each_of_few_layers_a_color(plot_training_statistics):
    names = [f"layer{number}" for number in range(7)]
    plot = plot_training_statistics(made_up(names))
    assert legend(plot.figure) == dict(zip(names, COLORS, strict=True))
    for ax in plot.axes:
        assert ax.get_legend() is None
        assert [line.get_color() for line in ax.lines] == list(COLORS)


@pytest.mark.few(2)
@pytest.mark.parametrize("count", [8, 20, 60])
def test_plot_training_statistics_shades_many_layers_by_depth(plot_training_statistics, count):
    names = [f"layer{number}" for number in range(count)]
    plot = plot_training_statistics(made_up(names))
    assert plot.figure.get_suptitle() == (
        f"{count} layers, of which 7 are named: the deeper the brighter"
    )
    named = legend(plot.figure)
    assert len(named) == 7
    assert list(named)[0::6] == [names[0], names[-1]]
    for ax in plot.axes:
        colors = [line.get_color() for line in ax.lines]
        assert len(colors) == len(set(colors)) == count
        assert named == {name: colors[names.index(name)] for name in named}
        shades = [int(color[1:3], 16) + 2 * int(color[3:5], 16) for color in colors]
        assert shades == sorted(shades)


def test_plot_training_statistics_draws_chosen_layers_in_their_order(plot_training_statistics):
    history = made_up(["block1_a", "block1_b", "block2_a", "out"], epochs=2)
    plot = plot_training_statistics(history, layer=["out", "block1*"], statistics="norm")
    assert list(legend(plot.axes[0])) == ["block1_a", "block1_b", "out"]
    drawn = [line.get_ydata().tolist() for line in plot.axes[0].lines]
    assert drawn == [history["norm"][place::4] for place in (0, 1, 3)]
    assert len(plot_training_statistics(history, layer="*_a").axes[0].lines) == 2


def test_plot_training_statistics_takes_an_address_with_characters_of_a_pattern(
    plot_training_statistics,
):
    plot = plot_training_statistics(made_up(["a[1]", "a1"]), layer="a[1]", statistics="norm")
    assert list(legend(plot.axes[0])) == ["a[1]"]


def test_plot_training_statistics_draws_chosen_statistics_in_the_order_of_the_caller(
    plot_training_statistics,
):
    plot = plot_training_statistics(made_up(), statistics=["dead", "mean"])
    assert list(map(title, plot.axes)) == [
        "dead filters over your samples",
        "mean of the weights",
    ]


def test_plot_training_statistics_draws_no_panel_and_no_point_of_what_was_not_measured(
    plot_training_statistics,
):
    ratios = [None, None, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    plot = plot_training_statistics(made_up(update_ratio=ratios, dead=[None, 0.5] * 4))
    first, second = plot.axes[3].lines
    np.testing.assert_array_equal(first.get_ydata(), [np.nan, 0.1, 0.3, 0.5])
    np.testing.assert_array_equal(second.get_ydata(), [np.nan, 0.2, 0.4, 0.6])
    assert title(plot.axes[3]) == "update ratio of a step (dotted: 0.001, a rule of thumb)"
    (only,) = plot.axes[4].lines
    assert only.get_color() == COLORS[1]
    assert len({ax.get_xlim() for ax in plot.axes}) == 1
    assert len(plot_training_statistics(made_up(dead=[None] * 8)).axes) == 4


def test_plot_training_statistics_counts_zeros_that_a_logarithm_does_not_have(
    plot_training_statistics,
):
    plot = plot_training_statistics(made_up(update_ratio=[0, 0.2] * 4), statistics="update_ratio")
    (ax,) = plot.axes
    assert np.isnan(ax.lines[0].get_ydata()).all()
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [0.2] * 4)
    assert title(ax) == (
        "update ratio of a step, 4 at 0 not shown (dotted: 0.001, a rule of thumb)"
    )
    frozen = plot_training_statistics(made_up(update_ratio=[0] * 8), statistics="update_ratio")
    assert frozen.axes[0].get_yscale() == "linear"
    np.testing.assert_array_equal(frozen.axes[0].lines[0].get_ydata(), [0] * 4)
    assert "not shown" not in title(frozen.axes[0])


def test_plot_training_statistics_leaves_a_gap_for_what_is_not_finite_and_counts_it(
    plot_training_statistics,
):
    norms = [1, 2, np.nan, 3, np.inf, 4, 5, 6]
    with pytest.warns(UserWarning, match="2 of the values are NaN or infinite; they are gaps"):
        plot = plot_training_statistics(made_up(norm=norms))
    np.testing.assert_array_equal(plot.axes[2].lines[0].get_ydata(), [1, np.nan, np.nan, 5])
    assert title(plot.axes[2]) == "norm of the kernel, 2 NaN or infinite"
    assert title(plot.axes[0]) == "mean of the weights"
    plot_training_statistics(made_up(norm=norms), layer="b")
    plot_training_statistics(made_up(norm=norms), statistics="mean")


@pytest.mark.filterwarnings("ignore:.*NaN or infinite:UserWarning")
def test_plot_training_statistics_draws_a_training_that_diverged_at_once(
    plot_training_statistics, pixels
):
    plot = plot_training_statistics(
        made_up(**{name: [np.nan] * 8 for name in ("mean", "std", "norm", "update_ratio")})
    )
    assert pixels(plot.figure).size
    assert plot.axes[3].get_yscale() == "linear"


# Files


def test_plot_training_statistics_reads_a_file_that_is_still_written(
    plot_training_statistics, tmp_path
):
    path, history = tmp_path / "a.csv", made_up()
    write(path, history)
    with path.open("a") as stream:
        stream.write("5,25,a,0.1,0.1,0.1,0.1,0.")
    plot = plot_training_statistics(path)
    assert plot.figure.get_suptitle() == "without a last row that is cut"
    assert plot.axes[0].lines[0].get_xdata().tolist() == [1, 2, 3, 4]


def test_plot_training_statistics_reads_addresses_with_commas_and_quotes(
    plot_training_statistics, tmp_path
):
    path = tmp_path / "a.csv"
    write(path, made_up(['a,"b"', "Größe"]))
    assert list(legend(plot_training_statistics(path).figure)) == ['a,"b"', "Größe"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "where the file begins with ''"),
        (b"epoch,loss\n0,0.5\n", "where the file begins with 'epoch,loss"),
        (b"\x89PNG\xff", "where the file begins with ''"),
        (",".join(COLUMNS).encode() + b"\n1,2,a,b,c,d,,\n", "where line 2 is '1,2,a,b,c,d,,'"),
        (",".join(COLUMNS).encode() + b"\n1,2,a,0.5\n", "where line 2 is '1,2,a,0.5'"),
        (",".join(COLUMNS).encode() + b"\n-1,2,a,0,0,0,,\n", "where line 2 is '-1,2,a,0,0,0,,'"),
        (
            ",".join(COLUMNS).encode() + b"\n1" + 30 * b"0" + b",2,a,0,0,0,,\n",
            "where line 2 is '100",
        ),
        (
            ",".join(COLUMNS).encode() + b"\n1,2," + 200_000 * b"a" + b"\n",
            "where field larger than",
        ),
    ],
    ids=["empty", "CSVLogger", "PNG", "words", "short", "negative", "high", "long"],
)
def test_plot_training_statistics_refuses_a_file_of_something_else(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(
        ValueError, match="`source` must be the path of a file that Weight"
    ) as error:
        kerasviz.plot_training_statistics(path)
    assert message in str(error.value)


@pytest.mark.parametrize("content", [",".join(COLUMNS), ",".join(COLUMNS) + "\n"])
def test_plot_training_statistics_refuses_a_file_without_a_record(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(ValueError, match="`source` must hold at least one record"):
        kerasviz.plot_training_statistics(tmp_path / "a.csv")


# Errors


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (None, TypeError, "`source` must be a WeightStatistics, its history, or the path of its"),
        (3, TypeError, "Received: source=3"),
        ("missing.csv", ValueError, "`source` must be the path of a file that is there. Received:"),
        ({"loss": [1]}, ValueError, "plot_history. Received: source={'loss': [1]}, without epoch"),
        (keras.callbacks.History, ValueError, "is drawn by plot_history"),
        (kerasviz.WeightStatistics, ValueError, "`source` must hold at least one record"),
    ],
    ids=str,
)
def test_plot_training_statistics_refuses_what_holds_no_statistics(source, error, message):
    if isinstance(source, type):
        source = source()
        if isinstance(source, keras.callbacks.History):
            source.history = {"loss": [1]}
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_training_statistics(source)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layer": "c"}, ValueError, "`layer` must name layers that were written down."),
        ({"layer": ["a", "x*"]}, ValueError, "Received: 'x*'. There are: 'a', 'b'"),
        ({"layer": 0}, TypeError, "`layer` must be a string or a list of these. Received: layer=0"),
        ({"layer": []}, ValueError, "`layer` must name at least one. Received: layer=[]"),
        ({"statistics": "nrom"}, ValueError, "Did you mean 'norm'? Received: 'nrom'"),
        ({"statistics": ["dead"]}, ValueError, "Give WeightStatistics `inputs`. Received: 'dead'"),
        ({"statistics": 1}, TypeError, "`statistics` must be a string or a list of these"),
        ({"columns": 0}, ValueError, "`columns` must be a positive integer"),
        ({"statistic": "norm"}, TypeError, "Did you mean 'statistics'"),
        ({"title": 3}, TypeError, "`title` must be a string or a bool"),
    ],
    ids=str,
)
def test_plot_training_statistics_refuses_a_mistake_before_a_figure_is_made(
    options, error, message
):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_training_statistics(made_up(dead=[None] * 8), **options)
    assert not plt.get_fignums()


def test_plot_training_statistics_refuses_one_axes_for_several_panels():
    ax = Figure().add_subplot()
    with pytest.raises(ValueError, match="`ax`"):
        kerasviz.plot_training_statistics(made_up(), ax=ax)
    assert not ax.lines


# Where it is drawn


@pytest.mark.few(2)
@pytest.mark.parametrize(("columns", "expected"), [(None, 2), (1, 1), (3, 3), (9, 5)])
def test_plot_training_statistics_draws_panels_in_a_row(
    plot_training_statistics, columns, expected
):
    plot = plot_training_statistics(made_up(), columns=columns)
    plot.figure.draw_without_rendering()
    tops = [round(ax.get_position().y1, 3) for ax in plot.axes]
    assert tops.count(tops[0]) == expected


def test_plot_training_statistics_writes_the_callers_title(plot_training_statistics):
    plot = plot_training_statistics(made_up(), title="mine")
    assert plot.figure.get_suptitle() == "mine"
    assert title(plot.axes[0]) == "mean of the weights"
    one = plot_training_statistics(made_up(), statistics="norm", title="mine")
    assert (title(one.axes[0]), one.axes[0].get_ylabel()) == ("mine", "norm of the kernel")
    none = plot_training_statistics(made_up(), title=False)
    assert {title(ax) for ax in none.axes} == {""}


@pytest.mark.slow
@pytest.mark.parametrize("layout", [None, "constrained"])
@pytest.mark.parametrize("count", [2, 20])
def test_plot_training_statistics_covers_nothing_with_anything(
    plot_training_statistics, layout, count
):
    names = [f"block{n // 3}/convolution{n}" for n in range(count)]
    for figure in (None, Figure(figsize=(11, 10), layout=layout)):
        plot = plot_training_statistics(made_up(names), title="mine", figure=figure)
        root = plot.figure.get_figure(root=True)
        root.draw_without_rendering()
        boxes = [ax.get_tightbbox() for ax in plot.axes]
        boxes += [key.get_window_extent() for key in root.legends]
        boxes.append(root._suptitle.get_window_extent())
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        width, height = root.bbox.size
        for box in boxes:
            assert box.x0 > -1
            assert box.y0 > -1
            assert box.x1 < width + 1
            assert box.y1 < height + 1
        assert len(root.legends) == 1


def test_plot_training_statistics_draws_into_an_axes_and_a_subfigure_of_the_callers(
    plot_training_statistics,
):
    figure = Figure(figsize=(10, 8))
    left, right = figure.subfigures(1, 2)
    ax = left.add_subplot()
    place = ax.get_position().bounds
    plot = plot_training_statistics(made_up(), statistics="dead", ax=ax)
    assert plot.axes == (ax,)
    assert ax.get_position().bounds == place
    assert list(legend(ax)) == ["a", "b"]
    plot = plot_training_statistics(made_up(), statistics=["dead", "norm"], figure=right)
    assert plot.figure is right
    assert list(legend(right)) == ["a", "b"]
    assert not figure.legends
    assert not plt.get_fignums()


def test_plot_training_statistics_leaves_the_callers_data_as_it_is(plot_training_statistics):
    history = made_up(update_ratio=[0, 0.2] * 4)
    before = {name: list(values) for name, values in history.items()}
    plot = plot_training_statistics(history)
    plot.axes[0].lines[0].set_ydata([7] * 4)
    assert history == before
