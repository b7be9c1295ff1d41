"""# What is my network made of?

Each box is a layer, or a layer with what only finishes its work: a normalization, an activation, a
dropout. At the left it says what the layer is and what it is called; at the right how many
parameters it has and the shape of its output. The colour tells the kind of layer. Nothing but
kerasviz is needed, no Graphviz.
"""

import keras
from keras import layers

import kerasviz

model = kerasviz.fashion_mnist.load_model()
kerasviz.plot_architecture(model)

# %%
# With an image, each box that has a convolution shows its strongest feature maps for it, under
# their numbers. Each box has a colour scale of its own: compare maps within a box, and not between
# boxes.

images, labels = kerasviz.fashion_mnist.load_samples()
kerasviz.plot_architecture(model, inputs=images, sample=9)

# %%
# Networks with branches are laid out so that the main path is straight and what skips layers runs
# beside it. Where the stride is 2, a convolution of 1×1 brings the skipped path to the same shape.


def convolution(x, filters, stride=1, kernel=3):
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)


inputs = keras.Input((28, 28, 1), name="image")
x = layers.ReLU()(convolution(inputs, 16))
for filters, stride in ((16, 1), (32, 2), (64, 2)):
    shortcut = x if stride == 1 else convolution(x, filters, stride, kernel=1)
    x = layers.ReLU()(convolution(x, filters, stride))
    x = layers.ReLU()(layers.Add()([convolution(x, filters), shortcut]))
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10, activation="softmax")(x)
resnet = keras.Model(inputs, outputs, name="resnet")
kerasviz.plot_architecture(resnet)

# %%
# `detail="layers"` gives each layer a box of its own. What is taller than a page is cut into
# columns, and a line leads from the foot of one to the head of the next.

kerasviz.plot_architecture(resnet, detail="layers")

# %%
# In transfer learning a trained network is a layer of another. It is one box, or with `expand` a
# frame around its own layers. A dashed outline says that nothing in it is trained.

backbone = keras.Model(resnet.input, resnet.layers[-2].output, name="backbone")
backbone.trainable = False
photo = keras.Input((28, 28, 1), name="photo")
x = layers.RandomFlip("horizontal")(photo)
outputs = layers.Dense(3, activation="softmax", name="head")(backbone(x))
transfer = keras.Model(photo, outputs, name="transfer")
kerasviz.plot_architecture(transfer)

# %%
# Opened, it shows that every convolution in it is frozen.

kerasviz.plot_architecture(transfer, expand=1)
