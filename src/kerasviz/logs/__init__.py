"""Read back what a training run wrote down."""
