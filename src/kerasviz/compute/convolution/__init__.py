"""Take a convolution or a pooling apart into arrays: one step per value of the output."""
