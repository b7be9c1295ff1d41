"""# What does a shared layer see on each call?

A siamese network compares two images with one encoder, so each layer of the encoder is called twice
and has two outputs. The index of the call is part of the address; without it kerasviz asks instead
of guessing.
"""

import keras

import kerasviz

trained = kerasviz.fashion_mnist.load_model()
encoder = keras.Model(trained.inputs[0], trained.get_layer("dense").output, name="encoder")
left, right = keras.Input((28, 28, 1), name="left"), keras.Input((28, 28, 1), name="right")
difference = keras.layers.Subtract()([encoder(left), encoder(right)])
model = keras.Model([left, right], keras.layers.Dense(1, activation="sigmoid")(difference))

# %%
# Two shoes, seen through the same weights, on one colour scale.

images, labels = kerasviz.fashion_mnist.load_samples()
kerasviz.plot_feature_maps(
    model,
    ["encoder:0/conv2d", "encoder:1/conv2d"],
    {"left": images[7], "right": images[9]},
    scale="figure",
)

# %%
# The name of the layer alone is not enough, and the error lists the addresses that are.

try:
    kerasviz.plot_feature_maps(model, "conv2d", [images[7], images[9]])
except ValueError as error:
    print(error)
