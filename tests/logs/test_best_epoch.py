"""Check which epoch `plot_history` marks as the best, also against the callbacks of Keras."""

import re

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

import kerasviz


def find_best(history, **options):
    """Return the epoch, the metric and the direction in the title, `None` where there is none."""
    plot = kerasviz.plot_history(history, figure=Figure(), **options)
    title = " ".join(plot.panels[0].title.split())
    match = re.search(r"\(dotted: epoch (\d+), (lowest|highest) (\w+)\)", title)
    assert bool(match) == ("dotted" in title)
    return match and (int(match[1]), match[3], {"lowest": "min", "highest": "max"}[match[2]])


def guess_direction(name):
    """Return what is good of a metric by its name, `None` where `mode` has to say it."""
    try:
        epoch, monitor, direction = find_best({name: [1, 2]}, monitor=name)
    except ValueError as error:
        if "`mode` must be 'min' or 'max'" in str(error):
            return None
        raise
    assert (epoch, monitor) == ({"min": 1, "max": 2}[direction], name)
    return direction


@pytest.mark.few(5)
@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("decoder_loss", "min"),
        ("val_dice_loss", "min"),
        ("mae", "min"),
        ("mean_squared_error", "min"),
        ("sparse_categorical_crossentropy", "min"),
        ("kl_divergence", "min"),
        ("squared_hinge", "min"),
        ("false_positives", "min"),
        ("log_cosh", "min"),
        ("acc", "max"),
        ("accuracy", "max"),
        ("val_head_binary_accuracy", "max"),
        ("top_k_categorical_accuracy", "max"),
        ("auc", "max"),
        ("AUC", "max"),
        ("auc_3", "max"),
        ("precision_1", "max"),
        ("recall_at_precision", "max"),
        ("f1_score", "max"),
        ("fbeta_score", "max"),
        ("r2_score", "max"),
        ("mean_io_u", "max"),
        ("one_hot_iou", "max"),
        ("cosine_similarity", "max"),
        ("pearson_correlation", "max"),
        ("true_positives", "max"),
        ("sensitivity_at_specificity", "max"),
        ("learning_rate", None),
        ("my_metric", None),
        ("error_score", None),
        ("vaccine", None),
    ],
)
def test_plot_history_knows_by_its_name_whether_a_metric_should_fall_or_rise(name, direction):
    assert guess_direction(name) == direction


@pytest.mark.slow
def test_plot_history_knows_the_direction_of_every_metric_of_keras_or_none():
    """Keras itself knows the direction of most metrics, though it does not say so in public."""
    compared = 0
    for name in dir(keras.metrics):
        try:
            metric = getattr(keras.metrics, name)()
        except Exception:  # one that needs arguments, or no metric at all
            continue
        direction = getattr(metric, "_direction", None)
        guess = guess_direction(getattr(metric, "name", ""))
        if direction in ("up", "down") and guess is not None:
            compared += 1
            assert guess == {"up": "max", "down": "min"}[direction], metric.name
    assert compared > 20


GAPS = "ignore:.*are NaN or infinite; they are gaps"


@pytest.mark.few(4)
@pytest.mark.filterwarnings(GAPS)
@pytest.mark.parametrize(
    ("series", "monitor", "mode", "best"),
    [
        ({"loss": [3, 1, 2], "val_loss": [3, 2, 1]}, "auto", "auto", (3, "val_loss", "min")),
        ({"loss": [3, 1, 2]}, "auto", "auto", (2, "loss", "min")),
        ({"loss": [3, 1, 1]}, "auto", "auto", (2, "loss", "min")),
        ({"accuracy": [0.1, 0.9, 0.9]}, "accuracy", "auto", (2, "accuracy", "max")),
        ({"accuracy": [0.1, 0.9, 0.3]}, "accuracy", "min", (1, "accuracy", "min")),
        ({"odd": [1, 5, 3]}, "odd", "max", (2, "odd", "max")),
        ({"loss": [np.nan, -np.inf, 2, np.inf]}, "auto", "auto", (3, "loss", "min")),
        ({"loss": [np.nan, np.nan]}, "auto", "auto", None),
        ({"mae": [1, 2]}, "auto", "auto", None),
        ({"loss": [3, 2, 1], "val_loss": [1]}, "auto", "auto", None),
        ({"loss": [2, 1, 3], "val_loss": [None, 2, 3]}, "val_loss", "auto", (2, "val_loss", "min")),
    ],
    ids=str,
)
def test_plot_history_finds_the_best_epoch(series, monitor, mode, best):
    assert find_best(series, monitor=monitor, mode=mode) == best


def test_plot_history_finds_no_best_epoch_by_a_metric_that_was_not_recorded():
    runs = {"a": {"loss": [1, 2]}, "b": {"loss": [2, 1], "accuracy": [1, 2]}}
    plot = kerasviz.plot_history(runs, monitor="accuracy", figure=Figure())
    names = [text.get_text() for text in plot.axes[0].get_legend().get_texts()]
    assert names == ["a", "b: 1 at epoch 2"]


def test_plot_history_needs_a_mode_where_a_name_says_nothing():
    message = "`mode` must be 'min' or 'max', since the name 'odd' does not tell whether high"
    with pytest.raises(ValueError, match=message):
        kerasviz.plot_history({"odd": [1, 2]}, monitor="odd")


def test_plot_history_finds_the_epoch_whose_weights_early_stopping_restores(
    keras_fit, make_model, data, tmp_path
):
    """With steps that become so long that the loss rises again."""
    model = make_model()
    longer = keras.callbacks.LearningRateScheduler(lambda epoch: 0.05 if epoch < 3 else 2.0)
    path = tmp_path / "best.weights.h5"
    checkpoint = keras.callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True)
    history = keras_fit(model, data, epochs=5, callbacks=[checkpoint, longer])
    epoch, _, _ = find_best(history)
    assert epoch == 3
    model.load_weights(path)
    kept = model.evaluate(*data, verbose=0)[0]
    assert kept == pytest.approx(history.history["val_loss"][epoch - 1], rel=1e-4)
