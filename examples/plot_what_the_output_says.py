"""# What does the output say?

The output of a network is a layer like any other. That of a classifier is drawn as bars, the
largest first, with the names of the classes.
"""

import keras

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()
names = kerasviz.fashion_mnist.CLASSES
kerasviz.plot_feature_maps(model, -1, images, sample=6, class_names=names)

# %%
# If the output is a picture, that picture is drawn: here by a network that learns to repeat its
# input from 16 numbers. `kind="image"` draws greys or colours, with the input beside them.

keras.utils.set_random_seed(0)
autoencoder = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu", name="code"),
        keras.layers.Dense(28 * 28, activation="sigmoid"),
        keras.layers.Reshape((28, 28, 1), name="decoded"),
    ]
)
autoencoder.compile(keras.optimizers.Adam(0.01), "mse")
autoencoder.fit(images, images, epochs=80, verbose=0)
kerasviz.plot_feature_maps(autoencoder, "decoded", images, sample=[0, 1, 5, 7], kind="image")

# %%
# A network that says for each pixel what it belongs to has one channel per class. `kind="labels"`
# draws the class with the largest value as a label map, with a legend.

pixels = (images[..., 0] > 0.05) * (labels[:, None, None] + 1)
segmenter = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(28 * 28 * 11),
        keras.layers.Reshape((28, 28, 11)),
        keras.layers.Softmax(name="classes"),
    ]
)
segmenter.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
segmenter.fit(images, pixels, epochs=60, verbose=0)
kerasviz.plot_feature_maps(
    segmenter, "classes", images, sample=[0, 1, 7, 8], kind="labels", class_names=["none", *names]
)
