"""# Does a map answer to every image alike?

One image shows what a map found in it, not what the map looks for. A table shows it: a row an
image, a column a map, all on one colour scale. Read a column from top to bottom to see what its
images have in common where the map is strong.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()
names = [kerasviz.fashion_mnist.CLASSES[label] for label in labels]

# %%
# Six maps of the first convolution and an image of each class: number 4 repeats what is bright, 5
# finds edges that face to the left, 8 those that face to the right, 9 those that face upwards and
# 29 those that face downwards. Number 16 is on where there is nothing, off inside the garment, and
# strongest at its right edge.

kerasviz.plot_feature_maps(
    model, "conv2d", images, sample="all", sample_names=names, tiles=[4, 5, 8, 9, 16, 29]
)

# %%
# Six maps of the second convolution, each over the image of its row.

kerasviz.plot_feature_maps(
    model,
    "conv2d_1",
    images,
    sample=[0, 1, 2, 8, 9],
    sample_names=names,
    overlay=True,
    tiles=[59, 55, 50, 39, 30, 1],
)

# %%
# The last layer has one value a class, and its table is what the network says about each image: it
# takes the coat for a pullover.

kerasviz.plot_feature_maps(model, "dense_1", images, sample="all", sample_names=names)
