"""Reading a Keras model: arrays out of layers, no drawing."""
