"""Which filters `WeightStatistics` calls dead, against calls of the layers themselves."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from kerasviz import WeightStatistics

layers = keras.layers


@pytest.fixture
def images(rng):
    return rng.normal(size=(7, 8, 8, 2)).astype("float32")


def begin(model, inputs, layer=None, batch_size=3):
    """Begin to record, as a training does."""
    callback = WeightStatistics(layer, inputs=inputs, batch_size=batch_size)
    callback.set_model(model)
    callback.on_train_begin()
    return callback


def shares(callback):
    """Record once; return the share of dead filters of each layer of which it is known."""
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0)
    pairs = zip(callback.history["layer"], callback.history["dead"], strict=True)
    return {layer: dead for layer, dead in pairs if dead is not None}


def shares_of(*args, **options):
    return shares(begin(*args, **options))


def spoil(layer, *filters, bias=-100.0):
    """Set the bias of some filters of a layer."""
    kernel, old = (np.array(weight) for weight in layer.get_weights())
    old[list(filters)] = bias
    layer.set_weights([kernel, old])


def constant(*outputs):
    """Return the share of channels that are the same everywhere in all arrays."""
    flat = [keras.ops.convert_to_numpy(x) for x in outputs]
    flat = np.concatenate([x.reshape(-1, x.shape[-1]) for x in flat])
    return np.mean((flat == flat[0]).all(axis=0))


@pytest.mark.parametrize("batch_size", [1, 3, 7, 32])
def test_weight_statistics_count_a_filter_that_a_relu_silences_as_dead(images, batch_size):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, activation="relu", name="first"),
            layers.Conv2D(5, 3, activation="relu", name="second"),
        ]
    )
    spoil(model.layers[0], 0, 2, 3, bias=5.0)  # so that those that are left answer surely
    spoil(model.layers[1], 1, 4, bias=5.0)
    spoil(model.layers[0], 1)
    spoil(model.layers[1], 0, 2, 3)
    first = model.layers[0](images)
    found = shares_of(model, images, batch_size=batch_size)
    expected = {"first": constant(first), "second": constant(model.layers[1](first))}
    assert found == expected == {"first": 1 / 4, "second": 3 / 5}


def test_weight_statistics_do_not_count_a_filter_that_responds_to_one_pixel_as_dead():
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 1, activation="relu")])
    model.set_weights([np.array([[[[1.0, 1.0]]]]), np.array([-0.5, -1.5])])
    images = np.zeros((5, 8, 8, 1))
    images[4, 7, 0] = 1
    assert shares_of(model, images, batch_size=2) == {model.layers[0].name: 0.5}
    assert shares_of(model, images[:4], batch_size=2) == {model.layers[0].name: 1.0}


@pytest.mark.parametrize("bias", [0.0, 3.0])
def test_weight_statistics_count_a_filter_without_weights_as_dead_whatever_it_returns(images, bias):
    model = keras.Sequential([keras.Input((8, 8, 2)), layers.Conv2D(4, 3, padding="same")])
    kernel = np.ones((3, 3, 2, 4))
    kernel[..., 2] = 0
    model.set_weights([kernel, np.full(4, bias)])
    assert list(shares_of(model, images).values()) == [0.25]


def make_followed(name):
    """Make a convolution with what follows it; of its four filters, 0 and 3 are dead."""
    inputs = keras.Input((8, 8, 2))
    conv = layers.Conv2D(4, 3, name="conv")
    x = conv(inputs)
    if name == "normalisation and activation":
        last = layers.Activation("relu")
        x = last(layers.BatchNormalization()(x))
    elif name == "a pooling between":
        last = conv
        x = layers.ReLU()(layers.MaxPooling2D()(x))
    elif name == "taken twice":
        last = conv
        x = layers.Add()([layers.ReLU()(x), x])
    elif name == "also an output":
        last = conv
        x = [layers.ReLU()(x), x]
    elif name == "in a nested model":
        last = layers.ReLU()
        x = keras.Sequential([keras.Input((8, 8, 2)), conv, last], name="nested")(inputs)
    model = keras.Model(inputs, x)
    spoil(conv, 0, 3)
    return model, conv, last


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("normalisation and activation", 0.5),
        ("in a nested model", 0.5),
        ("a pooling between", 0),
        ("taken twice", 0),
        ("also an output", 0),
    ],
)
def test_weight_statistics_look_for_dead_filters_after_what_follows_a_layer(images, name, expected):
    model, conv, last = make_followed(name)
    maps = conv(images)
    if name == "normalisation and activation":
        maps = model.layers[2](maps)
    after = last(maps) if last is not conv else maps
    assert list(shares_of(model, images, "conv").values()) == [expected] == [constant(after)]


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(4, 3, name="conv")
        self.norm = layers.BatchNormalization()
        self.relu = layers.ReLU()
        self.unused = layers.Conv2D(1, 1, name="unused")
        self.unused.build((None, 8, 8, 2))

    def call(self, inputs):
        return self.relu(self.norm(self.conv(inputs)))


def test_weight_statistics_count_the_dead_filters_of_a_subclassed_model(images):
    model = Subclassed()
    model(images)
    spoil(model.conv, 2)
    expected = constant(model.relu(model.norm(model.conv(images), training=False)))
    assert shares_of(model, images) == {"conv": expected} == {"conv": 0.25}


def test_weight_statistics_count_filters_as_dead_that_are_so_in_every_call(images):
    inputs = keras.Input((8, 8, 2))
    conv = layers.Conv2D(4, 1, activation="relu", use_bias=False, name="conv")
    model = keras.Model(inputs, layers.add([conv(inputs), conv(-inputs)]))
    conv.set_weights([np.array([[[[1, -1, 0, 1], [1, -1, 0, -1]]]])])
    positive = np.abs(images)
    twice = conv(positive), conv(-positive)
    assert [constant(x) for x in twice] == [0.5, 0.5]
    assert shares_of(model, positive, "conv") == {"conv": constant(*twice)} == {"conv": 0.25}


def test_weight_statistics_count_dead_dense_units(images):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Flatten(),
            layers.Dense(5, activation="relu", name="dense"),
        ]
    )
    spoil(model.layers[1], 0, 2, 3, bias=100.0)  # so that those that are left answer surely
    spoil(model.layers[1], 1, 4)
    assert shares_of(model, images, "dense") == {"dense": 0.4}


def test_weight_statistics_count_no_dead_filter_by_a_single_value(images):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, name="conv"),
            layers.Flatten(),
            layers.Dense(5),
        ]
    )
    assert shares_of(model, images[:1], "*conv*") == {"conv": 0}
    assert set(shares_of(model, images[:1], ["conv", -1])) == {"conv"}
    assert len(shares_of(model, images[:2], ["conv", -1])) == 2


def test_weight_statistics_count_dead_filters_of_each_part_of_a_separable_layer(images):
    model = keras.Sequential(
        [keras.Input((8, 8, 2)), layers.SeparableConv2D(4, 3, activation="relu", name="sep")]
    )
    depthwise, pointwise, bias = model.get_weights()
    bias = np.array([0, -100, 0, 0])
    model.set_weights([depthwise, pointwise, bias])
    found = shares_of(model, images, ["sep", "sep/pointwise"])
    assert found == {"sep": 0.25, "sep/pointwise": 0.25}


def test_weight_statistics_count_dead_filters_of_channels_first_and_several_outputs(images):
    clips = np.stack([images, images + 1], axis=1)
    model = keras.Sequential(
        [keras.Input((2, 8, 8, 2)), layers.ConvLSTM2D(3, 3, return_state=True, name="lstm")]
    )
    assert shares_of(model, clips, "lstm") == {"lstm": 0}
    if keras.backend.backend() == "tensorflow":
        return  # on a CPU it has no channels first
    first = layers.Conv2D(4, 3, data_format="channels_first", activation="relu", name="conv")
    model = keras.Sequential([keras.Input((2, 8, 8)), first])
    spoil(first, 3)
    assert shares_of(model, np.moveaxis(images, -1, 1)) == {"conv": 0.25}


def test_weight_statistics_do_not_count_what_is_not_a_number_as_dead(images):
    model = keras.Sequential([keras.Input((8, 8, 2)), layers.Conv2D(4, 3, name="conv")])
    spoil(model.layers[0], 0, bias=np.nan)
    assert shares_of(model, images) == {"conv": 0}


def test_weight_statistics_count_dead_filters_by_inputs_as_they_were_at_first(images):
    model = keras.Sequential(
        [keras.Input((8, 8, 2)), layers.Conv2D(4, 3, activation="relu", name="conv")]
    )
    spoil(model.layers[0], 0)
    mine = images.copy()
    callback = begin(model, mine)
    mine.fill(0)
    assert shares(callback) == {"conv": 0.25}


class Sizes(layers.Layer):
    """Lists the sizes of its batches; it looks at a value, so that it runs in Python."""

    def __init__(self, sizes):
        super().__init__()
        self.write = sizes.append  # a look puts back what a layer itself has written down

    def call(self, x):
        assert float(keras.ops.max(x)) > -np.inf
        self.write(x.shape[0])
        return x

    def compute_output_shape(self, shape):
        return shape


def test_weight_statistics_compute_no_more_than_a_batch_at_a_time(images):
    sizes = []
    inputs = keras.Input((8, 8, 2))
    model = keras.Model(inputs, layers.Conv2D(4, 3)(Sizes(sizes)(inputs)))
    callback = begin(model, images, batch_size=3)
    sizes.clear()
    shares(callback)
    assert sizes == [3, 3, 1]


def test_weight_statistics_refuse_inputs_that_do_not_fit(images):
    model = keras.Sequential([keras.Input((8, 8, 2)), layers.Conv2D(4, 3)])
    with pytest.raises(ValueError, match=r"`inputs` must have the shape \(samples, 8, 8, 2\)"):
        shares_of(model, images[..., :1])
