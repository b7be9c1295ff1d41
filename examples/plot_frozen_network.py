"""# What does my frozen network see?

In transfer learning a trained network is frozen and becomes a layer of a new model. Its layers have
addresses inside that model. Pass the image that *your* model takes: the layers before the frozen
network run too.
"""

import keras

import kerasviz

# %%
# This model augments and rescales its input, runs the trained Fashion-MNIST network up to its last
# pooling layer, frozen, and ends in a new head. It takes images with values from 0 to 255.

trained = kerasviz.fashion_mnist.load_model()
base = keras.Model(trained.inputs[0], trained.get_layer("max_pooling2d_1").output, name="base")
base.trainable = False

inputs = keras.Input((28, 28, 1), name="photo")
x = keras.layers.RandomFlip("horizontal")(inputs)
x = keras.layers.Rescaling(1 / 255)(x)
x = base(x)
x = keras.layers.GlobalAveragePooling2D()(x)
model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x), name="shoe_or_not")
kerasviz.plot_architecture(model, expand=True)

# %%
# These are the addresses and the maps of the frozen layers. `"conv2d"` alone would work too,
# because the name is unique in the model. One map of `base/conv2d_1` is constant for this image.

print(*kerasviz.find_layers(model), sep="\n")
images, labels = kerasviz.fashion_mnist.load_samples()
kerasviz.plot_feature_maps(model, ["base/conv2d", "base/conv2d_1"], 255 * images, sample=7)

# %%
# Here is the same image with values from 0 to 1. The model divides by 255 again, and little is left
# but the biases: 25 of the 32 maps are constant. If your maps look like this, check your input.

kerasviz.plot_feature_maps(model, "base/conv2d", images, sample=7)
