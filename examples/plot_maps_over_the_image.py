"""# Where in the image does a feature map answer?

A feature map beside its image is hard to place. Laid over the image, each of its values covers the
part that it stands for: where the map is 0 the image is as it was, and the stronger the map
answers, the more it covers. The bar shows its colour twice, over black and over white, since the
image shines through.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()  # one image of each class

# %%
# The maps of the first convolution are as large as the image. Of the ankle boot, number 4 answers
# to all that is bright, 9 to edges that face upwards, 29 and 15 to the lower edge of the sole, 8
# and 6 to the edge at the back.

kerasviz.plot_feature_maps(
    model, "conv2d", images, sample=9, overlay=True, sort="norm", labels=True
)

# %%
# Two poolings later, one value stands for 4×4 pixels. Each keeps its own square, so that one sees
# how coarse the map has become: number 7 answers to the slope of the instep, 19 to the end of the
# heel.

kerasviz.plot_feature_maps(
    model,
    "max_pooling2d_1",
    images,
    sample=9,
    overlay=True,
    tiles=[59, 30, 50, 19, 55, 7],
    labels=True,
)

# %%
# `interpolation="bilinear"` smooths between the middles of these squares. That is easier on the
# eye, and hides where one value ends and the next begins.

kerasviz.plot_feature_maps(
    model,
    "max_pooling2d_1",
    images,
    sample=9,
    overlay=True,
    tiles=[59, 30, 50, 19, 55, 7],
    labels=True,
    interpolation="bilinear",
)
