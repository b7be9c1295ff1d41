"""Pictures of attributions: inputs, maps and the evidence for them."""
