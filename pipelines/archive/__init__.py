"""What stands in an output folder: runs and their tables, and what commands make of them."""
