"""What can be wrong with a file that a decoder is given."""


class LanguageModelError(ValueError):
    """A file holds no usable language model; the message says why."""
