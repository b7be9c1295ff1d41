"""# How does the window move over the image?

The window takes one step after another, from left to right and from top to bottom, and each step
writes one value of the output map. What is grey has not been computed yet.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, _ = kerasviz.fashion_mnist.load_samples()
boot = images[9]

# %%
# Parts of two rows of the way over the boot, at the front of its shaft: kernel 5 is strong where
# the image becomes brighter to the right. Without `positions` the window walks over the whole
# image; of these 784 steps one in four is shown.

steps = [(row, column) for row in (11, 12) for column in range(8, 24)]
kerasviz.animate_convolution(model, "conv2d", boot, filter=5, positions=steps, interval=200)

# %%
# In a notebook this is a player. `animate_convolution(...).save("boot.gif")` writes a GIF, and
# `.save("boot.mp4")` a video. When the window has been everywhere, the map is whole:

kerasviz.plot_convolution(model, "conv2d", boot, position=(27, 27), filter=5)
