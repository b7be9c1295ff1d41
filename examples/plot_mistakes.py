"""# Where is the model wrong, and why?

The mistakes that a model is surest of teach most: a wrong label, a second object, a shortcut. Each
is drawn with a map of why the model gives its answer (red) and not the true one (blue), and with
the most probable classes.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()  # one image of each class
names = kerasviz.fashion_mnist.CLASSES

# %%
# The ten images that ship with kerasviz are all recognised. Upside down, most are not: the network
# has seen upright garments alone. `inputs` may also be a `tf.data.Dataset`, a `PyDataset`, a
# `DataLoader` or a generator of batches `(x, y)`, of any length.

kerasviz.plot_mistakes(model, images[:, ::-1], labels, samples=6, class_names=names)
