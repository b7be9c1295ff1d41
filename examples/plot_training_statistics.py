"""# Is my network learning at the right speed?

The loss tells that something is wrong, and the weights what it is. By which part of its size does
one step of training move a kernel? As a rule of thumb it should be near 0.001, the dotted line
(CS231n, "Ratio of weights:updates"). Far below, the network hardly moves; far above, each step
undoes what the ones before have learned, and filters die: whatever image comes, they answer the
same.
"""

import keras
import matplotlib.pyplot as plt

import kerasviz
from kerasviz import fashion_mnist

# %%
# The callback `WeightStatistics` writes down the numbers of each layer after every epoch, in memory
# and, with `csv` or `log_dir`, to a file or to TensorBoard. With `inputs` it counts dead filters
# too. This is the network of Fashion-MNIST from its first step, at three learning rates.
#
# The ten images that come with kerasviz are far too few to learn what clothes look like, and a
# network learns them by heart; but at which speed it moves can be seen.

images, labels = fashion_mnist.load_samples()


def train(learning_rate):
    keras.utils.set_random_seed(0)
    model = fashion_mnist.build_model()
    model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy")
    statistics = kerasviz.WeightStatistics(["conv2d*", "dense*"], inputs=images)
    history = model.fit(images, labels, batch_size=5, epochs=15, verbose=0, callbacks=[statistics])
    return statistics, history.history["loss"]


# %%
# At 0.00001, steps are too small: the loss stays near 2.3, which is what guessing one of ten
# classes costs. At 0.001, Adam's own default, it falls; that the ratio is above the rule of thumb
# is usual for the first steps. At 0.1, these move every kernel by a third of its size or more, soon
# nearly all filters are dead, and since no image makes a difference any more, the loss is that of
# guessing again. That the ratio is then on its way back to 0.001 is no good sign: look at both.
#
# That a part of the units of `dense` answers to none of these images is no fault, with so few
# images. Give a batch of some hundreds to find the filters that are really dead.

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
# Mean, standard deviation and norm are there as well: here those of the last training, in which
# weights grew to many times their size.

kerasviz.plot_training_statistics(statistics, statistics=["mean", "std", "norm"], columns=3)
