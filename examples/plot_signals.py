"""# What does a network see in a signal?

A heartbeat of sums of waves, and a small `Conv1D` network that finds out whether a beat comes
early. Its feature maps are curves over time, all on one scale, below the signal itself; its kernels
are stems, red above 0 and blue below.
"""

import keras
import numpy as np

import kerasviz

keras.utils.set_random_seed(2)
rng = np.random.default_rng(0)


def make_signals(count, steps=160):
    """Return heartbeats with a bump, a spike and a wave each, and which ones have an early beat."""
    times = np.arange(steps)
    early = rng.integers(0, 2, count)
    signals = rng.normal(0, 0.03, (count, steps))
    for signal, is_early in zip(signals, early, strict=True):
        beats = np.arange(20, steps, 40) + rng.integers(-2, 3)
        beats[2] -= 14 * is_early
        for beat in beats:
            for offset, height, width in (
                (-7, 0.15, 2.5),
                (0, 1.0, 1.0),
                (2, -0.3, 1.2),
                (11, 0.3, 4),
            ):
                signal += height * np.exp(-(((times - beat - offset) / width) ** 2))
    return signals[..., np.newaxis].astype("float32"), early


signals, early = make_signals(300)
model = keras.Sequential(
    [
        keras.Input((160, 1)),
        keras.layers.Conv1D(8, 9, padding="same", activation="relu", name="conv"),
        keras.layers.MaxPooling1D(4),
        keras.layers.Conv1D(12, 11, padding="same", activation="relu", name="deep"),
        keras.layers.GlobalMaxPooling1D(),
        keras.layers.Dense(1, activation="sigmoid", name="early"),
    ]
)
model.compile("adam", "binary_crossentropy")
model.fit(signals, early, epochs=10, verbose=0)

sample = int(np.flatnonzero(early)[0])
kerasviz.plot_feature_maps(model, "conv", signals, sample=sample)

# %%
# The kernels are what the filters look for: a filter responds where the signal goes as its stems.

kerasviz.plot_kernels(model, "conv")

# %%
# With `overlay=True` the signal is in each strip. As rows, the maps are colours under it: where a
# strip is orange, the filter responded. Some of these respond between two beats that are too close.

kerasviz.plot_feature_maps(model, "deep", signals, sample=sample, top=6, overlay=True, kind="rows")
