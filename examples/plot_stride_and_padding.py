"""# What do padding, stride and dilation change?

All three decide where the window goes and which values it takes. Compare the hatched cells, which
are no values of the image, the window, and the size of the output map.
"""

# %%
# One image, and a layer whose kernel is known, so that only its options differ: it subtracts what
# is below from what is above.

import keras
import numpy as np

import kerasviz

images, _ = kerasviz.fashion_mnist.load_samples()
sandal = images[5]
kernel = np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]]).reshape(3, 3, 1, 1)


def one_layer(**options):
    layer = keras.layers.Conv2D(1, 3, use_bias=False, name="edges", **options)
    model = keras.Sequential([keras.Input((28, 28, 1)), layer])
    model.set_weights([kernel])
    return model


# %%
# Without padding (`padding="valid"`) the window stays inside the image, and the output map loses a
# row or column on each side: 26×26 instead of 28×28. Values at the edge are in fewer windows than
# those in the middle.

kerasviz.plot_convolution(one_layer(), "edges", sandal, position=(14, 25), cmap="gray")

# %%
# With `padding="same"` a frame of zeros is added, so that there are as many windows as values. The
# zeros count in the sum like any other value.

kerasviz.plot_convolution(
    one_layer(padding="same"), "edges", sandal, position=(15, 27), cmap="gray"
)

# %%
# With `strides=2` the window moves two values at a time, and the map has half as many rows and
# columns. Of the one cell of padding that is needed, Keras adds none at the top and left.

kerasviz.plot_convolution(
    one_layer(padding="same", strides=2), "edges", sandal, position=(7, 13), cmap="gray"
)

# %%
# With `dilation_rate=3` the same nine weights reach over 7×7 values and leave out those between.

kerasviz.plot_convolution(
    one_layer(padding="same", dilation_rate=3), "edges", sandal, position=(17, 25), cmap="gray"
)

# %%
# The other way round: a transposed convolution with `strides=2` makes a larger map. Its input is
# spread, with zeros between the values, and the kernel, turned by 180°, moves one cell at a time.

larger = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.AveragePooling2D(2),
        keras.layers.Conv2DTranspose(1, 3, strides=2, padding="same", name="larger"),
    ]
)
blur = np.outer([0.5, 1.0, 0.5], [0.5, 1.0, 0.5]).reshape(3, 3, 1, 1)
larger.set_weights([blur, np.zeros(1)])
kerasviz.plot_convolution(larger, "larger", sandal, position=(15, 14), cmap="gray")
