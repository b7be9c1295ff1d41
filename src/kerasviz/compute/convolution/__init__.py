"""The steps of a convolution as arrays."""
