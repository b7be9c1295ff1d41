"""Put a layer's computation of some values into the arrays and words of its picture."""
