"""What was read, in a browser: pages to compare with their scans and to correct, places that a search found."""
