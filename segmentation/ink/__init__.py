"""From a grey page to its ink, and the sizes of its writing."""
