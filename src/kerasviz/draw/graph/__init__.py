"""A layered graph of boxes: its layout and its picture."""
