"""Drawing arrays: knows Matplotlib, but nothing of Keras."""
