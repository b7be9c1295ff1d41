import io
import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

import kerasviz

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours without yellow; black is the colour of the text."""


@pytest.fixture
def plot_history(closing):
    return closing(kerasviz.plot_history)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a real `History` with validation and a learning rate, and the file of a CSVLogger."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(16, 2)).astype("float32")
    y = (x.sum(axis=1, keepdims=True) > 0).astype("float32")
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros")]
    )
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"], run_eagerly=True)
    path = tmp_path_factory.mktemp("log") / "log.csv"
    slower = keras.callbacks.LearningRateScheduler(lambda epoch: 0.5 / (epoch + 1))
    history = model.fit(
        x,
        y,
        epochs=4,
        verbose=0,
        validation_data=(x[:8], y[:8]),
        callbacks=[slower, keras.callbacks.CSVLogger(path)],
    )
    return history, path


RUN = {
    "loss": [0.9, 0.5, 0.4],
    "val_loss": [0.8, 0.6, 0.7],
    "accuracy": [0.6, 0.7, 0.8],
    "val_accuracy": [0.5, 0.65, 0.75],
}


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def marked(ax):
    """Return the epochs of the lines across a panel."""
    return [
        int(segment[0][0])
        for item in ax.collections
        if hasattr(item, "get_segments") and item.get_transform() == ax.get_xaxis_transform()
        for segment in item.get_segments()
    ]


def test_plot_history_draws_what_fit_recorded(plot_history, trained):
    history, path = trained
    for given in (history, history.history, path, str(path)):
        plot = plot_history(given)
        names = [ax.get_title().split()[0] for ax in plot.axes]
        assert names == ["loss", "accuracy", "learning_rate"]
        for ax, name in zip(plot.axes, names, strict=True):
            keys = [key for key in (name, f"val_{name}") if key in history.history]
            assert len(ax.lines) == len(keys)
            for line, key in zip(ax.lines, keys, strict=True):
                expected = np.stack([[1, 2, 3, 4], history.history[key]], axis=1)
                np.testing.assert_allclose(line.get_xydata(), expected, rtol=1e-12)
        assert [ax.get_yscale() for ax in plot.axes] == ["linear", "linear", "log"]
        assert (plot.images, plot.colorbars) == ((), ())


def test_plot_history_marks_the_epoch_of_the_lowest_validation_loss_in_all_panels(
    plot_history,
):
    plot = plot_history(RUN)
    assert [ax.get_title() for ax in plot.axes] == [
        "loss (dotted: epoch 2, lowest val_loss)",
        "accuracy (dotted: epoch 2, lowest val_loss)",
    ]
    assert [marked(ax) for ax in plot.axes] == [[2], [2]]
    assert [legend(ax) for ax in plot.axes] == [
        ["training: 0.5", "validation: 0.6"],
        ["training: 0.7", "validation: 0.65"],
    ]
    rings = [item.get_offsets().tolist() for item in plot.axes[1].collections[1:]]
    assert rings == [[[2, 0.7]], [[2, 0.65]]]


@pytest.mark.parametrize(
    ("options", "epoch", "said"),
    [
        ({"monitor": "val_accuracy"}, 3, "highest val_accuracy"),
        ({"monitor": "loss"}, 3, "lowest loss"),
        ({"monitor": "val_loss"}, 2, "lowest val_loss"),
        ({"monitor": "val_loss", "mode": "max"}, 1, "highest val_loss"),
        ({"monitor": "val_accuracy", "mode": "min"}, 1, "lowest val_accuracy"),
        ({"mode": "max"}, 1, "highest val_loss"),
    ],
    ids=str,
)
def test_plot_history_lets_the_caller_choose_what_is_best(plot_history, options, epoch, said):
    plot = plot_history(RUN, **options)
    assert {tuple(marked(ax)) for ax in plot.axes} == {(epoch,)}
    assert plot.axes[0].get_title() == f"loss (dotted: epoch {epoch}, {said})"


def test_plot_history_marks_nothing_unless_something_is_monitored(plot_history):
    plot = plot_history(RUN, monitor=None)
    assert [ax.get_title() for ax in plot.axes] == ["loss", "accuracy"]
    assert legend(plot.axes[0]) == ["training", "validation"]
    assert not plot.axes[0].collections


def test_plot_history_finds_the_best_epoch_by_the_loss_without_validation(plot_history):
    plot = plot_history({"loss": [3, 1, 2], "mae": [3, 2, 1]})
    assert plot.axes[1].get_title() == "mae (dotted: epoch 2, lowest loss)"
    assert legend(plot.axes[1]) == ["training: 2"]
    assert not plot.axes[0].lines[0].is_dashed()


def test_plot_history_dashes_training_and_draws_validation_in_another_color(plot_history):
    ax = plot_history(RUN).axes[0]
    assert [line.is_dashed() for line in ax.lines] == [True, False]
    assert [line.get_color() for line in ax.lines] == list(COLORS[:2])


def test_plot_history_gives_each_of_several_trainings_a_color(plot_history):
    runs = {"a": RUN, "b": {"loss": [3, 1], "mae": [2, 1]}, "c": {**RUN, "val_loss": [1, 2, 3]}}
    plot = plot_history(runs)
    loss, accuracy, mae = plot.axes
    blue, red, green = COLORS[:3]
    assert [line.get_color() for line in loss.lines] == [blue, blue, red, green, green]
    assert [line.is_dashed() for line in loss.lines] == [True, False, True, True, False]
    assert legend(loss) == [
        "a: 0.6 at epoch 2",
        "b: 1 at epoch 2",
        "c: 1 at epoch 1",
        "training",
        "validation",
    ]
    assert [rings(ax) for ax in plot.axes] == [[2, 2, 1], [2, 1], [2]]
    assert [marked(ax) for ax in plot.axes] == [[], [], []]  # several lines would be a comb
    assert [line.get_color() for line in accuracy.lines] == [blue, blue, green, green]
    assert [line.get_color() for line in mae.lines] == [red]
    assert not mae.lines[0].is_dashed()
    assert legend(mae) == ["b: 1 at epoch 2"]
    assert loss.get_title().endswith("(ring: lowest val_loss or lowest loss)")
    np.testing.assert_array_equal(loss.lines[2].get_xydata(), [[1, 3], [2, 1]])


def rings(ax):
    """Return the epochs at which there is a ring on a curve."""
    return [int(x) for ring in ax.collections for x, _ in getattr(ring, "get_offsets", list)()]


def many(count):
    """Return trainings, the later the better."""
    return {
        f"run {index}": {"loss": [3, 2 - index / count], "val_loss": [3 - index / count, 4]}
        for index in range(count)
    }


def test_plot_history_of_many_trainings_colors_and_names_the_best(plot_history):
    plot = plot_history(many(12))
    (ax,) = plot.axes
    best = [f"run {index}" for index in range(11, 4, -1)]
    entries = [f"{name}: {3 - int(name[4:]) / 12:.4g} at epoch 1" for name in best]
    assert legend(ax) == [*entries, "5 more", "training", "validation"]
    assert ax.get_title() == "loss (ring: lowest val_loss)\nthe 7 best of 12 in colour"
    solid = {f"run {index}": ax.lines[2 * index + 1] for index in range(12)}
    assert [solid[name].get_color() for name in best] == list(COLORS)
    others = {solid[f"run {index}"].get_color() for index in range(5)}
    assert len(others) == 1
    assert others.isdisjoint(COLORS)
    assert {solid[f"run {index}"].get_linewidth() for index in range(5)} == {0.6}
    np.testing.assert_array_equal(solid["run 3"].get_ydata(), [2.75, 4])  # drawn all the same
    assert rings(ax) == [1] * 7


def test_plot_history_of_high_scores_colors_the_highest(plot_history):
    runs = {f"run {index}": {"accuracy": [0.1, index / 10]} for index in range(9)}
    plot = plot_history(runs, monitor="accuracy")
    assert legend(plot.axes[0])[0] == "run 8: 0.8 at epoch 2"
    assert legend(plot.axes[0])[-1] == "2 more"
    plot = plot_history(runs, monitor=None)
    assert legend(plot.axes[0])[:2] == ["run 0", "run 1"]
    assert plot.axes[0].get_title() == "accuracy\nthe 7 first of 9 in colour"


def test_plot_history_of_several_panels_has_one_legend_of_many_trainings(plot_history):
    runs = {name: {**run, "mae": [1, 2]} for name, run in many(5).items()}
    plot = plot_history(runs)
    assert [ax.get_legend() for ax in plot.axes] == [None, None]
    (key,) = plot.figure.legends
    assert key.get_texts()[0].get_text() == "run 0: 3 at epoch 1"


def test_plot_history_takes_the_users_own_colors(plot_history):
    with plt.rc_context({"axes.prop_cycle": plt.cycler(color=["red", "lime"])}):
        plot = plot_history({"loss": [1, 2], "val_loss": [2, 1]})
        assert [to_hex(line.get_color()) for line in plot.axes[0].lines] == ["#ff0000", "#00ff00"]
        assert len(legend(plot_history(many(5)).axes[0])) == 2 + len(["3 more", "training", "v"])


def test_plot_history_names_one_training_that_has_a_name(plot_history):
    plot = plot_history({"adam": RUN})
    assert legend(plot.axes[0]) == ["training: 0.5", "validation: 0.6"]
    assert plot.figure.get_suptitle() == "adam"


@pytest.mark.parametrize(
    ("metrics", "names", "counts"),
    [
        ("loss", ["loss"], [2]),
        (["accuracy"], ["accuracy"], [2]),
        (["accuracy", "loss"], ["accuracy", "loss"], [2, 2]),
        ("val_loss", ["loss"], [1]),
        (["val_loss", "loss"], ["loss"], [2]),
        (("val_accuracy", "val_loss"), ["accuracy", "loss"], [1, 1]),
    ],
    ids=str,
)
def test_plot_history_draws_the_chosen_metrics_in_their_order(plot_history, metrics, names, counts):
    plot = plot_history(RUN, metrics=metrics)
    assert [ax.get_title().split()[0] for ax in plot.axes] == names
    assert [len(ax.lines) for ax in plot.axes] == counts


def test_plot_history_draws_the_loss_first_and_the_learning_rate_last(plot_history):
    run = {"lr": [0.1, 0.01], "auc": [1, 2], "a_loss": [3, 4], "val_auc": [1, 3], "loss": [2, 1]}
    plot = plot_history(run)
    assert [ax.get_title().split()[0] for ax in plot.axes] == ["loss", "auc", "a_loss", "lr"]
    assert [ax.get_yscale() for ax in plot.axes] == ["linear"] * 3 + ["log"]
    assert legend(plot.axes[-1]) == ["lr: 0.01"]


def test_plot_history_draws_a_learning_rate_of_0_on_a_linear_axis(plot_history):
    plot = plot_history({"loss": [1, 2], "learning_rate": [0.1, 0]})
    assert plot.axes[1].get_yscale() == "linear"


def test_plot_history_leaves_gaps_for_values_that_are_not_finite_and_counts_them(
    plot_history, read_title
):
    nan, inf = float("nan"), float("inf")
    run = {**RUN, "loss": [0.9, nan, inf], "val_loss": [0.8, 0.6, nan]}
    message = "^3 of the values are NaN or infinite; they are gaps"
    with pytest.warns(UserWarning, match=message) as caught:
        plot = kerasviz.plot_history(run, figure=Figure(figsize=(9, 3)))
    assert [warning.filename for warning in caught] == [__file__]
    title = read_title(plot.axes[0])
    assert title == "loss, 3 NaN or infinite (dotted: epoch 2, lowest val_loss)"
    assert plot.axes[1].get_title() == "accuracy (dotted: epoch 2, lowest val_loss)"
    assert np.isnan(plot.axes[0].lines[0].get_ydata()[1])
    assert plot_history(run, metrics="accuracy").axes  # which is finite, so that nothing is said


LONG = {"loss": [6, 5, 4, 3, 2, 1], "val_loss": [2, 1, 3], "f1": [0.1, 0.2]}
"""Validation in every second epoch, as it seems, and a metric that was logged now and then."""


def test_plot_history_draws_assumed_epochs_apart_and_says_so(plot_history):
    plot = plot_history(LONG)
    (ax,) = plot.axes
    training, validation = ax.lines
    assert training.get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
    assert validation.get_xdata().tolist() == [2, 4, 6]
    assert to_hex(validation.get_markerfacecolor()) == "#ffffff"
    assert to_hex(training.get_markerfacecolor()) == COLORS[0]
    assert legend(ax) == ["training: 3", "validation, epochs assumed: 1"]
    assert ax.get_title().replace("\n", " ") == (
        "loss (dotted: epoch 4 (assumed), lowest val_loss) "
        "epochs of val_loss assumed (validation_freq=2), without f1: epochs unknown"
    )


def test_plot_history_names_assumed_epochs_of_several_trainings(plot_history):
    plot = plot_history({"a": LONG, "b": RUN}, metrics="loss")
    assert [line.get_xdata().tolist() for line in plot.axes[0].lines[1::2]] == [
        [2, 4, 6],
        [1, 2, 3],
    ]
    assert legend(plot.axes[0]) == [
        "a: 1 at epoch 4 (assumed)",
        "b: 0.6 at epoch 2",
        "training",
        "validation",
        "epochs assumed",
    ]


def test_plot_history_marks_no_best_epoch_without_known_epochs_of_validation(plot_history):
    plot = plot_history({"loss": [3, 2, 1], "val_loss": [1]})
    assert plot.axes[0].get_title() == "loss\nwithout val_loss: epochs unknown"
    assert [line.get_xdata().tolist() for line in plot.axes[0].lines] == [[1, 2, 3]]
    assert not marked(plot.axes[0])


@pytest.mark.parametrize("title", [False, None, "mine"])
def test_plot_history_warns_of_what_no_title_says(title):
    message = (
        r"Unknown are the epochs of \(number of values\): 'f1' \(2\). Give None for the epochs"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        plot = kerasviz.plot_history(LONG, title=title, figure=Figure(figsize=(9, 3)))
    assert [warning.filename for warning in caught] == [__file__]
    assert legend(plot.axes[0])[1] == "validation, epochs assumed: 1"


@pytest.mark.parametrize("keywords", [{"metrics": "f1"}, {"monitor": "f1"}], ids=str)
def test_plot_history_refuses_a_metric_of_unknown_epochs_with_the_reason(keywords):
    with pytest.raises(ValueError, match=r"Unknown are the epochs of .*'f1' \(2\)"):
        kerasviz.plot_history(LONG, **keywords)


@pytest.mark.slow
def test_plot_history_takes_time_in_proportion_to_the_number_of_values(plot_history):
    """The search for a frequency that fits took hours for these."""
    long = {"loss": [1.0] * 40_000, "val_loss": [1.0] * 8_000}
    loss, validation = plot_history(long).axes[0].lines
    assert len(loss.get_xdata()) == 40_000
    np.testing.assert_array_equal(validation.get_xdata(), np.arange(5, 40_001, 5))
    plot = plot_history({"loss": [1, 2], "val_loss": [1], "epoch": [0, 10**8]})
    assert plot.axes[0].lines[0].get_xdata().tolist() == [1, 10**8 + 1]


def test_plot_history_draws_names_letter_by_letter(plot_history):
    run = {"loss": [2, 1], "cost_$_$": [2, 1], "val_cost_$_$": [2, 1], "odd$": [1], "b$": [1]}
    for history, words in (
        (run, [r"cost_\$_\$ (", r"lowest val_cost_\$_\$", r"without odd\$, b\$"]),
        (
            {"$a$": run, "$b": run},
            [r"cost_\$_\$ (", r"\$a\$: 1 at", r"\$b: 1 at", r"\$a\$: without"],
        ),
    ):
        plot = plot_history(history, monitor="val_cost_$_$", mode="min")
        plot.savefig(io.BytesIO(), format="png")
        texts = [text.get_text() for text in plot.figure.findobj(Text)]
        assert all(text.count("$") == text.count(r"\$") for text in texts)
        assert all(any(word in text for text in texts) for word in words)


def test_plot_history_takes_a_title_with_a_formula(plot_history):
    plot = plot_history(RUN, metrics="loss", title=r"$\alpha = 2$")
    assert plot.axes[0].get_title() == r"$\alpha = 2$"


def test_plot_history_draws_a_single_epoch_as_a_dot(plot_history):
    ax = plot_history({"loss": [0.5], "val_loss": [0.7]}, monitor=None).axes[0]
    assert [line.get_markevery() for line in ax.lines] == [[0], [0]]
    low, high = ax.get_xlim()
    assert low < 1 < high
    assert [tick for tick in ax.get_xticks() if low < tick < high] == [1]


def test_plot_history_keeps_the_epochs_of_a_training_that_went_on(plot_history):
    ax = plot_history({"epoch": [5, 6], "loss": [2, 1]}).axes[0]
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[6, 2], [7, 1]])
    assert ax.get_title() == "loss (dotted: epoch 7, lowest loss)"


def test_plot_history_says_how_a_file_was_read(plot_history, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch;f1;loss\n0;[1];3\n1;[2];2\n0;[3];1\n")
    plot = plot_history(path)
    said = "2 trainings, counted on, without f1, no single numbers"
    assert plot.axes[0].get_title() == f"loss (dotted: epoch 3, lowest loss)\n{said}"
    np.testing.assert_array_equal(plot.axes[0].lines[0].get_ydata(), [3, 2, 1])
    several = plot_history({"a": path, "b": RUN}, metrics=["loss", "accuracy"])
    assert several.figure.get_suptitle() == (
        "a: 2 trainings, counted on, a: without f1, no single numbers"
    )


def test_plot_history_draws_into_the_callers_axes_and_figures(plot_history):
    figure = Figure(figsize=(6, 4))
    ax = figure.add_subplot()
    assert plot_history(RUN, metrics="loss", ax=ax).axes == (ax,)
    with pytest.raises(ValueError, match="`ax` takes one panel, but 2 metrics were requested"):
        kerasviz.plot_history(RUN, ax=ax)
    assert len(ax.lines) == 2
    sub = Figure(figsize=(8, 4)).subfigures(1, 2)[1]
    plot = plot_history(RUN, figure=sub)
    assert plot.figure is sub
    assert len(plot.axes) == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"metrics": "acuracy"},
            ValueError,
            "`metrics` must name metrics of the history. Did you mean 'accuracy' or "
            "'val_accuracy'? Received: 'acuracy'. There are: 'loss', 'val_loss', 'accuracy',",
        ),
        ({"metrics": []}, ValueError, "`metrics` must name at least one. Received: metrics=[]"),
        ({"metrics": 3}, TypeError, "`metrics` must be a metric's name or a list of names."),
        ({"metrics": [3]}, TypeError, "Received: metrics=[3]"),
        (
            {"monitor": "val_los"},
            ValueError,
            "`monitor` must be a metric of the history. Did you mean 'val_loss' or 'loss'? "
            "Received: monitor='val_los'",
        ),
        ({"monitor": 3}, TypeError, "`monitor` must be a metric's name, 'auto' or None."),
        ({"mode": "low"}, ValueError, "`mode` must be one of 'auto', 'min', 'max'."),
        ({"yscale": "log"}, TypeError, "Unexpected keyword argument `yscale`."),
        ({"metric": "loss"}, TypeError, "Did you mean 'metrics'"),
        ({"title": 3}, TypeError, "`title` must be a string or a bool."),
    ],
    ids=str,
)
def test_plot_history_refuses_a_mistake(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_history(RUN, **options)
    assert not plt.get_fignums()


def test_plot_history_needs_a_mode_for_a_metric_whose_name_says_nothing(plot_history):
    run = {"loss": [2, 1], "odd": [1, 2]}
    with pytest.raises(ValueError, match="`mode` must be 'min' or 'max'"):
        kerasviz.plot_history(run, monitor="odd")
    assert marked(plot_history(run, monitor="odd", mode="max").axes[0]) == [2]


@pytest.mark.parametrize("history", [{}, {"loss": []}, "nowhere.csv", keras.callbacks.History()])
def test_plot_history_refuses_what_holds_no_epoch(history):
    with pytest.raises(ValueError, match="`history` must "):
        kerasviz.plot_history(history)
    assert not plt.get_fignums()


def test_plot_history_leaves_the_history_as_it_is(plot_history, trained):
    history, path = trained
    before = {key: list(values) for key, values in history.history.items()}, path.read_bytes()
    plot_history({"a": history, "b": path})
    assert ({k: list(v) for k, v in history.history.items()}, path.read_bytes()) == before


def test_plot_history_prints_nothing(plot_history, capfd):
    plot_history(RUN).figure.canvas.draw()
    assert capfd.readouterr() == ("", "")
