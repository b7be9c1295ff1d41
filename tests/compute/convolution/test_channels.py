import numpy as np
import pytest
from keras import Input, Sequential, layers

import kerasviz


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("layer", "filter", "channel", "expected"),
    [
        (
            layers.Conv2D(6, 1),
            5,
            [0, 1, 2, 3],
            ["channel 0", "channel 1", "channel 2", "channel 3"],
        ),
        (layers.Conv2D(6, 1, groups=2), 2, None, ["channel 0", "channel 1"]),
        (layers.Conv2D(6, 1, groups=2), 3, None, ["channel 2", "channel 3"]),
        (layers.DepthwiseConv2D(1, depth_multiplier=3), 7, None, ["input channel 2 of 4"]),
        (layers.Conv2DTranspose(6, 1), 5, [3, 0], ["channel 3", "channel 0"]),
        (layers.MaxPooling2D(), 3, None, ["input channel 3 of 4"]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_plot_convolution_draws_the_channels_that_a_filter_sees(
    closing,
    rng,
    layer,
    filter,
    channel,
    expected,
):
    image = rng.uniform(size=(3, 2, 4))
    plot = closing(kerasviz.plot_convolution)(
        Sequential([Input((3, 2, 4)), layer]),
        0,
        image,
        position=(0, 0),
        filter=filter,
        channel=channel,
    )
    inputs = [ax for ax in plot.axes if ax.get_ylabel()] or [plot.axes[0]]
    names = [ax.get_ylabel() or ax.get_title().splitlines()[0] for ax in inputs]
    assert names == expected
    indices = [int(name.removeprefix("input ").split()[1]) for name in names]
    shown = [plot.images[plot.axes.index(ax)].get_array() for ax in inputs]
    np.testing.assert_allclose(shown, np.moveaxis(image[..., indices], -1, 0), rtol=1e-6)
