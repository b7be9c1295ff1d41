"""# What do padding, stride and dilation change?

All three decide where the window goes and which values it reads. Compare the window, the size of
the output map, and the hatched cells, which are not part of the image.
"""

# %%
# We use one image, and a layer with a known kernel, so that only its options differ. It subtracts
# the pixels below from those above.

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
# With `padding="same"` a frame of zeros is added, so that there is one window per value. The zeros
# count in the sum like any other value.

kerasviz.plot_convolution(
    one_layer(padding="same"), "edges", sandal, position=(15, 27), cmap="gray"
)

# %%
# With `strides=2` the window moves two values at a time, and the map has half as many rows and
# columns. One row and one column of padding are enough; Keras adds them at the bottom and right.

kerasviz.plot_convolution(
    one_layer(padding="same", strides=2), "edges", sandal, position=(7, 13), cmap="gray"
)

# %%
# With `dilation_rate=3` the same nine weights cover 7×7 values and skip those in between.

kerasviz.plot_convolution(
    one_layer(padding="same", dilation_rate=3), "edges", sandal, position=(17, 25), cmap="gray"
)

# %%
# A transposed convolution works the other way round: with `strides=2` it makes a larger map. Zeros
# are inserted between the values of its input, and the kernel, turned by 180°, moves one cell at a
# time.

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
