"""Receptive fields against published values and against what a single cell of the input changes."""

import keras
import numpy as np
import pytest

import kerasviz

L = keras.layers


def _impulse_response(model: keras.Model, address: str) -> np.ndarray:
    """Return which input cells change which units, `(*input space, *output space)`.

    With weights above 0 and inputs of 0 but for a single 1, whatever is connected is above 0.
    """
    space = model.input_shape[1:-1]
    cells = int(np.prod(space))
    inputs = np.zeros((cells, cells, 1), "float32")
    inputs[np.arange(cells), np.arange(cells)] = 1
    inputs = np.repeat(inputs, model.input_shape[-1], axis=-1).reshape(cells, *space, -1)
    maps = np.asarray(kerasviz.get_feature_maps(model, address, inputs, batch_size=cells))
    # Of a bilinear upsampling PyTorch computes weights of 1e-8 where they are 0.
    above_0 = maps > 1e-6 * maps.max(axis=0)
    return above_0.any(axis=-1).reshape(*space, *maps.shape[1:-1])


def _box_around(mask: np.ndarray) -> tuple[tuple[int, int], ...]:
    if not mask.any():
        return ((0, 0),) * mask.ndim
    along = [
        np.flatnonzero(mask.any(axis=tuple({*range(mask.ndim)} - {a}))) for a in range(mask.ndim)
    ]
    return tuple((int(n[0]), int(n[-1]) + 1) for n in along)


def _with_weights_above_0(model: keras.Model) -> keras.Model:
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if variable.path.endswith("kernel"):
            variable.assign(rng.uniform(0.5, 1, variable.shape))
    return model


def _check(model: keras.Model, address: str, *, exact: bool = True) -> kerasviz.ReceptiveField:
    """Compare the boxes of some units with what changes these units; return the last field."""
    response = _impulse_response(_with_weights_above_0(model), address)
    rank = response.ndim // 2
    sizes = response.shape[rank:]
    rng = np.random.default_rng(1)
    corners = [(0,) * rank, tuple(n - 1 for n in sizes), tuple(n // 2 for n in sizes)]
    for position in [*corners, *(tuple(map(int, rng.integers(sizes))) for _ in range(5))]:
        field = kerasviz.receptive_field(model, address, position=position)
        support = _box_around(response[(..., *position)])
        assert field.exact is exact
        if exact:
            assert field.box == support, (position, field)
        else:
            inside = zip(field.box, support, strict=True)
            assert all(a <= c and d <= b for (a, b), (c, d) in inside), (position, field)
    return field


class _RandomGraph:
    """Builds graphs of layers whose windows are known."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def pick(self, *values):
        return values[int(self.rng.integers(len(values)))]

    def layer(self, x):
        size = min(x.shape[1:3])
        padding = self.pick("same", "valid")
        kernel = (
            int(self.rng.integers(1, min(size, 5) + 1))
            if padding == "valid"
            else self.pick(1, 2, 3, 5)
        )
        stride = self.pick(1, 1, 2, 3)
        dilation = self.pick(1, 2) if stride == 1 and (kernel - 1) * 2 < size else 1
        makers = [
            lambda: L.Conv2D(2, kernel, strides=stride, padding=padding, activation="relu"),
            lambda: L.Conv2D(2, kernel, dilation_rate=dilation, padding=padding),
            lambda: L.DepthwiseConv2D(kernel, strides=stride, padding=padding),
            lambda: L.SeparableConv2D(2, kernel, padding=padding),
            lambda: L.MaxPooling2D(min(kernel, size), strides=stride, padding=padding),
            lambda: L.AveragePooling2D(min(kernel, size), strides=stride, padding=padding),
            lambda: L.Conv2DTranspose(2, kernel, strides=min(stride, 2), padding=padding),
            lambda: L.UpSampling2D(self.pick(2, (1, 3)), interpolation="nearest"),
            lambda: L.UpSampling2D(self.pick(2, 3), interpolation="bilinear"),
            lambda: L.ZeroPadding2D(((1, 0), (2, 1))),
            lambda: L.BatchNormalization(),
            lambda: L.Cropping2D(((1, 0), (0, 1))) if size > 3 else L.ReLU(),
        ]
        return self.pick(*makers)()(x)

    def block(self, x):
        kind = self.pick("layer", "layer", "branches", "nested")
        if kind == "layer" or max(x.shape[1:3]) > 40:
            return self.layer(x)
        if kind == "nested":
            inner = keras.Input(x.shape[1:])
            return keras.Model(inner, self.layer(inner))(x)
        same = [
            L.Conv2D(2, self.pick(1, 3, 5), padding="same", dilation_rate=self.pick(1, 2))(x)
            for _ in range(2)
        ]
        merge = self.pick(L.Add, L.Concatenate, L.Maximum)
        return merge()(same)

    def model(self) -> keras.Model:
        inputs = x = keras.Input((int(self.rng.integers(9, 15)), int(self.rng.integers(9, 15)), 1))
        for _ in range(int(self.rng.integers(2, 6))):
            x = self.block(x) if min(x.shape[1:3]) > 2 and max(x.shape[1:3]) < 60 else x
        return keras.Model(inputs, L.Activation("relu", name="end")(x))


@pytest.mark.few(5)
@pytest.mark.parametrize("seed", range(40))
def test_receptive_field_of_random_graphs_is_what_changes_the_unit(seed):
    model = _RandomGraph(seed).model()
    _check(model, "end")
    for ref in kerasviz.find_layers(model, "*"):
        field = kerasviz.receptive_field(model, ref.address)
        assert ref.field_size in (None, field.size)
        assert ref.field_stride in (None, field.stride)


PUBLISHED = {
    "VGG16": ("block5_pool", 212, 32),
    "ResNet50": ("conv5_block3_out", 483, 32),
    "InceptionV3": ("mixed10", 1311, 32),
}
"""Of Araujo, Norris and Sim (2019), Distill, table 1: the last layer before the head, its field,
and its stride."""


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_receptive_field_is_the_published_one(name):
    layer, size, stride = PUBLISHED[name]
    model = getattr(keras.applications, name)(weights=None)
    field = kerasviz.receptive_field(model, layer)
    assert (field.size, field.stride, field.exact) == ((size, size), (stride, stride), True)
    (listed,) = (ref for ref in kerasviz.find_layers(model, "*") if ref.address == layer)
    assert (listed.field_size, listed.field_stride) == ((size, size), (stride, stride))


def _sequence(*layers, shape=(12, 12, 1)):
    return keras.Sequential([keras.Input(shape), *layers])


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "layers",
    [
        [L.Conv1D(2, 3, dilation_rate=2, padding="causal", name="end")],
        [L.Conv1D(2, 4, strides=3), L.Conv1DTranspose(2, 5, strides=3, name="end")],
        [L.MaxPooling1D(2), L.UpSampling1D(3), L.Conv1D(1, 2, name="end")],
        [L.ZeroPadding1D(2), L.Cropping1D((3, 0)), L.Conv1D(1, 2, name="end")],
    ],
)
def test_receptive_field_of_sequences(layers):
    _check(_sequence(*layers, shape=(17, 1)), "end")


def test_receptive_field_of_volumes():
    layers = [L.Conv3D(1, (1, 2, 3), strides=(1, 2, 1)), L.MaxPooling3D((2, 1, 2), name="end")]
    _check(_sequence(*layers, shape=(5, 6, 7, 1)), "end")


def test_receptive_field_of_images_over_time():
    layer = L.TimeDistributed(L.Conv2D(1, (2, 3), strides=2), name="end")
    model = _sequence(layer, shape=(4, 5, 6, 1))
    field = kerasviz.receptive_field(model, "end", position=(3, 1, 0))
    assert field.box == ((3, 4), (2, 4), (0, 3))
    assert field.exact


def test_receptive_field_looks_through_a_window_that_skips_cells():
    # A stride wider than the kernel: some outputs of the transposed convolution see nothing.
    layers = [L.Conv2D(1, 1), L.Conv2DTranspose(1, 1, strides=3, padding="valid", name="end")]
    field = _check(_sequence(*layers), "end")
    assert field.size == (1, 1)
    assert field.stride == (pytest.approx(1 / 3),) * 2


def test_receptive_field_of_a_pooling_over_everything_is_a_bound():
    inputs = keras.Input((12, 12, 1))
    x = L.Conv2D(2, 3, padding="same")(inputs)
    share = L.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    x = L.Multiply()([x, L.Conv2D(2, 1)(share)])
    model = keras.Model(inputs, L.Conv2D(1, 3, name="end")(x))
    field = kerasviz.receptive_field(model, "end", position=(2, 2))
    assert field.box == ((0, 12), (0, 12))
    assert not field.exact
    assert field.reason == "at most: 'squeeze' may see all of its input"


@keras.saving.register_keras_serializable("tests")
class _Unknown(keras.Layer):
    def call(self, x):
        return keras.ops.flip(x, axis=1)


@pytest.mark.parametrize(
    "layer",
    [_Unknown, lambda: L.Softmax(axis=1), lambda: L.Permute((2, 1, 3)), L.GroupNormalization],
)
def test_receptive_field_never_claims_to_know_what_it_does_not(layer):
    layers = [L.Conv2D(32, 3), layer(), L.Conv2D(1, 1, name="end")]
    field = kerasviz.receptive_field(_sequence(*layers), "end", position=(1, 2))
    assert field.box == ((0, 12), (0, 12))
    assert "at most" in field.reason


def test_receptive_field_of_an_input_of_unknown_size():
    model = _sequence(L.Conv2D(1, 3), L.Conv2D(1, 3, name="end"), shape=(None, None, 1))
    field = kerasviz.receptive_field(model, "end", position=(7, 9))
    assert field.exact
    assert field.box == ((7, 12), (9, 14))
    model = _sequence(L.Conv2D(1, 3, strides=2, padding="same", name="end"), shape=(None, None, 1))
    assert "depends on the size" in kerasviz.receptive_field(model, "end").reason


def test_receptive_field_of_a_shared_layer_is_that_of_the_call():
    inputs = keras.Input((16, 16, 1))
    shared = L.Conv2D(1, 3, padding="same", name="shared")
    model = _with_weights_above_0(keras.Model(inputs, shared(shared(inputs))))
    fields = kerasviz.receptive_field(model, ["shared:0", "shared:1"], position=(8, 8))
    assert fields["shared:0"].box == ((7, 10), (7, 10))
    assert fields["shared:1"].box == ((6, 11), (6, 11))


class _Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = L.Conv2D(4, 3, padding="same", activation="relu", name="first")
        self.second = L.Conv2D(4, 3, dilation_rate=2, name="second")

    def call(self, x):
        return self.second(self.first(x))


def test_receptive_field_of_a_subclassed_model_is_the_support_of_its_gradient():
    model = _Subclassed()
    model(np.zeros((1, 16, 16, 1), "float32"))
    field = kerasviz.receptive_field(model, "second", position=(4, 5))
    assert field.box == ((3, 10), (4, 11))
    assert not field.exact
    assert field.reason.startswith("at least")
    with_space = kerasviz.receptive_field(model)
    assert list(with_space) == ["first", "second"]
    assert with_space["second"].size == (7, 7)


def test_receptive_field_of_channels_first():
    layers = [
        L.Rescaling(2.0),
        L.Conv2D(1, (3, 2), strides=(2, 1), data_format="channels_first", name="end"),
        L.GlobalMaxPooling2D(data_format="channels_first", keepdims=True, name="all"),
    ]
    model = _sequence(*layers, shape=(1, 12, 9))
    assert kerasviz.receptive_field(model, "end", position=(1, 2)).box == ((2, 5), (2, 4))
    assert kerasviz.receptive_field(model, "all", position=(0, 0)).box == ((0, 12), (0, 9))


def test_receptive_field_of_one_row_counts_the_padding_around_it():
    """Without a position a field is what a unit would see far from any border."""
    model = _sequence(L.Conv2D(1, 3, padding="same", name="end"), shape=(1, 9, 1))
    assert kerasviz.receptive_field(model, "end").size == (3, 3)
    assert kerasviz.receptive_field(model, "end", position=(0, 4)).box == ((0, 1), (3, 6))


def test_receptive_field_of_one_cell_that_is_added_everywhere():
    """The unit at (5, 6) sees 3 × 3 cells of the image, and the one cell of the second input."""
    image, bias = keras.Input((9, 9, 1)), keras.Input((1, 1, 1))
    model = keras.Model([image, bias], L.Conv2D(1, 3, name="end")(L.Add()([bias, image])))
    field = kerasviz.receptive_field(model, "end", position=(5, 6))
    assert field.box == ((5, 8), (6, 9))
    model = keras.Model([bias, image], model.output)
    field = kerasviz.receptive_field(model, "end", position=(5, 6))
    assert field.box == ((0, 1), (0, 1))


def test_receptive_field_after_a_bilinear_upsampling_by_hand():
    """Twice as large, cell 4 is 1/4 of cell 1 and 3/4 of cell 2, cell 5 is 3/4 and 1/4 of 2, 3."""
    model = _sequence(L.UpSampling2D(2, interpolation="bilinear", name="end"), shape=(6, 6, 1))
    assert kerasviz.receptive_field(model, "end", position=(4, 5)).box == ((1, 3), (2, 4))


def test_find_layers_says_what_a_unit_after_a_sum_of_branches_sees():
    """Of 7 × 7 cells 5 × 5 and 1 × 1, by the same stride: together 5 × 5."""
    inputs = keras.Input((7, 7, 1))
    wide = L.Conv2D(1, 5, strides=2, padding="same")(inputs)
    point = L.Conv2D(1, 1, strides=2, padding="same")(inputs)
    model = keras.Model(inputs, L.Add(name="sum")([wide, point]))
    (ref,) = kerasviz.find_layers(model, ["sum"])
    assert (ref.field_size, ref.field_stride) == ((5, 5), (2, 2))


def test_find_layers_says_nothing_of_a_sum_of_branches_of_different_strides():
    """Of 5 cells, 2 are left by windows of 3 two apart, and by windows of 4 one apart."""
    inputs = keras.Input((5, 5, 1))
    branches = [L.Conv2D(1, 3, strides=2)(inputs), L.Conv2D(1, 4)(inputs)]
    model = keras.Model(inputs, L.Add(name="sum")(branches))
    (ref,) = kerasviz.find_layers(model, ["sum"])
    assert (ref.field_size, ref.field_stride) == (None, None)


@pytest.mark.parametrize(
    ("layer", "position", "words"),
    [
        ("end", (1,), "one integer for each axis of space of 'end'"),
        ("end", 3, "Received: position=3"),
        ("end", (0.5, 1), "one integer"),
        ("end", (True, 1), "one integer"),
        ("end", (0, 10), "10×10 cells"),
        ("end", (-1, 0), "inside the output"),
        ("dense", None, "no axes of space"),
    ],
)
def test_receptive_field_refuses(layer, position, words):
    model = _sequence(L.Conv2D(1, 3, name="end"), L.Flatten(), L.Dense(2, name="dense"))
    with pytest.raises(ValueError, match=words):
        kerasviz.receptive_field(model, layer, position=position)


def test_receptive_field_of_an_unbuilt_model_asks_to_build_it():
    with pytest.raises(ValueError, match="build it"):
        kerasviz.receptive_field(keras.Sequential([L.Conv2D(1, 3, name="end")]), "end")


def test_find_layers_says_nothing_of_a_field_that_is_not_exact():
    inputs = keras.Input((12, 12, 1))
    x = L.UpSampling2D(2)(L.Conv2D(1, 3, strides=2)(inputs))
    y = L.Dense(1)(L.GlobalAveragePooling2D()(L.Conv2D(1, 3, name="behind")(x)))
    (_, behind) = kerasviz.find_layers(keras.Model(inputs, y))
    assert (behind.field_size, behind.field_stride) == (None, None)


def test_receptive_field_of_a_layer_in_time_steps_is_a_bound_that_says_so() -> None:
    steps = L.TimeDistributed(L.Conv2D(2, 3, padding="same", name="inner"), name="steps")
    model = keras.Sequential([keras.Input((3, 8, 8, 1)), steps])
    field = kerasviz.receptive_field(model, "steps/inner")
    assert not field.exact
    assert field.reason.startswith("at least: the layer is in no graph")
    assert field.size == kerasviz.receptive_field(model, "steps").size == (1, 3, 3)
