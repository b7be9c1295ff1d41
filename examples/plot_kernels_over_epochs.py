"""# How do kernels change over epochs?

`KernelSnapshots` and `FeatureMapSnapshots` are callbacks. Pass them to `model.fit`, and after every
epoch, or every N batches, they record kernels or feature maps and draw them. The pictures go into a
folder, one animation per layer, TensorBoard, or a function of your own.

```python
model.fit(
    images, labels, epochs=20,
    callbacks=[
        kerasviz.KernelSnapshots(directory="pictures", gif="pictures"),
        kerasviz.FeatureMapSnapshots(images, sample=9, every="100 batches", log_dir="logs/run1"),
    ],
)
```
"""

import tempfile

import keras

import kerasviz

images, labels = kerasviz.fashion_mnist.load_samples()
keras.utils.set_random_seed(0)
model = kerasviz.fashion_mnist.build_model()
model.compile("adam", "sparse_categorical_crossentropy")
before = kerasviz.get_kernels(model, "conv2d")

# %%
# Ten images are far too few to learn what clothes look like, but enough to see kernels change.
# Beside each picture, `directory` gets a record of the values.

folder = tempfile.mkdtemp()
snapshots = kerasviz.KernelSnapshots("conv2d", directory=folder)
model.fit(images, labels, batch_size=1, epochs=20, verbose=0, callbacks=[snapshots])

# %%
# From the records, `plot_snapshots` draws any of the steps, all on one colour scale. The kernels
# become stronger, and their random initial values still show through at the end.

kerasviz.plot_snapshots(folder, "conv2d", steps=[1, 3, 10, 20])

# %%
# `animate_snapshots` returns an animation: a player in a notebook, which can be saved as a GIF.

kerasviz.animate_snapshots(folder, "conv2d", tiles=slice(0, 12)).save(f"{folder}/kernels.gif")

# %%
# What training added to each kernel: the weights after the last epoch minus the initial weights.

added = kerasviz.get_kernels(model, "conv2d") - before
kerasviz.plot_tiles(added[:, :, 0], labels=True, title="conv2d: epoch 20 minus the beginning")

# %%
# An experiment tracker can log the figure of each plot. With Weights & Biases, where `run` is the
# result of `wandb.init`, and with MLflow:
#
# ```python
# on_plot=lambda step, address, plot: run.log({f"kernels/{address}": wandb.Image(plot.figure)})
#
# on_plot=lambda step, address, plot: mlflow.log_figure(
#     plot.figure, f"kernels/{address}/{step:04d}.png"
# )
# ```
