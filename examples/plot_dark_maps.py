"""# Why are my feature maps so dark?

All maps of a layer share one colour scale, so that twice as bright is twice as strong. If one
filter responds far more strongly than the rest, the rest are dark, as they should be. To see shapes
instead of strengths, give each map its own scale.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()
kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=1)

# %%
# With each map on its own scale, there is no colour bar: one bar could not be right for all.

kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=1, scale="tile")

# %%
# Or let the colours end where 98 % of the values do: those above get the brightest colour, the
# colour bar ends in an arrow, and the title counts them. Where single values would wash out all
# others, kerasviz does so by itself.

kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=1, robust=True)

# %%
# If there are too many dark maps to look at, draw the strongest alone.

kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=1, top=16, labels=True)
