"""# Which filters are dead, rare or duplicates?

A filter is dead if it returns one value everywhere, for every image; it is rare if it fires in less
than 1 % of the images. Two filters are duplicates if their responses have a correlation above 0.99.
A single image cannot tell any of this.
"""

import numpy as np

import kerasviz

model = kerasviz.fashion_mnist.load_model()
names = kerasviz.fashion_mnist.CLASSES
try:  # the 10,000 test images, where they are on this machine
    images, labels = kerasviz.fashion_mnist.load_data().test
except FileNotFoundError:  # else the ten images that ship with kerasviz
    images, labels = kerasviz.fashion_mnist.load_samples()

# %%
# All layers take one pass together. Over the test images no convolution has a dead filter, but 39
# of the 100 units of the dense layer are: they return 0 for each of the 10,000 images.

layers = ["conv2d", "conv2d_1", "dense"]
statistics = kerasviz.filter_statistics(model, layers, images, labels=labels, batch_size=250)
for each in statistics.values():
    print(repr(each).partition("\n")[0])

# %%
# What is odd comes first. A dead unit has no strongest image; a rare one may have three of 10,000.

kerasviz.plot_filters(
    model,
    "dense",
    statistics["dense"],
    class_names=names,
    filters=[3, 60, 2, 10],
    preferred=False,
)

# %%
# Is it true? Leave the dead units out, by hand: every answer stays the same. More than a third of
# the network's weights lead into or out of these units, and do nothing.

dead = statistics["dense"].dead
weights, bias = model.get_layer("dense_1").get_weights()
responses = kerasviz.get_feature_maps(model, "dense", images, batch_size=250)
with_all = (responses @ weights + bias).argmax(axis=1)
alive = np.delete(np.arange(100), dead)
without = (responses[:, alive] @ weights[alive] + bias).argmax(axis=1)
incoming = model.get_layer("dense").kernel.shape[0] + 1
idle = len(dead) * (incoming + weights.shape[1])
print(f"{len(dead)} dead units; {(with_all == without).mean():.0%} of the answers stay the same")
print(f"{idle:,} of {model.count_params():,} weights belong to them")

# %%
# The distribution of what each layer returns, on a logarithmic scale: most of it is 0.

kerasviz.plot_activation_histograms(model, inputs=statistics)
