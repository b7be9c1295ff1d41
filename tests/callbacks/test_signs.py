import keras
import numpy as np
import pytest

import kerasviz
from kerasviz.callbacks.signs import DrawnPatterns
from kerasviz.compute.kernel_patterns import principal_patterns
from kerasviz.draw.tiles.panel import TilePanel

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
        model.fit(x, y, epochs=len(kernels), verbose=0, callbacks=callbacks)

    return train


class Album(list):
    """Keeps the values of each picture."""

    def __call__(self, _number, _address, plot):
        self.append(plot.images[0].get_array().compressed().astype("float64"))


def cosine(first, second):
    return first @ second / np.linalg.norm(first) / np.linalg.norm(second)


def panel_of(kernel, indices):
    tiles, _ = principal_patterns(kernel[..., indices])
    return TilePanel(
        values=tiles,
        indices=np.array(indices),
        total=kernel.shape[-1],
        address="c",
        kind="kernels",
        size="3×3×64",
    )


def test_a_picture_hardly_changes_where_the_kernel_hardly_changed(train, make_kernel):
    kernels = [make_kernel(1e-3 * (-1) ** step) for step in range(4)]
    by_default = [principal_patterns(kernel)[0] for kernel in kernels]
    assert cosine(by_default[0].ravel(), by_default[1].ravel()) < -0.99  # which is the trouble
    album = Album()
    train(kernels, kerasviz.KernelSnapshots("c", on_plot=album))
    assert len(album) == 4
    for frame in album:
        assert cosine(frame, album[0]) > 0.99
    # The first is as plot_kernels draws it: its loadings sum to 0 or more.
    assert np.sort(album[0]) == pytest.approx(np.sort(by_default[0].ravel()))


def test_a_filter_that_becomes_its_negative_is_drawn_as_its_negative(train, make_kernel):
    kernel = make_kernel(1e-3)
    album = Album()
    train([kernel, -kernel], kerasviz.KernelSnapshots("c", on_plot=album))
    np.testing.assert_allclose(album[1], -album[0], rtol=1e-4, atol=1e-5)


def test_signs_go_on_in_a_resumed_run(train, make_kernel, tmp_path):
    album = Album()
    for step in range(3):
        callback = kerasviz.KernelSnapshots("c", gif=tmp_path, on_plot=album)
        train([make_kernel(1e-3 * (-1) ** step)], callback)
    files = sorted(tmp_path.rglob("*.npz"))
    tiles = [np.load(file)["values"].ravel().astype("float64") for file in files]
    for frames in (album, tiles):
        assert len(frames) == 3
        assert all(cosine(frame, frames[0]) > 0.99 for frame in frames)


def test_a_damaged_frame_leaves_the_signs(train, make_kernel, tmp_path):
    train([make_kernel(1e-3)], kerasviz.KernelSnapshots("c", gif=tmp_path))
    (file,) = tmp_path.rglob("*.npz")
    np.savez(file, key=np.load(file)["key"])  # without its values
    album = Album()
    callback = kerasviz.KernelSnapshots("c", gif=tmp_path, on_plot=album)
    panel = panel_of(make_kernel(-1e-3), list(range(FILTERS)))
    with pytest.warns(UserWarning, match="`gif` can no longer be written.*cannot be read"):
        train([make_kernel(-1e-3)], callback)
    np.testing.assert_allclose(np.sort(album[0]), np.sort(panel.tiles.ravel()))


@pytest.mark.parametrize("channel", ["mean", 3])
def test_what_has_a_sign_of_its_own_keeps_it(train, make_kernel, channel):
    kernel = make_kernel(1e-3)
    album = Album()
    train([kernel, -kernel], kerasviz.KernelSnapshots("c", channel=channel, on_plot=album))
    np.testing.assert_array_equal(album[1], -album[0])


def test_signs_follow_the_filter_where_the_order_changes(make_kernel):
    first, second = make_kernel(1e-3), make_kernel(-1e-3)
    drawn = DrawnPatterns()
    assert not drawn
    before = panel_of(first, [2, 0, 3])
    drawn.remember(before.tiles, before.indices, first)
    assert drawn
    after = drawn.follow(panel_of(second, [0, 3, 2]), second)
    assert after.indices.tolist() == [0, 3, 2]
    for index in (0, 2, 3):
        a = before.tiles[before.indices.tolist().index(index)]
        b = after.tiles[after.indices.tolist().index(index)]
        assert cosine(a.ravel(), b.ravel()) > 0.99


def test_a_filter_that_was_not_drawn_before_keeps_its_sign(make_kernel):
    first, second = make_kernel(1e-3), make_kernel(-1e-3)
    drawn = DrawnPatterns()
    before = panel_of(first, [0, 1])
    drawn.remember(before.tiles, before.indices, first)
    panel = panel_of(second, [1, 2])
    after = drawn.follow(panel, second)
    np.testing.assert_array_equal(after.tiles, [-panel.tiles[0], panel.tiles[1]])
    drawn.remember(after.tiles, after.indices, second)
    again = drawn.follow(panel_of(second, [0]), second)  # drawn two steps ago
    assert cosine(again.tiles.ravel(), before.tiles[0].ravel()) > 0.99


def test_slices_of_a_volume_have_one_sign(rng):
    kernel = rng.normal(size=(2, 3, 3, 5, FILTERS))
    flat = kernel.reshape(6, 3, 5, FILTERS)
    tiles = principal_patterns(flat)[0].reshape(-1, 3, 3)
    panel = TilePanel(
        values=tiles,
        indices=np.arange(FILTERS),
        total=FILTERS,
        address="c",
        kind="kernels",
        size="",
        slices=2,
    )
    drawn = DrawnPatterns()
    drawn.remember(-tiles, np.arange(FILTERS))
    np.testing.assert_array_equal(drawn.follow(panel, kernel).tiles, -tiles)
    drawn.remember(-tiles, np.arange(FILTERS), -kernel)
    np.testing.assert_array_equal(drawn.follow(panel, kernel).tiles, tiles)


def test_patterns_of_another_size_are_no_reference(make_kernel):
    kernel = make_kernel(1e-3)
    panel = panel_of(kernel, [0, 1, 2])
    drawn = DrawnPatterns()
    drawn.remember(-panel.tiles[:, :2], panel.indices)
    np.testing.assert_array_equal(drawn.follow(panel, kernel).tiles, panel.tiles)
    drawn.remember(-panel.tiles, panel.indices, -kernel[:, :, :5])  # with fewer input channels
    np.testing.assert_array_equal(drawn.follow(panel, kernel).tiles, -panel.tiles)
