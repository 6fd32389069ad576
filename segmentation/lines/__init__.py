"""Where the lines of writing run."""
