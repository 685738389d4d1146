"""Model families: a file each, with what its config.json says and where its tensors go. No torch."""
