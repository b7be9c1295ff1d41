"""What the pictures of filters have in common."""
