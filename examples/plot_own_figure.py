"""# How do I put the pictures into a figure of my own?

Every plot takes `ax=` for one panel, or `figure=` for several, and leaves the rest of your figure
alone. The `Plot` that you get back holds the Matplotlib artists, so you can change anything.
"""

import matplotlib.pyplot as plt

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()

# %%
# One figure with the image, its prediction and its strongest maps.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
left.imshow(images[9, ..., 0], cmap="gray")
left.set_title("the image")
left.axis("off")
middle.barh(kerasviz.fashion_mnist.CLASSES, model.predict(images[9:10], verbose=0)[0])
middle.set_title("the prediction")
plot = kerasviz.plot_feature_maps(
    model, "conv2d_1", images, sample=9, top=16, title="the 16 strongest of 64 maps", ax=right
)

# %%
# You can read back the values that are drawn; the gaps between the tiles are masked.

array = plot.images[0].get_array()
print(array.shape, f"{array.count()} values, the largest {array.max():.2f}")
