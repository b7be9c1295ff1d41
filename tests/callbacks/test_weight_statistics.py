"""A network in numbers while it is trained."""

from __future__ import annotations

import copy
import csv
import importlib.util
import math
import pathlib
import pickle
import re
import shutil
import warnings

import keras
import numpy as np
import pytest

import kerasviz
from kerasviz import WeightStatistics

BACKEND = keras.backend.backend()
HAS_TENSORFLOW = importlib.util.find_spec("tensorflow") is not None
needs_tensorflow = pytest.mark.skipif(not HAS_TENSORFLOW, reason="TensorFlow is not installed")
COLUMNS = ["epoch", "step", "layer", "mean", "std", "norm", "update_ratio", "dead"]
layers = keras.layers
keras_on_torch = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


class Witness(keras.callbacks.Callback):
    """Keeps the kernel of a layer before each call of the training step, and after each epoch."""

    def __init__(self, name="first"):
        super().__init__()
        self.name = name
        self.batches = []
        self.before = []
        self.after_epoch = []

    def kernel(self):
        return np.array(self.model.get_layer(self.name).get_weights()[0], "float64")

    def on_train_batch_begin(self, batch, **_):
        self.batches.append(batch)
        self.before.append(self.kernel())

    def on_epoch_end(self, *_, **__):
        self.after_epoch.append(self.kernel())


def approx(number):
    return pytest.approx(number, rel=1e-4)


def ratio(before, after):
    return np.linalg.norm(after - before) / np.linalg.norm(before)


def column(callback, name, layer="first"):
    """Return what was written down of a layer."""
    history = callback.history
    pairs = zip(history["layer"], history[name], strict=True)
    return [value for address, value in pairs if address == layer]


def read_csv(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


# The numbers


def check_moments(callback, kernels):
    for name, compute in (("mean", np.mean), ("std", np.std), ("norm", np.linalg.norm)):
        expected = [compute(kernel.ravel()) for kernel in kernels]
        np.testing.assert_allclose(column(callback, name), expected, rtol=1e-6)


def test_weight_statistics_of_each_epoch_are_those_of_numpy(model, fit):
    callback, witness = WeightStatistics(), Witness()
    fit(model, callback, witness, epochs=3)
    assert list(callback.history) == COLUMNS
    assert callback.history["layer"] == ["first", "second"] * 3
    assert column(callback, "epoch") == [1, 2, 3]
    assert column(callback, "step") == [3, 6, 9]
    assert column(callback, "dead") == [None] * 3
    check_moments(callback, witness.after_epoch)
    last_steps = zip(witness.before[2::3], witness.after_epoch, strict=True)
    expected = [ratio(before, after) for before, after in last_steps]
    np.testing.assert_allclose(column(callback, "update_ratio"), expected, rtol=1e-4)
    assert len(set(expected)) == 3


@pytest.mark.few(2)
@pytest.mark.parametrize("count", [1, 2, 4])
def test_weight_statistics_of_batches_are_those_of_numpy(model, fit, count):
    callback, witness = WeightStatistics(every=f"{count} batches"), Witness()
    fit(model, callback, witness, epochs=3)
    steps = [*range(count, 10, count)]
    kernels = [*witness.before, witness.after_epoch[-1]]  # after so many steps
    assert column(callback, "step") == steps
    assert column(callback, "epoch") == [math.ceil(step / 3) for step in steps]
    check_moments(callback, [kernels[step] for step in steps])
    expected = [ratio(kernels[step - 1], kernels[step]) for step in steps]
    np.testing.assert_allclose(column(callback, "update_ratio"), expected, rtol=1e-4)


def test_weight_statistics_are_those_of_kernel_statistics(model, fit):
    callback = WeightStatistics(["second", "first"])
    fit(model, callback, epochs=1)
    for row in kerasviz.kernel_statistics(model):
        for name in ("mean", "std", "norm"):
            assert column(callback, name, row.address) == [pytest.approx(getattr(row, name))]


def test_weight_statistics_of_every_second_epoch(model, fit):
    callback, witness = WeightStatistics(every=2), Witness()
    fit(model, callback, witness, epochs=5)
    assert column(callback, "epoch") == [2, 4]
    assert column(callback, "step") == [6, 12]
    check_moments(callback, witness.after_epoch[1::2])
    expected = [ratio(witness.before[k], witness.before[k + 1]) for k in (5, 11)]
    np.testing.assert_allclose(column(callback, "update_ratio"), expected, rtol=1e-4)


@pytest.mark.few(2)
@pytest.mark.skipif(BACKEND == "torch", reason="Keras on PyTorch has only 1")
@pytest.mark.parametrize(
    ("every", "batch_size", "steps", "in_a_call"),
    [(1, 4, [3, 6], 1), (1, 3, [4, 8], 2), ("4 batches", 3, [4, 8], 2)],
    ids=["one step is left for the last call", "epochs", "batches"],
)
def test_weight_statistics_of_a_call_that_stands_for_several_steps(
    make_model, images, every, batch_size, steps, in_a_call
):
    model = make_model(steps_per_execution=2)
    callback, witness = WeightStatistics(every=every), Witness()
    model.fit(
        images, np.ones((12, 2)), batch_size, epochs=2, verbose=0, callbacks=[callback, witness]
    )
    kernels = [*witness.before, witness.after_epoch[-1]]
    assert len(kernels) == 5
    assert column(callback, "step") == steps
    expected = [ratio(kernels[k], kernels[k + 1]) / in_a_call for k in (1, 3)]
    np.testing.assert_allclose(column(callback, "update_ratio"), expected, rtol=1e-4)


@pytest.mark.few(1)
@pytest.mark.parametrize("loss_scale", [False, True])
def test_weight_statistics_of_gradients_that_are_gathered(make_model, images, loss_scale):
    model = make_model()
    optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=3)
    if loss_scale:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0)
    model.compile(optimizer, "mse")
    callback, witness = WeightStatistics(), Witness()
    model.fit(images, np.ones((12, 2)), 2, epochs=2, verbose=0, callbacks=[callback, witness])
    assert np.array_equal(witness.before[0], witness.before[2])
    expected = [ratio(witness.before[k], witness.after_epoch[k // 6]) for k in (3, 9)]
    assert min(expected) > 0
    np.testing.assert_allclose(column(callback, "update_ratio"), expected, rtol=1e-4)


RAN_OUT = pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")
"""What Keras says at the end of data whose length it does not know."""


@RAN_OUT
def test_weight_statistics_of_data_whose_length_keras_does_not_know(model, images):
    def fit(callback, witness):
        batches = ((images[k : k + 4], np.ones((4, 2))) for k in range(0, 12, 4))
        model.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=[callback, witness])

    callback, witness = WeightStatistics(), Witness()
    fit(callback, witness)
    fit(callback, witness)
    assert column(callback, "step") == [3, 6]
    assert column(callback, "update_ratio") == [None, None]
    check_moments(callback, witness.after_epoch)
    callback, witness = WeightStatistics(every="3 batches"), Witness()
    fit(callback, witness)
    expected = ratio(witness.before[2], witness.after_epoch[0])
    assert column(callback, "update_ratio") == [approx(expected)]


@RAN_OUT
@needs_tensorflow
def test_weight_statistics_know_the_length_after_an_epoch(model, images):
    import tensorflow as tf

    def batches():
        yield from ((images[k : k + 4], np.ones((4, 2))) for k in range(0, 12, 4))

    specs = tf.TensorSpec((4, 8, 8, 1), "float32"), tf.TensorSpec((4, 2), "float32")
    data = tf.data.Dataset.from_generator(batches, output_signature=specs)
    callback, witness = WeightStatistics(), Witness()
    model.fit(data, epochs=3, shuffle=False, verbose=0, callbacks=[callback, witness])
    assert column(callback, "step") == [3, 6, 9]
    begun = zip(witness.batches, witness.before, strict=True)
    last = [kernel for batch, kernel in begun if batch == 2]
    expected = list(map(ratio, last[1:], witness.after_epoch[1:]))
    assert column(callback, "update_ratio") == [None, *map(approx, expected)]


def test_weight_statistics_of_an_epoch_that_is_cut_short(model, fit):
    def stop(batch, **_):
        model.stop_training = batch == 1

    callback = WeightStatistics()
    fit(model, keras.callbacks.LambdaCallback(on_train_batch_end=stop), callback)
    assert column(callback, "step") == [2]
    assert column(callback, "update_ratio") == [None]


def test_weight_statistics_of_a_layer_that_is_not_trained(model, fit):
    model.get_layer("first").trainable = False
    model.compile("sgd", "mse")
    callback = WeightStatistics()
    fit(model, callback)
    assert column(callback, "update_ratio") == [0, 0]
    assert min(column(callback, "update_ratio", "second")) > 0


def test_weight_statistics_have_no_ratio_of_a_kernel_of_zeros(model, fit):
    first = model.get_layer("first")
    first.set_weights([np.zeros((3, 3, 1, 3)), np.zeros(3)])
    first.trainable = False
    model.compile("sgd", "mse")
    callback = WeightStatistics()
    fit(model, callback, epochs=1)
    assert math.isnan(column(callback, "update_ratio")[0])
    assert column(callback, "norm") == [0]


def test_weight_statistics_count_the_dead_filters_of_the_layers_themselves(model, fit, images):
    seen = []

    def look(epoch, _):
        inside = model.get_layer("first")(images)
        maps = keras.ops.convert_to_numpy(model.get_layer("second")(inside)).reshape(-1, 5)
        seen.append(np.mean((maps == maps[0]).all(axis=0)))
        kernel, bias = model.get_layer("second").get_weights()
        bias = np.array(bias)
        bias[epoch * 2] = -100  # one filter more dies before the next epoch
        model.get_layer("second").set_weights([kernel, bias])

    callback = WeightStatistics(inputs=images, batch_size=5)
    fit(model, callback, keras.callbacks.LambdaCallback(on_epoch_end=look), epochs=3)
    assert column(callback, "dead", "second") == seen == [0, 0.2, 0.4]
    assert column(callback, "dead") == [0, 0, 0]


@keras_on_torch
def test_weight_statistics_are_nan_where_weights_are_not_finite_and_warn_once(model, fit):
    def spoil(epoch, _):
        if epoch == 1:
            kernel, bias = model.get_layer("first").get_weights()
            kernel = np.array(kernel)
            kernel[1, 1] = np.inf
            model.get_layer("first").set_weights([kernel, bias])

    spoiler = keras.callbacks.LambdaCallback(on_epoch_begin=spoil)
    callback = WeightStatistics("first")
    with pytest.warns(UserWarning, match=r"At epoch 2, weights of 'first' are NaN") as caught:
        fit(model, spoiler, callback, epochs=4)
    assert len([w for w in caught if w.category is UserWarning]) == 1
    for name in ("mean", "std", "norm", "update_ratio"):
        assert np.isfinite(column(callback, name)).tolist() == [True, False, False, False]


# Which layers


class Scaled(layers.Layer):
    """A layer of one's own, with a kernel."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, inputs):
        return inputs * self.kernel


def test_weight_statistics_of_every_layer_with_a_kernel(fit):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.SeparableConv2D(2, 3, name="separable"),
            layers.Conv2DTranspose(2, 3, name="transpose"),
            Scaled(name="scaled"),
            layers.Flatten(),
            layers.Dense(2, name="dense"),
        ]
    )
    model.compile("sgd", "mse")
    names = ["separable", "separable/pointwise", "transpose", "scaled", "dense"]
    callback = WeightStatistics(names)
    fit(model, callback, epochs=1)
    assert callback.history["layer"] == names
    kernels = [weight for weight in model.get_weights() if weight.shape not in ((2,), (1,))]
    kernels.insert(3, model.get_layer("scaled").get_weights()[0])
    expected = [np.linalg.norm(np.ravel(kernel)) for kernel in kernels]
    np.testing.assert_allclose(callback.history["norm"], expected, rtol=1e-6)
    assert min(callback.history["update_ratio"]) > 0


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("frist", "No such layer in the model '.*': 'frist'. Did you mean 'first'"),
        ("flatten*", "`layer` must match a layer with a kernel, .* 'flatten.*' matches none"),
        (keras.layers.LSTM, "Nothing in the model"),
    ],
)
def test_weight_statistics_refuse_a_wrong_layer_before_the_first_step(
    model, fit, tmp_path, layer, message
):
    witness = Witness()
    with pytest.raises(ValueError, match=message):
        fit(model, WeightStatistics(layer, csv=tmp_path / "new/file.csv"), witness)
    assert not witness.before
    assert not list(tmp_path.iterdir())


def test_weight_statistics_refuse_inputs_that_do_not_fit_before_the_first_step(model, fit, images):
    witness = Witness()
    with pytest.raises(ValueError, match=r"`inputs` must have the shape \(samples, 8, 8, 1\)"):
        fit(model, WeightStatistics(inputs=images[:, :5]), witness)
    assert not witness.before


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"every": 0}, ValueError, "`every` must be a positive integer"),
        ({"every": "2 btaches"}, ValueError, "Did you mean '2 batches'"),
        ({"csv": 3}, TypeError, "`csv` must be a path. Received: csv=3"),
        ({"log_dir": True}, TypeError, "`log_dir` must be a path"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be a positive integer"),
        ({"batch_size": True}, ValueError, "`batch_size` must be a positive integer"),
        ({"batch_size": np.True_}, ValueError, "`batch_size` must be a positive integer"),
        ({"inputs": "cat.jpg"}, TypeError, "`inputs`"),
        ({"inputs": pathlib.Path("cat.jpg")}, TypeError, "`inputs`"),
        ({"inputs": (batch for batch in [1])}, TypeError, "`inputs`"),
        ({"inputs": keras.KerasTensor((None, 8, 8, 1))}, TypeError, "`inputs`"),
    ],
)
def test_weight_statistics_refuse_a_mistake_at_once(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        WeightStatistics(**options)


def test_weight_statistics_of_a_nested_model(fit, images):
    encoder = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(2, 3, activation="relu", name="conv")],
        name="encoder",
    )
    inputs = keras.Input((8, 8, 1))
    both = layers.concatenate([encoder(inputs), encoder(-inputs)])
    model = keras.Model(inputs, layers.Dense(2, name="dense")(layers.Flatten()(both)))
    model.compile("sgd", "mse")
    callback = WeightStatistics(["encoder/conv", "dense"], inputs=images)
    fit(model, callback)
    assert callback.history["layer"] == ["encoder/conv", "dense"] * 2
    kernel = encoder.get_weights()[0]
    assert column(callback, "norm", "encoder/conv")[1] == pytest.approx(np.linalg.norm(kernel))
    assert column(callback, "dead", "encoder/conv") == [0, 0]
    assert min(column(callback, "update_ratio", "encoder/conv")) > 0


@pytest.mark.few(2)
@pytest.mark.parametrize("every", [1, "1 batch"])
@pytest.mark.parametrize("name", ["conv", "late"])
def test_weight_statistics_of_a_subclassed_model_that_was_never_built(
    subclassed, fit, images, every, name
):
    model = subclassed(name)
    callback = WeightStatistics(name, inputs=images, every=every)
    fit(model, callback, epochs=1)
    assert column(callback, "step", name) == ([3] if every == 1 else [1, 2, 3])
    layer = model.first if name == "conv" else model.first.late
    norm = np.linalg.norm(layer.get_weights()[0])
    assert column(callback, "norm", name)[-1] == pytest.approx(norm)
    assert column(callback, "update_ratio", name)[-1] > 0
    assert set(column(callback, "dead", name)) == {0}


def test_weight_statistics_refuse_a_typo_in_a_model_that_was_never_built(subclassed, fit):
    model, witness = subclassed("conv"), Witness()
    with pytest.raises(ValueError, match=r"No such layer.*Did you mean 'conv'"):
        fit(model, WeightStatistics("cnov"), witness)
    assert not witness.before


@pytest.mark.slow
def test_weight_statistics_of_half_precision(fit, images):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(3, 3, name="first", dtype="mixed_float16"),
            layers.Conv2D(3, 3, name="second", dtype="float16"),
            layers.Flatten(),
            layers.Dense(2, dtype="float32"),
        ]
    )
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01), 2.0), "mse")
    callback = WeightStatistics(inputs=images)
    fit(model, callback, epochs=1)
    for name in ("first", "second"):
        norm = np.linalg.norm(np.array(model.get_layer(name).get_weights()[0], "float64"))
        assert column(callback, "norm", name) == [pytest.approx(norm)]
    assert column(callback, "dead") == [0]
    assert column(callback, "update_ratio")[0] > 0


# Where they go


def test_weight_statistics_write_the_history_to_the_file(model, fit, images, tmp_path):
    path = tmp_path / "new/statistics.csv"
    callback = WeightStatistics(inputs=images, csv=path)
    fit(model, callback)
    rows = read_csv(path)
    assert list(rows[0]) == COLUMNS
    for name in COLUMNS:
        found = [row[name] if name == "layer" else float(row[name]) for row in rows]
        assert found == callback.history[name]
    assert {row["dead"] for row in rows} == {"0.0"}


def test_weight_statistics_leave_empty_what_was_not_measured(model, fit, tmp_path):
    fit(model, WeightStatistics(csv=str(tmp_path / "a.csv")), epochs=1)
    assert {row["dead"] for row in read_csv(tmp_path / "a.csv")} == {""}


@pytest.mark.few(2)
@pytest.mark.parametrize("every", [1, "3 batches"])
@pytest.mark.parametrize("other", [True, False], ids=["another callback", "the same callback"])
def test_weight_statistics_count_on_in_a_second_run(model, fit, tmp_path, other, every):
    path = tmp_path / "a.csv"
    callback = WeightStatistics("first", every=every, csv=path)
    fit(model, callback)
    before = path.read_bytes()
    if other:
        callback = WeightStatistics("first", every=every, csv=path)
    fit(model, callback)
    fit(model, callback, epochs=8, initial_epoch=7)
    assert path.read_bytes().startswith(before)
    rows = read_csv(path)
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4, 8]
    assert [int(row["step"]) for row in rows] == [3, 6, 9, 12, 24]


@pytest.mark.slow
@keras_on_torch
def test_weight_statistics_warn_of_a_fresh_model_and_the_file_of_another(make_model, fit, tmp_path):
    path = tmp_path / "a.csv"
    fit(make_model(), WeightStatistics("first", csv=path))
    message = "WeightStatistics goes on from epoch 2 of an earlier training, in csv='.*a.csv', but"
    with pytest.warns(UserWarning, match=message):
        fit(make_model(), WeightStatistics("first", csv=path))
    callback = WeightStatistics("first")
    fit(make_model(), callback)
    with pytest.warns(UserWarning, match="of an earlier training, in its `history`, but the"):
        fit(make_model(), callback)


def test_weight_statistics_of_a_run_that_begins_later(model, fit):
    callback = WeightStatistics("first")
    fit(model, callback, epochs=5, initial_epoch=3)
    assert column(callback, "epoch") == [4, 5]
    assert column(callback, "step") == [12, 15]


def test_weight_statistics_refuse_a_file_of_something_else_before_the_first_step(
    model, fit, tmp_path
):
    path, witness = tmp_path / "log.csv", Witness()
    fit(model, keras.callbacks.CSVLogger(path))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="`csv` must be a new file, or one that"):
        fit(model, WeightStatistics(csv=path), witness)
    assert not witness.before
    assert path.read_bytes() == before


def test_weight_statistics_refuse_a_file_that_cannot_be_written_to_before_training(
    model, fit, tmp_path
):
    witness = Witness()
    with pytest.raises(OSError, match="`csv` must be a file that can be written to"):
        fit(model, WeightStatistics(csv=tmp_path), witness)
    assert not witness.before


@pytest.mark.slow
@keras_on_torch
def test_weight_statistics_warn_of_a_folder_that_vanishes_and_go_on(model, fit, at_epoch, tmp_path):
    folder = tmp_path / "gone"
    callback = WeightStatistics("first", csv=folder / "a.csv")
    message = "`csv` can no longer be written; training continues without it"
    with pytest.warns(UserWarning, match=message) as caught:
        fit(model, at_epoch(2, lambda: shutil.rmtree(folder)), callback, epochs=5)
    assert len([w for w in caught if w.category is UserWarning]) == 1
    assert column(callback, "epoch") == [1, 2, 3, 4, 5]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@keras_on_torch
def test_weight_statistics_go_on_when_a_full_disk_has_room_again(
    model, fit, at_epoch, tmp_path, disk
):
    callback = WeightStatistics("first", csv=tmp_path / "a.csv")
    with pytest.warns(UserWarning, match=r"`csv` .*No space left on device") as caught:
        fit(model, at_epoch(1, disk.set), at_epoch(3, disk.clear), callback, epochs=4)
    assert len([w for w in caught if w.category is UserWarning]) == 1
    assert [row["epoch"] for row in read_csv(tmp_path / "a.csv")] == ["1", "4"]


@needs_tensorflow
def test_weight_statistics_give_scalars_to_tensorboard(model, fit, images, tmp_path):
    import tensorflow as tf

    callback = WeightStatistics(inputs=images, log_dir=tmp_path)
    fit(model, callback)
    later = WeightStatistics("first", log_dir=tmp_path)
    fit(model, later, epochs=3, initial_epoch=2)
    assert [path.name for path in tmp_path.iterdir()] == ["statistics"]
    found = {}
    for path in sorted((tmp_path / "statistics").iterdir()):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name in ("scalars", "")
                found.setdefault(value.tag, {})[event.step] = tf.make_ndarray(value.tensor).item()
    names = COLUMNS[3:]
    assert set(found) == {f"{name}/{layer}" for name in names for layer in ("first", "second")}
    for name in names:
        numbers = column(callback, name) + [x for x in column(later, name) if x is not None]
        expected = dict(enumerate(numbers, start=1))
        assert found[f"{name}/first"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
@keras_on_torch
@needs_tensorflow
def test_weight_statistics_warn_of_a_log_that_vanishes(model, fit, at_epoch, tmp_path):
    log_dir = tmp_path / "run"
    vanish = at_epoch(1, lambda: shutil.rmtree(log_dir))
    with pytest.warns(UserWarning, match="`log_dir` can no longer be written") as caught:
        fit(model, vanish, WeightStatistics(log_dir=log_dir), epochs=4)
    assert len([w for w in caught if w.category is UserWarning]) == 1
    assert not log_dir.exists()


# What does not change


def test_weight_statistics_do_nothing_at_batches_where_epochs_count():
    assert WeightStatistics().async_safe
    assert not WeightStatistics(every="1 batch").async_safe


@pytest.mark.slow
def test_weight_statistics_work_in_a_thread(model, fit, images, tmp_path, in_thread):
    in_thread(lambda: fit(model, WeightStatistics(inputs=images, csv=tmp_path / "a.csv")))
    assert len(read_csv(tmp_path / "a.csv")) == 4


@pytest.mark.slow
def test_weight_statistics_can_be_copied_before_and_after_training(model, fit, images, tmp_path):
    callback = WeightStatistics(inputs=images, csv=tmp_path / "a.csv")
    fit(model, copy.deepcopy(callback), epochs=1)
    fit(model, callback, epochs=1)
    callback.set_model(None)
    fit(model, pickle.loads(pickle.dumps(callback)), epochs=1)
    assert [row["epoch"] for row in read_csv(tmp_path / "a.csv")] == ["1", "1", "2", "2", "3", "3"]


@pytest.mark.slow
def test_weight_statistics_print_nothing(model, fit, images, tmp_path, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="__array__ implementation", module="keras")
        fit(model, WeightStatistics(inputs=images, csv=tmp_path / "a.csv"))
    assert capfd.readouterr() == ("", "")


def test_weight_statistics_work_in_a_loop_of_ones_own(model, own_loop):
    callback = WeightStatistics("first")
    own_loop(model, callback)
    assert column(callback, "step") == [3, 6]
    assert column(callback, "update_ratio") == [None, 0]
