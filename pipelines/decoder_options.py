"""The command line's options for how texts are found: greedy or by beam search, with a language model or without."""

from __future__ import annotations

import argparse

from htr_model.decoding.settings import BEAM_WIDTH, DecoderSettings
from pipelines.options import LanguageModelFile, UsageError

_ALTERNATIVES = 5
_WEIGHT = 0.5


def add_decoder_options(group: argparse._ActionsContainer) -> None:
    """Add the options that `decoder_settings` and `language_model_file` read."""
    group.add_argument("--decoder", default="greedy", metavar="D", help="greedy or beam (default: greedy)")
    group.add_argument(
        "--beam-width",
        type=int,
        default=BEAM_WIDTH,
        metavar="N",
        help=f"texts followed (default: {BEAM_WIDTH})",
    )
    group.add_argument(
        "--alternatives", type=int, metavar="N", help=f"other texts of a word (default: {_ALTERNATIVES} with beam)"
    )
    group.add_argument("--language-model", metavar="LM", help="ARPA file, word list or text, for beam")
    group.add_argument("--language-weight", type=float, metavar="W", help=f"its weight (default: {_WEIGHT})")


def decoder_settings(arguments: argparse.Namespace) -> DecoderSettings:
    """How texts are to be found.

    Raises:
        UsageError: a value is out of range.
    """
    most = arguments.alternatives
    if most is None:
        most = min(_ALTERNATIVES, arguments.beam_width) if arguments.decoder == "beam" else 0
    try:
        return DecoderSettings(arguments.decoder, arguments.beam_width, most)
    except ValueError as error:
        raise UsageError(str(error)) from error


def language_model_file(arguments: argparse.Namespace) -> LanguageModelFile | None:
    """The language model that was asked for, its content known.

    Raises:
        UsageError: it cannot be read, or is asked for without ``--decoder beam``.
    """
    from pipelines.files import absolute
    from pipelines.model_handler import read_language_model

    if arguments.language_model is None:
        if arguments.language_weight is not None:
            raise UsageError("--language-weight is that of --language-model, which is missing")
        return None
    if arguments.decoder != "beam":
        raise UsageError("--language-model is for --decoder beam; greedy decoding asks no language model")
    uri = absolute(arguments.language_model)
    weight = _WEIGHT if arguments.language_weight is None else arguments.language_weight
    return LanguageModelFile(uri, LanguageModelFile.id_of(read_language_model(uri)), weight)
