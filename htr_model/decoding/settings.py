"""How texts are found in the network's time steps, as a job asks for it."""

from __future__ import annotations

from dataclasses import dataclass

METHODS = ("greedy", "beam")
BEAM_WIDTH = 12
"""Wider beams found hardly better texts on validation words and lines (docs/decoding.md)."""
LANGUAGE_WEIGHT = 0.35
"""Exponent of a language model's probabilities; chosen on validation words and lines."""
_SEARCHED_CLASSES = 8
"""Most probable classes of a time step that a beam search is given; a ninth is hardly ever above a thousandth."""


@dataclass(frozen=True)
class DecoderSettings:
    """How texts are found.

    Attributes:
        method: ``greedy`` takes the best class of each time step, ``beam`` sums over the paths of a text.
        beam_width: texts followed at once by the beam search.
        alternatives: most other texts given for a word. With ``greedy`` too they come from a beam search.

    Raises:
        ValueError: a value is out of range.
    """

    method: str = "greedy"
    beam_width: int = BEAM_WIDTH
    alternatives: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"decoder must be one of {', '.join(METHODS)}, got {self.method!r}")
        if not 1 <= self.beam_width <= 1000:
            raise ValueError(f"beam width must lie between 1 and 1000, got {self.beam_width!r}")
        if not 0 <= self.alternatives <= self.beam_width:
            raise ValueError(f"alternatives must lie between 0 and the beam width, got {self.alternatives!r}")

    @property
    def classes_per_step(self) -> int:
        """Most probable classes of each time step that are looked at: the best one, or those for a beam search."""
        return _SEARCHED_CLASSES if self.method == "beam" or self.alternatives else 1


GREEDY = DecoderSettings()
