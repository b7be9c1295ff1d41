"""# Is my model overfitting?

The picture shows loss and metrics over the epochs, training dashed, validation solid. While both
losses fall, the network learns; where the validation loss rises again, it starts to overfit. The
dotted line marks the best epoch, the one whose weights `EarlyStopping(restore_best_weights=True)`
and `ModelCheckpoint(save_best_only=True)` keep; its values are in the legend.
"""

import kerasviz

# %%
# `model.fit` returns a `History`, so `plot_history(model.fit(...))` is all you need; the path of a
# file from `keras.callbacks.CSVLogger` works too. These are the values of the training that made
# the network of `kerasviz.fashion_mnist`, rounded to four digits. It stopped when the validation
# loss had not fallen for two epochs.

history = {
    "loss": [0.5409, 0.3603, 0.3056, 0.2749, 0.2481, 0.2279, 0.2078, 0.1922, 0.1803, 0.1664],
    "val_loss": [0.3416, 0.2995, 0.2691, 0.2576, 0.2504, 0.2449, 0.2364, 0.2280, 0.2361, 0.2437],
    "accuracy": [0.8046, 0.8701, 0.8897, 0.9005, 0.9085, 0.9156, 0.9224, 0.9285, 0.9321, 0.9370],
}
history |= {
    "val_accuracy": [0.8709, 0.8859, 0.8989, 0.9015, 0.9087, 0.9083, 0.9137, 0.9188, 0.9202, 0.9180]
}

kerasviz.plot_history(history)

# %%
# Several trainings share one axis, with one colour each: the same network with the same initial
# weights, with a larger learning rate and with plain gradient descent. With the larger learning
# rate the loss soon stops falling; gradient descent is slow, but was still learning after ten
# epochs.

larger_step = {
    "loss": [0.5735, 0.4421, 0.4175, 0.4057, 0.3983, 0.3915, 0.3854, 0.3803, 0.3805, 0.3809],
    "val_loss": [0.3842, 0.3725, 0.3480, 0.3434, 0.3470, 0.3410, 0.3493, 0.3743, 0.3461, 0.3444],
}
descent = {
    "loss": [1.0041, 0.6483, 0.5754, 0.5223, 0.4877, 0.4576, 0.4374, 0.4201, 0.4056, 0.3886],
    "val_loss": [0.6305, 0.5468, 0.4783, 0.4437, 0.4107, 0.3991, 0.3771, 0.3595, 0.3580, 0.3399],
}

kerasviz.plot_history(
    {"Adam 0.001": history, "Adam 0.01": larger_step, "SGD 0.01": descent}, metrics="loss"
)
