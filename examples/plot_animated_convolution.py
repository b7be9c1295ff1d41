"""# How does the window move over the image?

The window moves step by step, from left to right and from top to bottom, and each step computes one
value of the output map. Values that are still grey have not been computed yet.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, _ = kerasviz.fashion_mnist.load_samples()
boot = images[9]

# %%
# Here the window moves along parts of two rows, at the front of the boot's shaft. Kernel 5 responds
# where the image becomes brighter to the right. Without `positions` the window moves over the whole
# image; every fourth of these 784 steps is shown.

steps = [(row, column) for row in (11, 12) for column in range(8, 24)]
kerasviz.animate_convolution(model, "conv2d", boot, filter=5, positions=steps, interval=200)

# %%
# In a notebook this is a player, with the numbers of each step. The space bar starts and stops it,
# and the arrow keys move by one step. `animate_convolution(...).save("boot.gif")` writes a GIF, and
# `.save("boot.mp4")` a video. After the last step, the map is complete:

kerasviz.plot_convolution(model, "conv2d", boot, position=(27, 27), filter=5)
