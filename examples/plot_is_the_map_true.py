"""# Is the explanation true?

Any method draws a map, even where it has nothing to say. A map that is right about what the model
looks at passes a test: erase its strongest pixels, and the answer must go sooner than when random
pixels are erased. kerasviz makes this test every time and says in red where a map fails it.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()  # one image of each class
names = kerasviz.fashion_mnist.CLASSES

# %%
# Grad-CAM is the best known of these methods, and on this small network it is often no better than
# random: one of its cells covers 4×4 pixels. Look at the curves of the boot: while its strongest
# cells are erased, the model goes on seeing a boot for longer than under random pixels.

kerasviz.plot_attributions(
    model, images, method="grad-cam", sample=[9, 6, 7], labels=labels, class_names=names
)

# %%
# The same images, by integrated gradients. The numbers are in `Attributions.evidence`.

result = kerasviz.get_attributions(model, images)
kerasviz.plot_attributions(result, images, sample=[9, 6, 7], labels=labels, class_names=names)

# %%
# Over all ten images, the mean area under the curve of deletion; lower is better.

for method in ("integrated-gradients", "input-x-gradient", "occlusion", "grad-cam", "layer-cam"):
    deletion = kerasviz.get_attributions(model, images, method=method).evidence.deletion
    print(f"{method:20} {deletion.area.mean():.2f}, random {deletion.random_area.mean():.2f}")
