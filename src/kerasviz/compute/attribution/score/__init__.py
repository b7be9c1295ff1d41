"""The score that is explained, and the model that it is of."""
