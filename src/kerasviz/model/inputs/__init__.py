"""What a user calls a model on: arrays, data sets and image files to one batch."""
