"""Put an architecture into the boxes, frames and words of its picture."""
