"""Add up the responses of filters, batch by batch: what `filter_statistics` counts."""
