"""Find what each filter of a layer looks for, and how far it sees."""
