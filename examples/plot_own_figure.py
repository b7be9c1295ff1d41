"""# How do I put the pictures into a figure of my own?

Every plot takes `ax=` for one panel, or `figure=` for several, and leaves the rest of your figure
alone. What you get back holds the Matplotlib artists, to change whatever you like.
"""

import matplotlib.pyplot as plt

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()

# %%
# The image, its prediction and some of its maps in one figure.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
left.imshow(images[9, ..., 0], cmap="gray")
left.set_title("the image")
left.axis("off")
middle.barh(kerasviz.fashion_mnist.CLASSES, model.predict(images[9:10], verbose=0)[0])
middle.set_title("the prediction")
plot = kerasviz.plot_feature_maps(
    model, "conv2d_1", images, sample=9, tiles=slice(16), title="16 of 64 feature maps", ax=right
)

# %%
# The values that are drawn can be read back: the gaps between the tiles are masked.

array = plot.images[0].get_array()
print(array.shape, f"{array.count()} values, the largest {array.max():.2f}")
