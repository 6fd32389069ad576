"""The recogniser: an image of a word or a line in, text with confidence out."""
