"""TensorBoard's event files, read back."""

from __future__ import annotations

import importlib.util
import io
import re
import shutil
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from kerasviz import FeatureMapSnapshots, KernelSnapshots

HAS_TENSORFLOW = importlib.util.find_spec("tensorflow") is not None
needs_tensorflow = pytest.mark.skipif(not HAS_TENSORFLOW, reason="TensorFlow is not installed")

pytestmark = pytest.mark.filterwarnings(
    # Keras's own warning on PyTorch, ignored everywhere; `pytest.warns` sends it on without
    # Keras's name.
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)


@pytest.fixture
def read_events():
    """Return the PNG files of a folder of event files, by tag and step."""

    def read(folder):
        import tensorflow as tf

        found = {}
        for path in sorted(folder.glob("events.*")):
            for record in tf.data.TFRecordDataset(str(path)):
                event = tf.compat.v1.Event.FromString(record.numpy())
                for value in event.summary.value:
                    assert value.metadata.plugin_data.plugin_name == "images"
                    width, height, *pngs = value.tensor.string_val
                    (png,) = pngs
                    assert (value.tag, event.step) not in found
                    found[value.tag, event.step] = png
                    with Image.open(io.BytesIO(png)) as picture:
                        assert picture.size == (int(width), int(height))
        return found

    return read


@pytest.fixture
def wide_model():
    """A model whose kernels have 64 input channels, which Keras's own callback leaves out."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(64, 3, name="first"),
            keras.layers.Conv2D(5, 2, name="second"),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    model.compile("sgd", "mse")
    return model


@needs_tensorflow
def test_kernel_snapshots_write_one_image_per_kernel_and_step(
    wide_model, fit, images, tmp_path, read_events
):
    fit(
        wide_model,
        KernelSnapshots(log_dir=tmp_path, directory=tmp_path / "png"),
        FeatureMapSnapshots(images, log_dir=str(tmp_path)),
    )
    found = read_events(tmp_path / "kernels")
    assert set(found) == {(f"{name}/kernels", n) for name in ("first", "second") for n in (1, 2)}
    for (tag, step), png in found.items():
        name = tag.split("/")[0]
        assert png == (tmp_path / f"png/{name}/kernels-epoch-{step:04d}.png").read_bytes()
    found = read_events(tmp_path / "feature_maps")
    assert set(found) == {(f"{n}/feature_maps", i) for n in ("first", "second") for i in (1, 2)}


@pytest.mark.slow
@needs_tensorflow
def test_kernel_snapshots_count_on_in_a_second_run(model, fit, tmp_path, read_events):
    callback = KernelSnapshots("first", log_dir=tmp_path, every="2 batches")
    fit(model, callback, epochs=1)
    fit(model, callback, epochs=2, initial_epoch=1)
    fit(model, KernelSnapshots("first", log_dir=tmp_path), epochs=10, initial_epoch=9)
    steps = [step for _, step in read_events(tmp_path / "kernels")]
    assert steps == [2, 4, 6, 10]


@needs_tensorflow
def test_kernel_snapshots_write_images_that_tensorboard_reads(wide_model, fit, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    log_dir = tmp_path / "run"
    board = keras.callbacks.TensorBoard(log_dir, update_freq=2, write_images=True, histogram_freq=1)
    fit(wide_model, board, KernelSnapshots(log_dir=log_dir, every="1 batch"))
    assert {path.name for path in log_dir.iterdir()} == {"train", "kernels"}
    events = EventAccumulator(str(log_dir / "kernels")).Reload()
    assert set(events.Tags()["tensors"]) == {"first/kernels", "second/kernels"}
    for tag in events.Tags()["tensors"]:
        assert events.SummaryMetadata(tag).plugin_data.plugin_name == "images"
        found = events.Tensors(tag)
        assert [event.step for event in found] == [1, 2, 3, 4, 5, 6]
        for event in found:
            assert make_ndarray(event.tensor_proto).shape == (3,)


@pytest.mark.slow
@needs_tensorflow
def test_kernel_snapshots_write_images_where_recording_is_switched_off_for_others(
    model, fit, tmp_path, read_events
):
    import tensorflow as tf

    with tf.summary.record_if(False):
        fit(model, KernelSnapshots("first", log_dir=tmp_path))
    assert len(read_events(tmp_path / "kernels")) == 2


@pytest.mark.slow
@needs_tensorflow
def test_kernel_snapshots_warn_of_a_log_folder_that_vanishes_and_go_on(model, fit, tmp_path):
    log_dir = tmp_path / "run"

    def vanish(epoch, _):
        if epoch == 1:
            shutil.rmtree(log_dir)

    vanisher = keras.callbacks.LambdaCallback(on_epoch_begin=vanish)
    with pytest.warns(UserWarning, match="`log_dir` can no longer be written") as caught:
        fit(model, vanisher, KernelSnapshots("first", log_dir=log_dir), epochs=4)
    assert len([w for w in caught if w.category is UserWarning]) == 1
    assert not log_dir.exists()


@needs_tensorflow
def test_kernel_snapshots_refuse_a_log_folder_that_cannot_be_written_to(model, fit, tmp_path):
    (tmp_path / "file").write_text("")
    before = model.get_weights()
    message = "`log_dir` must be a folder that can be written to"
    with pytest.raises(OSError, match=message):
        fit(model, KernelSnapshots(log_dir=tmp_path / "file"))
    for weight, same in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)


def test_kernel_snapshots_need_tensorflow_for_a_log_before_training(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    message = "`log_dir` needs TensorFlow, which writes TensorBoard's files: pip install tensorflow"
    with pytest.raises(ImportError, match=re.escape(message)):
        KernelSnapshots(log_dir=tmp_path)
