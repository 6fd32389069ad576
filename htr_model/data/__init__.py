"""Training samples: what they are, how they are divided, looked over and packed."""
