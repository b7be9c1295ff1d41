"""Training on two devices."""

from __future__ import annotations

import json

import keras
import pytest

SCRIPT = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import contextlib, json
import keras, kerasviz, numpy as np, tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
images = np.random.default_rng(0).normal(size=(8, 8, 8, 1)).astype("float32")
found = {"replicas": strategy.num_replicas_in_sync}

def same_values(shown, expected):
    return bool(np.allclose(np.sort(np.ravel(shown)), np.sort(np.ravel(expected)), atol=1e-5))

def make():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="conv"),
                              keras.layers.ReLU(), keras.layers.Dropout(0.5),
                              keras.layers.Flatten(), keras.layers.Dense(2, name="dense")])
    model.compile("sgd", "mse", jit_compile=False)
    return model

def fit(model, *callbacks):
    model.fit(images, np.ones((8, 2)), batch_size=4, epochs=2, verbose=0, callbacks=callbacks)
    return model

with strategy.scope():
    plain, model = make(), make()
for each in (plain, model):
    each.get_layer("conv").set_weights([each.get_weights()[0], np.array([0, -100])])
fit(plain)
for inside in (True, False):
    shown = {}
    def keep(step, address, plot):
        shown[step, address] = np.ma.compressed(plot.images[0].get_array())
    place = f"out-{inside}"
    callbacks = [
        kerasviz.KernelSnapshots(on_plot=keep, directory=place, gif=place, log_dir=place),
        kerasviz.FeatureMapSnapshots(images, -1, every="1 batch", on_plot=keep),
    ]
    kernels = []
    witness = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda *_, **__: kernels.append(model.get_weights()[0]))
    epochs = kerasviz.WeightStatistics(
        "conv", inputs=images, csv=f"{place}.csv", log_dir=place)
    batches = kerasviz.WeightStatistics("conv", every="1 batch")
    with strategy.scope() if inside else contextlib.nullcontext():
        fit(model, *callbacks, epochs, batches, witness)
    kernel = model.get_layer("conv").get_weights()[0]
    kernels.append(kernel)
    ratios = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(kernels, kernels[1:])]
    values = model(images[:1], training=False)
    found[str(inside)] = {
        "steps": sorted(step for step, _ in shown),
        "kernel": same_values(shown[2, "conv"], kernel),
        "values": same_values(shown[4, "dense"], values),
        "rows": epochs.history["step"],
        "dead": epochs.history["dead"],
        "norm": bool(np.allclose(epochs.history["norm"][1], np.linalg.norm(kernel), rtol=1e-5)),
        "ratio": bool(np.allclose(epochs.history["update_ratio"], ratios[1::2], rtol=1e-3)),
        "ratios": bool(np.allclose(batches.history["update_ratio"], ratios, rtol=1e-3)),
    }
    if inside:
        found[str(inside)]["weights"] = all(
            map(np.array_equal, model.get_weights(), plain.get_weights())
        )
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a strategy of TensorFlow's")
def test_kernel_snapshots_work_in_a_mirrored_strategy(run_script, tmp_path):
    process = run_script(SCRIPT)
    output, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    found = json.loads(output.splitlines()[-1])
    assert found.pop("replicas") == 2
    for answers in found.values():
        assert answers.pop("steps") == [1, 1, 2, 2, 3, 4]
        assert answers.pop("rows") == [2, 4]
        assert answers.pop("dead") == [0.5, 0.5]
        assert all(answers.values()), answers
    for inside in (False, True):
        assert (tmp_path / f"out-{inside}/conv/kernels.gif").exists()
        assert list((tmp_path / f"out-{inside}/kernels").glob("events.*"))
        assert list((tmp_path / f"out-{inside}/statistics").glob("events.*"))
        assert len((tmp_path / f"out-{inside}.csv").read_text().splitlines()) == 3
