"""Principal patterns keep their signs from frame to frame."""

import keras
import numpy as np
import pytest

import kerasviz
import training

FILTERS = 4
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


@pytest.fixture
def make_kernel(rng):
    """Make kernels of one pattern each, whose loadings sum to nearly nothing, at either side."""
    mix = rng.normal(size=(64, FILTERS))
    mix -= mix.mean(axis=0)
    patterns = rng.normal(size=(3, 3, FILTERS))

    def make(offset):
        return (patterns[:, :, None] * (mix + offset)[None, None]).astype("float32")

    return make


class Weights(keras.callbacks.Callback):
    """Sets the kernel of the first layer at the end of each epoch."""

    def __init__(self, kernels):
        super().__init__()
        self.kernels = kernels

    def on_epoch_end(self, epoch, _logs=None):
        self.model.layers[0].set_weights([self.kernels[epoch]])


@pytest.fixture
def train():
    """Train a model that has these kernels after its epochs."""
    model = keras.Sequential(
        [keras.Input((4, 4, 64)), keras.layers.Conv2D(FILTERS, 3, use_bias=False, name="c")]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    x, y = np.zeros((2, 4, 4, 64), "float32"), np.zeros((2, 2, 2, FILTERS), "float32")

    def train(kernels, callback):
        callbacks = [Weights(kernels), callback]
        training.train(model, x, y, callbacks, epochs=len(kernels))

    return train


class Album(list):
    """Keeps the panel of each picture."""

    def __call__(self, _number, _address, plot):
        self.extend(plot.panels)

    @property
    def frames(self):
        return [panel.values.ravel().astype("float64") for panel in self]

    def pattern(self, step, index):
        """Return what a picture shows of a filter."""
        panel = self[step]
        return panel.values[panel.indices.tolist().index(index)].ravel()


def cosine(first, second):
    return first @ second / np.linalg.norm(first) / np.linalg.norm(second)


@pytest.fixture
def by_default(closing):
    """Return the patterns of a kernel that nothing was drawn of before, as `plot_kernels` does."""

    def patterns(kernel):
        *size, channels, filters = kernel.shape
        layer = keras.layers.Conv2D(filters, size, use_bias=False)
        model = keras.Sequential([keras.Input((*size, channels)), layer])
        model.set_weights([kernel])
        return closing(kerasviz.plot_kernels)(model).panels[0].values.astype("float64")

    return patterns


def test_kernel_snapshots_hardly_change_where_the_kernel_hardly_changed(
    train, make_kernel, by_default
):
    kernels = [make_kernel(1e-3 * (-1) ** step) for step in range(4)]
    first, second = (by_default(kernel).ravel() for kernel in kernels[:2])
    assert cosine(first, second) < -0.99  # which is the trouble
    album = Album()
    train(kernels, kerasviz.KernelSnapshots("c", on_plot=album))
    assert len(album) == 4
    for frame in album.frames:
        assert cosine(frame, album.frames[0]) > 0.99
    # The first is as plot_kernels draws it: its loadings sum to 0 or more.
    assert album.frames[0] == pytest.approx(first)


def test_kernel_snapshots_draw_a_filter_that_became_its_negative_as_that(train, make_kernel):
    kernel = make_kernel(1e-3)
    album = Album()
    train([kernel, -kernel], kerasviz.KernelSnapshots("c", on_plot=album))
    np.testing.assert_allclose(album.frames[1], -album.frames[0], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_kernel_snapshots_keep_signs_in_a_resumed_run(train, make_kernel, tmp_path):
    album = Album()
    for step in range(3):
        callback = kerasviz.KernelSnapshots("c", gif=tmp_path, on_plot=album)
        train([make_kernel(1e-3 * (-1) ** step)], callback)
    files = sorted(tmp_path.rglob("*.npz"))
    tiles = [np.load(file)["values"].ravel().astype("float64") for file in files]
    for frames in (album.frames, tiles):
        assert len(frames) == 3
        assert all(cosine(frame, frames[0]) > 0.99 for frame in frames)


@pytest.mark.slow
def test_kernel_snapshots_keep_signs_after_a_damaged_frame(
    train, make_kernel, tmp_path, by_default
):
    train([make_kernel(1e-3)], kerasviz.KernelSnapshots("c", gif=tmp_path))
    (file,) = tmp_path.rglob("*.npz")
    np.savez(file, key=np.load(file)["key"])  # without its values
    album = Album()
    callback = kerasviz.KernelSnapshots("c", gif=tmp_path, on_plot=album)
    with pytest.warns(UserWarning, match="`gif` can no longer be written.*cannot be read"):
        train([make_kernel(-1e-3)], callback)
    np.testing.assert_allclose(album.frames[0], by_default(make_kernel(-1e-3)).ravel())


@pytest.mark.parametrize("channel", ["mean", 3])
def test_kernel_snapshots_change_no_sign_of_what_has_one(train, make_kernel, channel):
    kernel = make_kernel(1e-3)
    album = Album()
    train([kernel, -kernel], kerasviz.KernelSnapshots("c", channel=channel, on_plot=album))
    np.testing.assert_array_equal(album.frames[1], -album.frames[0])


def test_kernel_snapshots_keep_the_sign_of_a_filter_where_the_order_changes(train, make_kernel):
    """The next kernel has the same patterns, other signs, and another filter that is strongest."""
    sizes = np.array([[4.0, 1, 3, 2], [1.0, 4, 2, 3]], "float32")
    kernels = [sizes[step] * make_kernel(1e-3 * (-1) ** step) for step in range(2)]
    album = Album()
    train(kernels, kerasviz.KernelSnapshots("c", sort="norm", on_plot=album))
    orders = [panel.indices.tolist() for panel in album]
    assert orders[0][-1] == 1 != orders[1][-1]
    for index in range(FILTERS):
        assert cosine(album.pattern(0, index), album.pattern(1, index)) > 0.99


def test_kernel_snapshots_change_no_sign_of_a_filter_that_is_new(train, make_kernel, by_default):
    kernels = [make_kernel(1e-3), make_kernel(-1e-3), make_kernel(-1e-3)]
    for kernel, strongest in zip(kernels, ([0, 1], [1, 2], [0, 3]), strict=True):
        kernel[..., strongest] *= 8
    album = Album()
    train(kernels, kerasviz.KernelSnapshots("c", top=2, on_plot=album))
    patterns = by_default(kernels[1])
    assert [set(panel.indices.tolist()) for panel in album] == [{0, 1}, {1, 2}, {0, 3}]
    np.testing.assert_allclose(album.pattern(1, 1), -patterns[1].ravel(), rtol=1e-5)
    np.testing.assert_allclose(album.pattern(1, 2), patterns[2].ravel(), rtol=1e-5)
    assert cosine(album.pattern(2, 0), album.pattern(0, 0)) > 0.99  # drawn two steps ago


def test_kernel_snapshots_give_all_slices_of_a_volume_one_sign(rng, tmp_path):
    model = keras.Sequential(
        [keras.Input((4, 5, 5, 5)), keras.layers.Conv3D(FILTERS, (2, 3, 3), use_bias=False)]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    kernel = rng.normal(size=(2, 3, 3, 5, FILTERS)).astype("float32")
    x, y = np.zeros((1, 4, 5, 5, 5), "float32"), np.zeros((1, 3, 3, 3, FILTERS), "float32")
    album = Album()
    for kernels in ([kernel, -kernel], [kernel]):  # also where the kernel before is not known
        callbacks = [Weights(kernels), kerasviz.KernelSnapshots(gif=tmp_path, on_plot=album)]
        training.train(model, x, y, callbacks, epochs=len(kernels))
    np.testing.assert_allclose(album.frames[1], -album.frames[0], rtol=1e-5)
    # Only the record says what was drawn last, and a pattern alone has no sign: it stays.
    np.testing.assert_allclose(album.frames[2], album.frames[1], rtol=1e-5)


@pytest.mark.slow
def test_kernel_snapshots_take_no_signs_from_patterns_of_another_size(rng, tmp_path, by_default):
    album = Album()
    for size in (2, 3):
        model = keras.Sequential(
            [keras.Input((4, 4, 64)), keras.layers.Conv2D(FILTERS, size, name="c")]
        )
        kernel = rng.normal(size=(size, size, 64, FILTERS)).astype("float32")
        model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
        model.layers[0].set_weights([-kernel, np.zeros(FILTERS)])
        x, y = np.zeros((1, 4, 4, 64)), np.zeros((1, 5 - size, 5 - size, FILTERS))
        model.optimizer.iterations.assign(1)  # as of a training that goes on
        snapshots = kerasviz.KernelSnapshots(gif=tmp_path, on_plot=album)
        training.train(model, x, y, [snapshots])
        np.testing.assert_allclose(album.frames[-1], by_default(-kernel).ravel(), rtol=1e-5)
