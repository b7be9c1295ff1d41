"""# Why does a face detector see a face?

An explanation of a trained photo network, with its proof. The map shows which pixels speak for
"face" (red) and against it (blue). The curves beside it show what happens to the answer when the
strongest pixels are erased, and when nothing else is left. A map that does not beat random
pixels says so in its title.
"""

# %%
# The network is O-Net, the last of the three networks of the face detector MTCNN, with the trained
# weights of the package `mtcnn` (MIT licence). It gives a box, five landmarks, and whether it sees
# a face; we keep the last output. The photo ships with scikit-image. This page needs
# `pip install mtcnn scikit-image`.

import keras
from mtcnn.network.onet import ONet
from mtcnn.utils.tensorflow import load_weights
from skimage import data

import kerasviz

network = ONet()
network.build()
network.set_weights(load_weights("onet.lz4"))
layers = [layer for layer in network.layers if layer.name not in ("fc6-1", "fc6-2")]
model = keras.Sequential([keras.Input((48, 48, 3)), *layers], name="onet")

# %%
# The photo goes in as the training photos did: 48×48 pixels, values from −1 to 1.

face = data.astronaut()[60:168, 180:288]
resized = keras.ops.image.resize(face, (48, 48), antialias=True)
image = (keras.ops.convert_to_numpy(resized) - 127.5) / 128

# %%
# SmoothGrad marks the eyes, the nose and the mouth, and the curves confirm it: without the
# strongest fifth of the pixels the network does not see a face any more, and it takes twice as many
# random pixels. Grad-CAM has only 3×3 cells here, and fails the same test.

kerasviz.plot_attributions(
    model, image, method=["smoothgrad", "grad-cam"], class_names=["no face", "face"]
)

# %%
# The first layer reads RGB, so its kernels are drawn in colour: edges, bars, and single colours.
# Kernels 20 and 26 are nearly each other's inverse, and so are their maps.

kerasviz.plot_kernels(model, "conv1", labels=True)
kerasviz.plot_feature_maps(model, "conv1", image, top=12, labels=True)
