"""pixelart."""
