"""# Does a map respond to every image in the same way?

One image shows what a map found in it, not what the map looks for. A table of several images does:
one row per image and one column per map, all on one colour scale. Read a column from top to bottom
to see what the images have in common where the map is strong.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()
names = [kerasviz.fashion_mnist.CLASSES[label] for label in labels]

# %%
# Six maps of the first convolution and one image of each class: map 4 repeats what is bright, 5
# finds edges that face left, 8 those that face right, 9 those that face up and 29 those that face
# down. Map 16 is weakly active on the empty background, off inside the garment, and strongest at
# its right edge.

kerasviz.plot_feature_maps(
    model, "conv2d", images, sample="all", sample_names=names, tiles=[4, 5, 8, 9, 16, 29]
)

# %%
# Six maps of the second convolution, each drawn over the image of its row.

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
# The last layer has one value per class, so its table shows the prediction for each image. The
# network takes the coat for a pullover.

kerasviz.plot_feature_maps(model, "dense_1", images, sample="all", sample_names=names)
