"""The network that finds lines of writing on a page, and its training."""
