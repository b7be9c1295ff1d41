"""# Why this class, and not that one?

"Why an ankle boot?" includes all that boots and sneakers have in common. `target=(a, b)` explains
the difference of two logits, and so only what tells one class from the other.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()  # one image of each class
names = kerasviz.fashion_mnist.CLASSES

# %%
# Why an ankle boot (9), and not a sneaker (7)? Red pixels speak for the boot, blue ones for the
# sneaker. The lower edge of the sole, before and behind the gap under the heel, makes most of the
# difference.

kerasviz.plot_attributions(model, images, sample=9, target=(9, 7), labels=labels, class_names=names)

# %%
# One pair per sample is possible too: why the shirt (6) is not a coat (4), and the coat not a
# shirt. With `score="probability"` you would explain probabilities instead of logits; where the
# model is sure, these hardly change, and the map means little.

kerasviz.plot_attributions(
    model,
    images,
    sample=[6, 4],
    target=[(int(label), {6: 4, 4: 6}.get(int(label), 0 if label else 1)) for label in labels],
    labels=labels,
    class_names=names,
)
