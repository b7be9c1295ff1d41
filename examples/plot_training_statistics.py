"""# Is my network learning at the right speed?

The loss says that something is wrong, and the weights say what. How far does one training step move
a kernel, relative to its size? As a rule of thumb the ratio should be near 0.001, the dotted line
(CS231n, "Ratio of weights:updates"). Far below, the network hardly learns; far above, each step
undoes what earlier steps have learned, and filters die: they give the same output for every image.
"""

import keras
import matplotlib.pyplot as plt

import kerasviz
from kerasviz import fashion_mnist

# %%
# The callback `WeightStatistics` records the numbers of each layer after every epoch, in memory
# and, with `csv` or `log_dir`, in a file or in TensorBoard. With `inputs` it counts dead filters
# too. We train the Fashion-MNIST network from scratch at three learning rates.
#
# The ten images that ship with kerasviz are far too few to learn what clothes look like, and the
# network memorises them; but you can see how fast it moves.

images, labels = fashion_mnist.load_samples()


def train(learning_rate):
    keras.utils.set_random_seed(0)
    model = fashion_mnist.build_model()
    model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy")
    statistics = kerasviz.WeightStatistics(["conv2d*", "dense*"], inputs=images)
    history = model.fit(images, labels, batch_size=5, epochs=15, verbose=0, callbacks=[statistics])
    return statistics, history.history["loss"]


# %%
# At 0.00001 the steps are too small: the loss stays near 2.3, the loss of guessing one of ten
# classes. At 0.001, Adam's default, it falls; a ratio above the rule of thumb is normal for the
# first steps. At 0.1 the first steps move every kernel by a third of its size or more. Soon nearly
# all filters are dead, images no longer make a difference, and the loss is that of guessing again.
# The ratio then falls back towards 0.001, but that does not mean that all is well: look at both
# panels.
#
# With only ten images it is normal that some units of `dense` respond to none of them. Pass a batch
# of a few hundred images to find filters that are really dead.

rates = (0.00001, 0.001, 0.1)
figure = plt.figure(figsize=(10, 11))
for part, rate in zip(figure.subfigures(len(rates)), rates, strict=True):
    statistics, loss = train(rate)
    kerasviz.plot_training_statistics(
        statistics,
        statistics=["update_ratio", "dead"],
        title=f"learning rate {rate:g}: loss {loss[0]:.2f} to {loss[-1]:.2f}",
        figure=part,
    )

# %%
# Mean, standard deviation and norm are recorded too. These are the values of the last training, in
# which the weights grew to many times their size.

kerasviz.plot_training_statistics(statistics, statistics=["mean", "std", "norm"], columns=3)
