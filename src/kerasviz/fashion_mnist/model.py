"""The network of the reference example."""

from __future__ import annotations

from importlib import resources

import keras


def load_model() -> keras.Sequential:
    """Load the reference network as it was trained on the 48,000 training images.

    `build_model()` says what it is made of; `train()` trained it.
    Of the 10,000 test images it classifies 91.5 % correctly.

    Returns:
        An uncompiled `keras.Sequential` from `(batch, 28, 28, 1)` images with values in 0 to 1 to
        `(batch, 10)` class probabilities.

    Example:
        >>> from kerasviz import fashion_mnist
        >>> images, labels = fashion_mnist.load_samples()
        >>> int(fashion_mnist.load_model().predict(images, verbose=0).argmax(axis=1)[9])
        9
    """
    model = build_model()
    file = resources.files("kerasviz.fashion_mnist") / "model.weights.h5"
    with resources.as_file(file) as path:
        model.load_weights(path)
    return model


def build_model() -> keras.Sequential:
    """Build the reference network, untrained.

    Two convolutions (32 and 64 filters of 3x3, `same` padding, ReLU), each followed by a 2x2
    max pooling, then `Dense(100)`, `Dropout(0.4)` and a softmax over the ten classes:
    333,526 parameters. The layers carry the names that Keras gives them in a fresh session, so
    that they are the same however many models were built before. Like the models of
    `keras.applications`, it comes uncompiled.

    Returns:
        A `keras.Sequential` from `(batch, 28, 28, 1)` images with values in 0 to 1 to
        `(batch, 10)` class probabilities.

    Example:
        >>> from kerasviz import fashion_mnist
        >>> fashion_mnist.build_model().count_params()
        333526
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(32, 3, activation="relu", padding="same", name="conv2d"),
            layers.MaxPooling2D(2, name="max_pooling2d"),
            layers.Conv2D(64, 3, activation="relu", padding="same", name="conv2d_1"),
            layers.MaxPooling2D(2, name="max_pooling2d_1"),
            layers.Flatten(name="flatten"),
            layers.Dense(100, activation="relu", name="dense"),
            layers.Dropout(0.4, name="dropout"),
            layers.Dense(10, activation="softmax", name="dense_1"),
        ],
        name="fashion_mnist_cnn",
    )
