"""``inkbeam language-model``: a small file of what running texts say of a language, for beam search."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.job import DEFAULT_MODEL
from pipelines.options.outputs import refuse_input, refuse_unwritable, writing

SUMMARY = "count the n-grams of running texts for digitize --language-model"

_ORDER = 7
_SYMBOLS = 127
"""So many symbols take seven bits in an n-gram, and eight of them fit."""
_LEAST_GAIN = 1e-7
"""Chosen on texts of the training pages: more n-grams take space and read nothing better (docs/decoding.md)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("texts", nargs="+", metavar="TEXT", help="running text in UTF-8")
    parser.add_argument(
        "--output", required=True, metavar="FILE", help="language_model.safetensors in a model bundle makes it its own"
    )
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, metavar="DIR", help="bundle whose symbols count (default: the one inside)"
    )
    parser.add_argument(
        "--order",
        type=int,
        default=_ORDER,
        metavar="N",
        help=f"symbols of the longest n-gram, 1-8 (default: {_ORDER})",
    )
    parser.add_argument(
        "--least-gain",
        type=float,
        default=_LEAST_GAIN,
        metavar="G",
        help=f"n-grams that bring fewer nats a character are left out (default: {_LEAST_GAIN:g})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the file and print what is in it."""
    from htr_model.decoding import language_model
    from htr_model.decoding.counting import count_ngrams, frequent_symbols
    from htr_model.decoding.ngram_file import MAX_BYTES, to_bytes
    from pipelines.files import absolute, configure, is_local, write_bytes
    from pipelines.models import bundle_address, load_bundle

    if not 1 <= arguments.order <= 8:
        raise UsageError(f"--order must lie between 1 and 8, got {arguments.order!r}")
    if not arguments.least_gain >= 0:
        raise UsageError(f"--least-gain must be at least 0, got {arguments.least_gain!r}")
    refuse_input("--output", arguments.output, arguments.texts, "one of the texts")
    if is_local(arguments.output):
        refuse_unwritable("--output", absolute(arguments.output))
    configure([])
    charset = load_bundle(bundle_address(arguments.model)).charset
    texts = []
    for name in arguments.texts:
        try:
            texts.append(language_model.decoded_text(Path(name).read_bytes()))
        except OSError as error:
            raise UsageError(f"{name}: cannot be read ({error.strerror})") from error
        except language_model.LanguageModelError as error:
            raise UsageError(f"{name}: {error}") from error
    text = "\n".join(texts)
    symbols = frequent_symbols(text, charset, _SYMBOLS)
    if not symbols.strip():
        raise UsageError("the texts hold no character that the model writes")
    ngrams = count_ngrams(text, symbols, arguments.order, arguments.least_gain)
    data = to_bytes(ngrams)
    if len(data) > MAX_BYTES:
        raise UsageError(
            f"{len(ngrams.keys):,} n-grams take {len(data):,} bytes, at most {MAX_BYTES:,} are read; choose a greater "
            "--least-gain"
        )
    with writing(f"--output {arguments.output}"):
        write_bytes(absolute(arguments.output), data)
    print(
        f"{arguments.output}: {len(data):,} bytes, {len(ngrams.keys):,} n-grams of up to {ngrams.order} of "
        f"{len(symbols)} symbols, from {len(text):,} characters"
    )
    return exit_codes.DONE
