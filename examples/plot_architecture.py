"""# What is my network made of?

Each box is one layer, together with the normalization, activation or dropout that follows it. On
the left are the type and the name of the layer; on the right its number of parameters and the shape
of its output. The colour shows the kind of layer. You need nothing but kerasviz, no Graphviz.
"""

import keras
from keras import layers

import kerasviz

model = kerasviz.fashion_mnist.load_model()
kerasviz.plot_architecture(model)

# %%
# If you pass an image, each box with a convolution shows its strongest feature maps, with their
# indices. Each box has its own colour scale: compare maps within a box, not between boxes.

images, labels = kerasviz.fashion_mnist.load_samples()
kerasviz.plot_architecture(model, inputs=images, sample=9)

# %%
# In a network with branches the main path is straight, and skip connections run beside it. Where
# the stride is 2, a 1×1 convolution brings the skip connection to the same shape. Blocks that
# follow one another and are alike are drawn once: "× 2" says how often; `fold=False` draws all.


def convolution(x, filters, stride=1, kernel=3):
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)


inputs = keras.Input((28, 28, 1), name="image")
x = layers.ReLU()(convolution(inputs, 16))
for filters, stride in ((16, 1), (16, 1), (32, 2), (64, 2)):
    shortcut = x if stride == 1 else convolution(x, filters, stride, kernel=1)
    x = layers.ReLU()(convolution(x, filters, stride))
    x = layers.ReLU()(layers.Add()([convolution(x, filters), shortcut]))
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10, activation="softmax")(x)
resnet = keras.Model(inputs, outputs, name="resnet")
kerasviz.plot_architecture(resnet)

# %%
# An encoder and a decoder with skips between them are drawn as a U: down at the left, up at the
# right, and each skip is one straight line between layers of the same size.

inputs = x = keras.Input((32, 32, 1), name="photo")
skips = []
for filters in (8, 16):
    skips.append(layers.Conv2D(filters, 3, padding="same", activation="relu")(x))
    x = layers.MaxPooling2D()(skips[-1])
x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
for filters in (16, 8):
    x = layers.Conv2DTranspose(filters, 2, 2)(x)
    x = layers.Concatenate()([skips.pop(), x])
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
unet = keras.Model(inputs, layers.Conv2D(2, 1, activation="softmax", name="mask")(x), name="unet")
kerasviz.plot_architecture(unet)

# %%
# `detail="layers"` draws one box per layer. A diagram that is taller than a page is cut into
# columns, and a line leads from the bottom of one column to the top of the next.

kerasviz.plot_architecture(resnet, detail="layers")

# %%
# In transfer learning a trained network is a layer of another network. It is drawn as one box, or
# with `expand` as a frame around its own layers. A dashed outline means that nothing in it is
# trained.

backbone = keras.Model(resnet.input, resnet.layers[-2].output, name="backbone")
backbone.trainable = False
photo = keras.Input((28, 28, 1), name="photo")
x = layers.RandomFlip("horizontal")(photo)
outputs = layers.Dense(3, activation="softmax", name="head")(backbone(x))
transfer = keras.Model(photo, outputs, name="transfer")
kerasviz.plot_architecture(transfer)

# %%
# Expanded, it shows that every convolution in it is frozen.

kerasviz.plot_architecture(transfer, expand=1)
