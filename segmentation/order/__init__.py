"""What is read together, and in which order."""
