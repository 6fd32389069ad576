"""Found lines and boxes against true ones."""
