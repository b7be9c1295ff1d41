"""# Has the training gone on for too long?

Loss and metrics over the epochs, what was computed on the training data dashed and on the
validation data solid. While both fall, the network learns; where the loss of validation rises
again, it begins to learn the training images by heart. The dotted line is the best epoch, the one
whose weights `EarlyStopping(restore_best_weights=True)` and `ModelCheckpoint(save_best_only=True)`
keep, with its values in the legend.
"""

import kerasviz

# %%
# `model.fit` returns a `History`, and `plot_history(model.fit(...))` is all that it takes; so does
# the path of the file that a `keras.callbacks.CSVLogger` wrote. These are the numbers of the
# training that made the network of `kerasviz.fashion_mnist`, rounded to four digits. It was to
# stop when the loss of validation had not fallen for two epochs.

history = {
    "loss": [0.5409, 0.3603, 0.3056, 0.2749, 0.2481, 0.2279, 0.2078, 0.1922, 0.1803, 0.1664],
    "val_loss": [0.3416, 0.2995, 0.2691, 0.2576, 0.2504, 0.2449, 0.2364, 0.2280, 0.2361, 0.2437],
    "accuracy": [0.8046, 0.8701, 0.8897, 0.9005, 0.9085, 0.9156, 0.9224, 0.9285, 0.9321, 0.9370],
    "val_accuracy": [
        0.8709, 0.8859, 0.8989, 0.9015, 0.9087, 0.9083, 0.9137, 0.9188, 0.9202, 0.9180
    ],
}  # fmt: skip

kerasviz.plot_history(history)

# %%
# Several trainings stand on one axis, a colour each: the same network from the same first weights,
# with a larger step and with plain gradient descent. With the larger step the loss soon falls no
# further; gradient descent is slow, but was still learning after ten epochs.

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
