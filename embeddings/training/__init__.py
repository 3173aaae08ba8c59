"""Training: recipes, sources of clips, batches, losses, the loop, its state and log."""
