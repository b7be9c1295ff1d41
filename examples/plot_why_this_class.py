"""# Which part of the image made the model say this?

An attribution gives each pixel a number: how much it speaks for the answer (red) or against it
(blue). Beside each map you see whether to believe it: the probability of the answer while its
strongest pixels are erased (deletion) and while they are put into an empty image (insertion), and
the same for random pixels (dashed).
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()  # one image of each class
names = kerasviz.fashion_mnist.CLASSES

# %%
# Integrated gradients share the logit of the answer among the pixels, so that they add up; the
# title says by how much the sum is off. For the boot, the toe, the edge of the sole and the top of
# the shaft count most. When the strongest tenth of the pixels is erased, the network does not see a
# boot any more; it takes three times as many random pixels.

kerasviz.plot_attributions(model, images, sample=[9, 6], labels=labels, class_names=names)

# %%
# Several methods give a column each. Those that speak about pixels are drawn on white; class
# activation maps, such as Grad-CAM, speak about the cells of a layer and are drawn over the image.
# The cells are 7×7, and the picture says so: what looks smooth elsewhere is enlarged.

kerasviz.plot_attributions(
    model,
    images,
    method=["integrated-gradients", "occlusion", "grad-cam"],
    sample=1,
    labels=labels,
    class_names=names,
)
