"""# Which filters, and which layers, are alike?

Filters that respond at the same places are redundant. Layers are alike if they find the same images
alike; linear CKA measures this, whatever the number of their filters, also between two models.
"""

import keras

import kerasviz

model = kerasviz.fashion_mnist.load_model()
try:  # 1,000 of the test images, where they are on this machine
    images = kerasviz.fashion_mnist.load_data().test.images[:1000]
except FileNotFoundError:  # else the ten images that ship with kerasviz
    images, _ = kerasviz.fashion_mnist.load_samples()

# %%
# The correlation of the filters of a layer, over all places of all images. Those that are alike are
# neighbours, and the title names the pair that is most alike. In the first convolution several
# filters are nearly duplicates: over the test images, filters 15 and 17 have a correlation of 0.93.

kerasviz.plot_filter_similarity(model, "conv2d", images)

# %%
# The CKA of several layers is 1 where two layers see images alike. Pooling changes little, and the
# further apart two layers are, the less they have in common.

layers = ["conv2d", "max_pooling2d", "conv2d_1", "max_pooling2d_1", "dense", "dense_1"]
kerasviz.plot_filter_similarity(model, layers, images, batch_size=250)

# %%
# Two models, such as before and after training. The first convolution sees images much as random
# filters do; what was learned is in the later layers.

keras.utils.set_random_seed(0)
untrained = kerasviz.fashion_mnist.build_model()
models = {"trained": model, "untrained": untrained}
kerasviz.plot_filter_similarity(models, ["conv2d", "conv2d_1", "dense", "dense_1"], images)
