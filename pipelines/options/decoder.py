"""The command line's options for how texts are found: greedy or by beam search, with a language model or without."""

from __future__ import annotations

import argparse

from htr_model.decoding.settings import BEAM_WIDTH, LANGUAGE_WEIGHT, DecoderSettings
from pipelines.errors import UsageError
from pipelines.job import BUNDLE_LANGUAGE_MODEL, LanguageModelFile

NO_LANGUAGE_MODEL = "none"
_ALTERNATIVES = 5


def add_decoder_options(group: argparse._ActionsContainer, *, asks_bundle: bool = True) -> None:
    """Add the options that `chosen_decoder` reads.

    Args:
        asks_bundle: as there.
    """
    usual = "the bundle's, if any" if asks_bundle else "none with greedy"
    asked = "a language model" if asks_bundle else "--language-model"
    group.add_argument("--decoder", metavar="D", help=f"greedy or beam (default: beam with {asked})")
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
    group.add_argument("--language-model", metavar="LM", help=f"bundle, none or a file (default: {usual})")
    group.add_argument("--language-weight", type=float, metavar="W", help=f"its weight (default: {LANGUAGE_WEIGHT})")


def chosen_decoder(
    arguments: argparse.Namespace, model: str, *, asks_bundle: bool = True
) -> tuple[DecoderSettings, LanguageModelFile | None]:
    """How texts are to be found, and the language model that is asked.

    Beam search where there is a language model, greedy decoding where there is none, unless a decoder is named.

    Args:
        model: address of the model bundle; its language model is taken where none is named.
        asks_bundle: False takes the bundle's only for a beam search that was asked for.

    Raises:
        UsageError: a value is out of range, two options contradict each other, or the language model cannot be read.
    """
    file = _language_model(arguments, model, asks_bundle)
    method = arguments.decoder or ("beam" if file else "greedy")
    most = arguments.alternatives
    if most is None:
        most = min(_ALTERNATIVES, arguments.beam_width) if method == "beam" else 0
    try:
        return DecoderSettings(method, arguments.beam_width, most), file
    except ValueError as error:
        raise UsageError(str(error)) from error


def described(decoder: DecoderSettings, file: LanguageModelFile | None) -> str:
    """A decoder in words, for reports."""
    if decoder.method == "greedy":
        return "greedy decoding"
    language = f"language model {file.uri}, weight {file.weight:g}" if file else "no language model"
    return f"beam search ({decoder.beam_width} texts, {language})"


def _language_model(arguments: argparse.Namespace, model: str, asks_bundle: bool) -> LanguageModelFile | None:
    from pipelines.files import absolute
    from pipelines.models import has_language_model, read_language_model

    named = arguments.language_model
    if named not in (None, NO_LANGUAGE_MODEL) and arguments.decoder == "greedy":
        raise UsageError("--language-model is for --decoder beam; greedy decoding asks no language model")
    if named is None and (arguments.decoder == "beam" or (asks_bundle and arguments.decoder is None)):
        named = BUNDLE_LANGUAGE_MODEL if has_language_model(model) else None
    if named in (None, NO_LANGUAGE_MODEL):
        if arguments.language_weight is not None:
            raise UsageError("--language-weight is that of a language model, and none is used")
        return None
    weight = LANGUAGE_WEIGHT if arguments.language_weight is None else arguments.language_weight
    if named == BUNDLE_LANGUAGE_MODEL:
        return LanguageModelFile(BUNDLE_LANGUAGE_MODEL, "", weight)
    uri = absolute(named)
    return LanguageModelFile(uri, LanguageModelFile.id_of(read_language_model(uri)), weight)
