"""Attributions on PyTorch against captum, on a module of the same weights."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasviz import get_attributions

captum = pytest.importorskip("captum.attr")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="captum is of PyTorch")
BASELINE = 0.2


class Twin(torch.nn.Module):
    """Three layers of PyTorch with the weights of Keras's; it takes channels first."""

    def __init__(self, model):
        super().__init__()
        self.first, self.last = torch.nn.Conv2d(3, 6, 3), torch.nn.Conv2d(6, 8, 3)
        self.head = torch.nn.Linear(8, 5)
        for mine, theirs in ((self.first, "first"), (self.last, "last")):
            kernel, bias = model.get_layer(theirs).get_weights()
            mine.weight.data = torch.tensor(kernel.transpose(3, 2, 0, 1))
            mine.bias.data = torch.tensor(bias)
        kernel, bias = model.get_layer("head").get_weights()
        self.head.weight.data, self.head.bias.data = torch.tensor(kernel.T), torch.tensor(bias)

    def forward(self, x):
        x = torch.relu(self.last(torch.tanh(self.first(x))))
        return self.head(x.mean(dim=(2, 3)))


@pytest.fixture
def pair():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            layers.Conv2D(6, 3, activation="tanh", name="first"),
            layers.Conv2D(8, 3, name="last"),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, activation="softmax", name="head"),
        ]
    )
    return model, Twin(model)


@pytest.fixture
def images(rng):
    return rng.normal(size=(3, 12, 10, 3)).astype("float32")


def check(values, expected, share=1e-5):
    expected = expected.detach().numpy()
    np.testing.assert_allclose(values, expected, atol=share * np.abs(expected).max())


def test_get_attributions_of_inputs_as_captum(pair, images):
    model, twin = pair
    x = torch.tensor(images.transpose(0, 3, 1, 2), requires_grad=True)
    theirs = {
        "gradient": captum.Saliency(twin).attribute(x, target=2, abs=False),
        "input-x-gradient": captum.InputXGradient(twin).attribute(x, target=2),
        "integrated-gradients": captum.IntegratedGradients(twin).attribute(
            x, baselines=BASELINE, target=2, n_steps=65, method="riemann_trapezoid"
        ),
    }
    found = get_attributions(
        model, images, method=list(theirs), target=2, baseline=BASELINE, steps=64, evidence=False
    )
    for name, expected in theirs.items():
        # The weights of captum's 65 trapezoids add up to 64 / 65.
        share = 65 / 64 if name == "integrated-gradients" else 1
        check(found[name].values.transpose(0, 3, 1, 2), share * expected)


def test_get_attributions_integrated_gradients_converge_to_captum(pair, images):
    model, twin = pair
    x = torch.tensor(images.transpose(0, 3, 1, 2), requires_grad=True)
    ours = get_attributions(model, images, target=2, steps=512, evidence=False).values
    theirs = captum.IntegratedGradients(twin).attribute(x, target=2, n_steps=256)
    check(ours.transpose(0, 3, 1, 2), theirs, share=3e-3)  # by another rule


def test_get_attributions_grad_cam_as_captum(pair, images):
    model, twin = pair
    x = torch.tensor(images.transpose(0, 3, 1, 2), requires_grad=True)
    theirs = captum.LayerGradCam(twin, twin.last).attribute(x, target=2, relu_attributions=True)
    ours = get_attributions(
        model, images, method="grad-cam", layer="last", target=2, evidence=False
    )
    check(ours.values, theirs[:, 0])


def test_get_attributions_of_a_difference_as_captum(pair, images):
    model, twin = pair
    x = torch.tensor(images.transpose(0, 3, 1, 2), requires_grad=True)
    a, b = (captum.Saliency(twin).attribute(x, target=t, abs=False) for t in (4, 1))
    ours = get_attributions(model, images, method="gradient", target=(4, 1), evidence=False)
    check(ours.values.transpose(0, 3, 1, 2), a - b)
