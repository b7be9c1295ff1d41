"""# Do two models look at the same place?

Two models can give the same answer for different reasons. Drawn on one scale, their maps can be
compared: before and after training, with and without pruning, this week's and last week's.
"""

import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()  # one image of each class
names = kerasviz.fashion_mnist.CLASSES

# %%
# Half of the weights of each layer are set to zero, the smallest ones. The pruned model gives the
# same answers, from much the same pixels, though its logits are smaller.

pruned = keras.models.clone_model(model)
pruned.set_weights([np.where(np.abs(w) < np.median(np.abs(w)), 0, w) for w in model.get_weights()])

kerasviz.plot_attributions(
    {"trained": model, "pruned": pruned}, images, sample=[9, 6], labels=labels, class_names=names
)

# %%
# The callback `Snapshots` draws such a picture while a model is trained. With `vmax` all of them
# have one scale, so that you see the attributions grow. Here a new network learns the ten images;
# of its pictures, two are shown.

keras.utils.set_random_seed(0)
network = kerasviz.fashion_mnist.build_model()
network.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")


def why(trained):
    return kerasviz.plot_attributions(
        trained, images, sample=9, target=9, class_names=names, vmax=0.3
    )


with tempfile.TemporaryDirectory() as folder:
    snapshots = kerasviz.Snapshots(why, directory=folder, every=5, name="why")
    network.fit(images, labels, epochs=10, verbose=0, callbacks=[snapshots])
    pictures = sorted(Path(folder).rglob("*.png"))
    figure, axes = plt.subplots(2, 1, figsize=(7, 6.4), layout="constrained")
    for ax, path in zip(axes, (pictures[0], pictures[1]), strict=True):
        ax.imshow(plt.imread(path))
        ax.set_title(path.name)
        ax.set_axis_off()
