"""Arrays out of a model: kernels, feature maps and their statistics, without drawing."""
