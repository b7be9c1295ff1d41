"""Attributions on every kind of model, against derivatives taken by hand on each backend."""

import keras
import numpy as np
import pytest

from kerasviz import find_layers, get_attributions

pytestmark = pytest.mark.every_attribution
SHARE = 0.3
"""Of the input: a baseline of 0 is where a normalization is so steep that no steps would do."""
HALF = {"mixed_precision": 0.06}
"""How far half precision is off, as a share of the largest value."""


def first_output(returned):
    """Return the mean of the first output of each sample."""
    y = keras.ops.cast(keras.tree.flatten(returned)[0], "float32")
    return keras.ops.mean(keras.ops.reshape(y, (y.shape[0] or -1, int(np.prod(y.shape[1:])))), 1)


def derivatives(model, inputs, variables=()):
    """Return the gradients of `first_output` with respect to the inputs and to variables.

    By the backend's own means, of a plain call of the model.
    """
    backend = keras.backend.backend()
    inputs = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)

    def score(x):
        with keras.StatelessScope():  # a value that is assigned to a variable counts, too
            return keras.ops.sum(first_output(model(x, training=False)))

    if backend == "tensorflow":
        import tensorflow as tf

        values = [v.value for v in variables]
        flat = keras.tree.flatten(inputs)
        with tf.GradientTape() as tape:
            tape.watch([*flat, *values])
            total = score(inputs)
        gradients = tape.gradient(total, [*flat, *values], unconnected_gradients="zero")
    elif backend == "jax":
        import jax

        def stateless(x, values):
            with keras.StatelessScope(list(zip(variables, values, strict=True))):
                return keras.ops.sum(first_output(model(x, training=False)))

        gradients = keras.tree.flatten(
            jax.grad(stateless, argnums=(0, 1))(inputs, [v.value for v in variables])
        )
    else:
        import torch

        inputs = keras.tree.map_structure(lambda x: x.detach().requires_grad_(), inputs)
        flat = [*keras.tree.flatten(inputs), *(v.value for v in variables)]
        trained = [x.requires_grad for x in flat]
        for x in flat:
            x.requires_grad_()
        copies = keras.tree.map_structure(torch.clone, inputs)
        gradients = torch.autograd.grad(score(copies), flat, allow_unused=True)
        gradients = [
            torch.zeros_like(x) if g is None else g for g, x in zip(gradients, flat, strict=True)
        ]
        for x, was_trained in zip(flat, trained, strict=True):
            x.requires_grad_(was_trained)
    arrays = [keras.ops.convert_to_numpy(keras.ops.cast(g, "float32")) for g in gradients]
    count = len(keras.tree.flatten(inputs))
    return arrays[:count], arrays[count:]


def sample(inputs, index):
    return keras.tree.map_structure(lambda x: x[index : index + 1], inputs)


def assert_close(values, expected, share):
    np.testing.assert_allclose(values, expected, atol=share * max(np.abs(expected).max(), 1e-6))


def name_of_first(model):
    if isinstance(getattr(model, "output", None), dict):
        return next(iter(model.output))
    names = getattr(model, "output_names", None)
    return names[0] if names else "0"


def channels_last(array, like):
    """Return a gradient of an input as `get_attributions` does."""
    axes = [axis for axis in range(array.ndim) if np.moveaxis(array, axis, -1).shape == like.shape]
    return np.moveaxis(array, axes[-1], -1)


@pytest.fixture
def name(request):
    return request.node.callspec.id


@pytest.fixture
def options(case):
    """Return the arguments that explain the first output; `None` where it cannot be explained."""
    options = {"target": {name_of_first(case.model): first_output}, "evidence": False}
    if case.runs_eagerly and keras.backend.backend() == "jax":
        with pytest.raises(ValueError, match="`model` must be one that JAX can trace"):
            get_attributions(case.model, case.inputs, **options)
        return None
    return options


def test_get_attributions_gradient_is_that_of_a_plain_call(case, options, name):
    if options is None:
        return
    found = get_attributions(case.model, case.inputs, method="gradient", **options)
    values = keras.tree.flatten(found.values)
    for index in range(len(values[0])):
        expected, _ = case.keeping_state(
            lambda i=index: derivatives(case.model, sample(case.inputs, i))
        )
        for x, y in zip(values, expected, strict=True):
            assert_close(x[index], channels_last(y, x[index : index + 1])[0], HALF.get(name, 1e-5))


def test_get_attributions_integrated_gradients_add_up(case, options):
    if options is None:
        return
    model, inputs = case.model, case.inputs
    is_single = isinstance(inputs, np.ndarray)  # of several, a baseline is a number
    baseline = keras.tree.map_structure(
        lambda x: SHARE * x if is_single else np.full_like(x, SHARE), inputs
    )
    steps = 128  # where gradients jump from step to step, doubling has no end
    given = baseline if is_single else SHARE
    found = get_attributions(model, inputs, baseline=given, steps=steps, **options)
    total = sum(v.reshape(len(v), -1).sum(axis=1) for v in keras.tree.flatten(found.values))

    def answer(x, index):
        y = case.keeping_state(lambda: first_output(model(sample(x, index), training=False)))
        return keras.ops.convert_to_numpy(y)[0]

    change = [answer(inputs, i) - answer(baseline, i) for i in range(len(total))]
    np.testing.assert_allclose(total, change, rtol=0.05, atol=2e-3)


def layers_with_bias(case):
    """Return the addresses of convolutions that are called once, have a bias, and nothing after it.

    The gradient by the bias is the sum, over the cells, of the gradient by the output.
    """
    refs = {ref.address: ref for ref in find_layers(case.model, "*")}
    for address in case.maps:
        called = [key for key in refs if key.split("/")[-1].split(":")[0] == address.split("/")[-1]]
        layer = refs[called[0]].layer if len(called) == 1 else None
        if isinstance(layer, keras.layers.Conv2D) and layer.use_bias:
            yield address, layer


def test_get_attributions_grad_cam_is_that_of_the_gradients_by_the_bias(case, options, name):
    layers = dict(layers_with_bias(case)) if options is not None else {}
    for address, layer in layers.items():
        if name == "windows_in_the_batch":
            with pytest.raises(ValueError, match="`layer` must name a layer that returns one row"):
                get_attributions(
                    case.model, case.inputs, method="grad-cam", layer=address, **options
                )
            continue
        found = get_attributions(
            case.model, case.inputs, method="grad-cam", layer=address, **options
        )
        assert found.layer == address
        maps = case.maps[address]
        if case.keeps_state:  # its layers mix samples, which are explained one by one
            alone = [x - 0.1 * x.mean(axis=(0, 1)) for x in case.inputs]
            maps = keras.ops.convert_to_numpy(layer(np.stack(alone)))
        cells = np.prod(maps.shape[1:-1])
        for index in range(len(found.values)):
            _, (by_bias,) = case.keeping_state(
                lambda i=index, v=layer.bias: derivatives(case.model, sample(case.inputs, i), [v])
            )
            expected = np.maximum((maps[index] * by_bias / cells).sum(axis=-1), 0)
            largest = np.abs(maps[index] * by_bias / cells).max()
            np.testing.assert_allclose(
                found.values[index], expected, atol=HALF.get(name, 1e-5) * max(largest, 1e-6)
            )
