"""# How far does a unit see?

A cell of a feature map is computed from a part of the input, its receptive field: 3×3 pixels after
one convolution of that size, and more with every layer. What is outside of it cannot be the reason
for the value.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()

# %%
# `find_layers` lists how much the units of each layer see, and how many pixels apart neighbouring
# units are.

print(*kerasviz.find_layers(model), sep="\n")

# %%
# `position=` frames a cell in every map, and what the unit there saw in the input.

kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=7, position=(8, 4), top=8)

# %%
# The same in numbers. At the border a part of the field is padding: the size stays, and the box is
# cut.

for position in ((8, 4), (0, 0)):
    field = kerasviz.receptive_field(model, "conv2d_1", position=position)
    print(f"{position}: {field.box} of a field of {field.size}")

# %%
# Over the input, the frame is around what the unit saw.

kerasviz.plot_feature_maps(
    model, "conv2d_1", images, sample=7, position=(8, 4), top=4, overlay=True
)
