"""Statistics, inputs and kernels as pictures of filters draw them."""
