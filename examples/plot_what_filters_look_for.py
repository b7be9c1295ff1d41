"""# What does each filter look for?

A kernel says what a filter computes, and a feature map what it makes of one image. What it is good
for shows in a whole data set: which images drive it most, and where in them. One pass over the
images keeps that for every filter.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
names = kerasviz.fashion_mnist.CLASSES
try:  # the 10,000 test images, where they are on this machine
    images, labels = kerasviz.fashion_mnist.load_data().test
except FileNotFoundError:  # else the ten images that ship with kerasviz
    images, labels = kerasviz.fashion_mnist.load_samples()

# %%
# `filter_statistics` takes arrays, generators, a `tf.data.Dataset`, a `PyDataset` or a
# `DataLoader`; its memory does not grow with the number of images. The result can be saved and
# loaded, and the pictures below need no second pass.

statistics = kerasviz.filter_statistics(model, "conv2d_1", images, labels=labels, batch_size=250)

# %%
# One card per filter, for the four that prefer one class most. The frame is all that the unit sees;
# the rest of the image is pale. The input at the left is synthetic: it drives the unit more than
# any image does.
#
# Over the test images, filter 62 looks for a bright diagonal on black, and finds it in the straps
# of sandals: eight of its nine strongest images are sandals, one is a bag. Filter 8 looks for a
# narrow dark gap at the lower edge, between the legs of trousers: seven of nine. Neither its kernel
# nor a map shows that.

kerasviz.plot_filters(model, "conv2d_1", statistics, class_names=names, filters=4)

# %%
# Any filters, in your own order. `sort="odd"` draws the dead, the rare and the duplicates first.

kerasviz.plot_filters(model, "conv2d_1", statistics, class_names=names, filters=[21, 63])
