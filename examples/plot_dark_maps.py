"""# Why are my feature maps so dark?

All maps of a layer share one colour scale, so that twice as bright is twice as strong. Where one
filter answers far more strongly than the rest, the rest is dark, and that is the truth. To see
shapes instead of strengths, give each map its own scale.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()
kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=1)

# %%
# Each map on its own scale. There is no colour bar, since none would be right for all.

kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=1, scale="tile")

# %%
# Or cut the top off: values above the limit are drawn as if they were at it, and the bar ends in an
# arrow that says so.

kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=1, vmax=1)
