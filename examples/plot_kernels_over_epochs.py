"""# How do kernels change over epochs?

`KernelSnapshots` and `FeatureMapSnapshots` are callbacks. Pass them to `model.fit`, and after every
epoch, or every N batches, they draw what `plot_kernels` and `plot_feature_maps` would draw. The
pictures go into a folder, one animation per layer, TensorBoard, or a function of your own.

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

import keras
import matplotlib.pyplot as plt
import numpy as np

import kerasviz

images, labels = kerasviz.fashion_mnist.load_samples()
keras.utils.set_random_seed(0)
model = kerasviz.fashion_mnist.build_model()
model.compile("adam", "sparse_categorical_crossentropy")

# %%
# Ten images are far too few to learn what clothes look like, but enough to see kernels change. The
# function receives the epoch, the layer's address and the finished plot. This one ignores the plot
# and stores the current weights, together with those from before training.

kernels = {0: kerasviz.get_kernels(model, "conv2d")}


def keep(epoch, address, _):
    kernels[epoch] = kerasviz.get_kernels(model, address)


snapshots = kerasviz.KernelSnapshots("conv2d", on_plot=keep)
model.fit(images, labels, batch_size=1, epochs=20, verbose=0, callbacks=[snapshots])

# %%
# One column per kernel and one row per epoch, all on one colour scale. The kernels become stronger,
# and their random initial values still show through at the end.

epochs = (0, 1, 3, 10, 20)
reach = max(np.abs(kernels[epoch]).max() for epoch in epochs)
figure, axes = plt.subplots(len(epochs), figsize=(9.6, 5), layout="constrained")
for ax, epoch in zip(axes, epochs, strict=True):
    plot = kerasviz.plot_tiles(
        kernels[epoch][:, :, 0, :12],
        columns=12,
        vmin=-reach,
        vmax=reach,
        colorbar=False,
        title=f"epoch {epoch}",
        ax=ax,
    )
figure.colorbar(plot.images[0], ax=axes, aspect=40)

# %%
# What training added to each kernel: the weights after the last epoch minus the initial weights.

kerasviz.plot_tiles(
    kernels[20][:, :, 0] - kernels[0][:, :, 0], labels=True, title="conv2d: epoch 20 minus epoch 0"
)

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
