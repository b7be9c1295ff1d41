"""Draw outputs of layers: of which samples, in which form, and over or beside which pictures."""
