"""# Which input drives a filter most?

Gradient ascent makes the input to which a unit responds most strongly, as large as what the unit
sees. It shows what drives the unit, not what the world looks like: so the strongest image of a data
set is drawn beside it.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
try:  # 1,000 of the test images, where they are on this machine
    images = kerasviz.fashion_mnist.load_data().test.images[:1000]
except FileNotFoundError:  # else the ten images that ship with kerasviz
    images, _ = kerasviz.fashion_mnist.load_samples()

# %%
# Units of the first layer see 3×3 pixels. Their preferred input is 1 where the kernel is positive
# and 0 where it is negative, and this can be read off the kernel.

kerasviz.plot_preferred_inputs(model, "conv2d", filters=8)

# %%
# Units of the second layer see 8×8 pixels, and no kernel tells what they like. At the right of each
# is what the unit saw in the image that drives it most, with its response.

statistics = kerasviz.filter_statistics(model, "conv2d_1", images, batch_size=250)
kerasviz.plot_preferred_inputs(model, statistics=statistics, filters=[8, 35, 62, 9, 11, 2, 21, 63])

# %%
# With `like=` the spectrum is that of real images, and only the phases are free.

kerasviz.plot_preferred_inputs(model, "conv2d_1", like=images, filters=[8, 35, 62, 9])

# %%
# The same of an output is an adversarial example: the model is sure of it, and it shows no garment.

kerasviz.plot_preferred_inputs(model, "dense_1", filters=[1, 5, 7, 9])
