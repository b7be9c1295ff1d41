"""Tell how far the units of a layer see."""
