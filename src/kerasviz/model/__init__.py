"""Reading a Keras model: arrays out of layers, no drawing."""

PRIVATE_NAMES: dict[str, str] = {
    "_C": "PyTorch: the way to `_functorch`",
    "_functorch": "PyTorch: whether code runs inside `torch.vmap` has no public name",
    "_keras_history": "Keras: in which order the calls of a graph were written",
    "_loss_ids": "Keras: emptied at each call, and put back; there is no public way to set them",
    "_losses": "Keras: as `_loss_ids`",
    "_modules": "PyTorch: the layers that a layer holds, which are not among its attributes there",
    "_nodes_by_depth": "Keras: the calls of a graph; only their layers are public",
    "_value": "Keras: whether a variable has a value yet; `value` makes one",
    "_version": "PyTorch: how often code has written into a tensor",
    "keras.src.backend.tensorflow.core": "Keras: `keras.ops.map`, told on the stack",
    "tensorflow.python.ops.parallel_for.control_flow_ops": "TensorFlow: as above, of its own maps",
}
"""Every private name of another package that kerasviz reads, with the reason."""
