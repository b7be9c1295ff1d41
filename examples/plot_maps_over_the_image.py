"""# Where in the image does a feature map respond?

With a feature map beside its image, it is hard to see which parts belong together. Drawn over the
image as a heat map, each value covers the part of the image that it belongs to. Where the map is 0
the image is unchanged, and the stronger the response, the more it covers. The colour bar shows each
colour twice, over black and over white, because the image shines through.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()  # one image of each class

# %%
# The maps of the first convolution are as large as the image. On the ankle boot, map 4 responds to
# everything bright, 9 to edges that face up, 29 and 15 to the lower edge of the sole, 8 and 6 to
# the edge at the back.

kerasviz.plot_feature_maps(
    model, "conv2d", images, sample=9, overlay=True, sort="norm", labels=True
)

# %%
# After two pooling layers, one value covers 4×4 pixels. Each value is one square, so you see how
# coarse the map has become: map 7 responds to the slope of the instep, 19 to the end of the heel.

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
# `interpolation="bilinear"` smooths between the centres of these squares. That is easier on the
# eye, but hides where one value ends and the next begins.

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
