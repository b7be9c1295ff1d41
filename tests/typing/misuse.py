"""Mistakes of a user, one a line: a type checker has to report each marked line, and no other."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import kerasviz
from kerasviz import fashion_mnist

model = fashion_mnist.load_model()
image = np.zeros((28, 28))

kerasviz.plot_kernel(model, 0)  # mistake: a name that does not exist
kerasviz.plot_kernels(model, 0, lables=True)  # mistake: a misspelt keyword
kerasviz.plot_kernels(model, 0, scale="tiles")  # mistake: a word that does not exist
kerasviz.plot_kernels(model, 0, channel="first")  # mistake
kerasviz.plot_kernels(model, 0, columns="8")  # mistake: a string for an integer
kerasviz.plot_kernels(model, 0, "mean")  # mistake: a keyword given by its place
kerasviz.plot_kernels()  # mistake: no model
kerasviz.plot_tiles([[1.0, 2.0]])  # mistake: a list for an array
kerasviz.plot_tiles(image, sort="size")  # mistake
kerasviz.plot_tiles(image, ax=Figure())  # mistake: a figure for an Axes
kerasviz.plot_tiles(image, vmin="0")  # mistake
kerasviz.plot_feature_maps(model, 0, image, sample="first")  # mistake
kerasviz.plot_feature_maps(model, 0, image, interpolation="cubic")  # mistake
kerasviz.plot_convolution(model, 0, image)  # mistake: no position
kerasviz.plot_convolution(model, 0, image, position="3")  # mistake: a string for a position
kerasviz.plot_architecture(model, detail="block")  # mistake
kerasviz.plot_kernel_histograms(model, scale="tile")  # mistake: no scale of histograms
kerasviz.plot_history({}, mode="maximum")  # mistake
kerasviz.compare_kernels([model, model], 0)  # mistake: a list for a mapping
kerasviz.get_feature_maps(model, 0, image, batch_size="32")  # mistake
kerasviz.get_kernels(model, 0).mean()  # mistake: may be a dict
kerasviz.save_feature_maps(model, 0, image)  # mistake: no path
kerasviz.KernelSnapshots(0, every=1.5)  # mistake
kerasviz.FeatureMapSnapshots()  # mistake: no inputs
kerasviz.WeightStatistics(csv=3)  # mistake
print(kerasviz.kernel_statistics(model)["conv2d"].median)  # mistake: no such number
print(kerasviz.plot_tiles(image).image)  # mistake: there are several
kerasviz.plot_tiles(image).figure = Figure()  # mistake: a plot is frozen
print(kerasviz.plot_tiles(image).panels[0].index)  # mistake: there are indices
options: kerasviz.TileOptions = {"scale": "both"}  # mistake
fashion_mnist.train(epochs="2")  # mistake

kerasviz.plot_kernels(model, 0, scale="tile", columns=8, labels=True)
kerasviz.plot_tiles(image, vmin=0, title=False)
