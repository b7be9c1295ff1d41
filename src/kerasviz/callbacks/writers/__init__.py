"""Where the pictures and numbers of a training run go."""
