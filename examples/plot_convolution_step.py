"""# What does a convolution do to my image?

A kernel is a small grid of weights. A convolution places it on the image, multiplies each value
under it by its weight, and sums the products; the sum plus a bias is one value of the output map.
Read the picture from left to right: the window on the image, the values in it, the kernel, the
products, and the position in the output map where their sum goes. The line below is the same sum in
numbers.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, _ = kerasviz.fashion_mnist.load_samples()
boot = images[9]

# %%
# Kernel 5 of the first layer has negative weights on its left and positive ones on its right, so
# the sum is large where the image becomes brighter to the right, as at the front of the boot's
# shaft. The activation, ReLU, does not change a positive sum.

kerasviz.plot_convolution(model, "conv2d", boot, position=(11, 15), filter=5)

# %%
# At the back of the boot the image becomes darker to the right, and the sum is negative. ReLU sets
# it to 0. The window extends beyond the edge of the image: the hatched cells are padding.

kerasviz.plot_convolution(model, "conv2d", boot, position=(14, 27), filter=5)

# %%
# Pooling makes a map smaller. It takes the largest value of each 2×2 window; windows do not
# overlap, because the stride equals the window size.

kerasviz.plot_convolution(model, "max_pooling2d", boot, position=(5, 7), filter=5)

# %%
# The second convolution reads all 32 maps of the first one, with one kernel slice for each. The
# three maps that contribute most to this value are drawn; the sum gives the other 29 as one number.

kerasviz.plot_convolution(model, "conv2d_1", boot, position=(11, 7), filter=52)
