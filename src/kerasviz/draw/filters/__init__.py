"""Cards of filters: what each responds to in a data set."""
