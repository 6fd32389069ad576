"""From time steps to the most probable text, with what is known of the language."""
