"""What a training run wrote down, read back."""
