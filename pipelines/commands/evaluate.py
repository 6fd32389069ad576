"""``inkbeam evaluate``: how well and how fast a recogniser reads."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from pipelines import exit_codes
from pipelines.logs import hold_back_native_output
from pipelines.options.decoder import add_decoder_options, chosen_decoder, described
from pipelines.options.outputs import path_ending_in, refuse_input, refuse_unwritable, write_figures, writing
from pipelines.options.samples import add_division_options, add_measured_options, divided, measured

SUMMARY = "measure a recogniser on pictures with known text"

_SHOWN = 12
"""Confusions that are printed; a report has all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "inkbeam evaluate --data PATH [options]"
    what = parser.add_argument_group("what to measure")
    add_measured_options(
        what, "IAM folder, CSV, Parquet, pages.jsonl, PAGE or ALTO XML, pictures with .txt; again for more"
    )
    add_division_options(what)
    add_decoder_options(parser.add_argument_group("how to read"), asks_bundle=False)
    beside = parser.add_argument_group("what to compare with")
    beside.add_argument(
        "--against", choices=("tesseract",), help="read the same pictures with this program, if it is installed"
    )
    beside.add_argument(
        "--tesseract-language", default="eng", metavar="L", help="its language, such as fra or eng+fra (default: eng)"
    )
    where = parser.add_argument_group("where to write")
    where.add_argument(
        "--report", metavar="DIR", help="write pictures and tables of the errors and of the confidence here"
    )
    where.add_argument("--json", type=path_ending_in(".json"), metavar="FILE", help="also write the figures here")
    where.add_argument(
        "--save-predictions",
        type=path_ending_in(".parquet"),
        metavar="FILE",
        help="also write a Parquet file of id, text, prediction and confidence",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print error rates, the most frequent confusions, calibration and speed."""
    from htr_model.readers.datasets import load
    from pipelines import files
    from pipelines.evaluation import tesseract
    from pipelines.models import bundle_address, load_bundle, load_language_model

    files.configure([])
    _check_places(arguments)
    if arguments.against:
        tesseract.require(arguments.tesseract_language)
    model = bundle_address(arguments.model)
    decoder, language_file = chosen_decoder(arguments, model, asks_bundle=False)
    data = divided(load(arguments.data), arguments)
    samples = measured(data, arguments.split)
    loaded = load_bundle(model)
    with hold_back_native_output():
        from htr_model.recognizer import Recognizer
        from htr_model.scoring import errors
        from htr_model.scoring.evaluation import evaluate

    language = load_language_model(language_file, loaded) if language_file else None
    result = evaluate(Recognizer(loaded, decoder, language), samples)
    rival = _rival(samples, arguments.tesseract_language) if arguments.against else None
    skipped = f"; {len(data.skipped):,} skipped (inkbeam data check tells why)" if data.skipped else ""
    print(f"model {loaded.id} ({loaded.network}), {described(decoder, language_file)}{skipped}")
    confusions = errors.confusions(result.outcomes).most_common()
    _print(result, rival, confusions)
    if arguments.json:
        read_with = {
            "model_id": loaded.id,
            "network": loaded.network,
            "decoder": asdict(decoder),
            "language_model": asdict(language_file) if language_file else None,
            "skipped": len(data.skipped),
        }
        write_figures(arguments.json, read_with | _figures(result, rival, confusions))
    if arguments.save_predictions:
        with writing(f"--save-predictions {arguments.save_predictions}"):
            _save_predictions(samples, result.predictions, Path(arguments.save_predictions))
    if arguments.report:
        from htr_model.scoring import report

        folder = Path(arguments.report)
        with writing(f"--report {folder}"):
            report.write(folder, f"Evaluation of model {loaded.id}", samples, result, rival)
        print(f"report: {folder / report.PAGE}")
    return exit_codes.DONE


def _check_places(arguments: argparse.Namespace) -> None:
    """Nothing, where what is asked for can be written.

    Raises:
        UsageError: it cannot.
    """
    if arguments.report:
        refuse_unwritable("--report", arguments.report, folder=True)
    if arguments.json:
        refuse_unwritable("--json", arguments.json)
    if arguments.save_predictions:
        refuse_input("--save-predictions", arguments.save_predictions, arguments.data, "the data itself")
        refuse_unwritable("--save-predictions", arguments.save_predictions)


def _rival(samples: list, language: str):
    """Tesseract's figures; pictures of collections of lines are read as lines, others as words."""
    import time

    from htr_model.scoring import errors
    from htr_model.scoring.evaluation import outcomes_of
    from htr_model.scoring.report import Rival
    from pipelines.evaluation import tesseract

    spaced: dict[str, list[bool]] = {}
    for sample in samples:
        spaced.setdefault(sample.collection, []).append(" " in sample.text)
    mode = {c: tesseract.LINE if 2 * sum(lines) > len(lines) else tesseract.WORD for c, lines in spaced.items()}
    started = time.perf_counter()
    texts = tesseract.read_pictures([s.gray for s in samples], [mode[s.collection] for s in samples], language)
    seconds = time.perf_counter() - started
    outcomes = outcomes_of(samples, texts)
    return Rival("Tesseract", errors.rates(outcomes), errors.by_collection(outcomes), seconds)


def _figures(result, rival, confusions: list) -> dict:
    """What was measured, for a JSON file."""
    from htr_model.scoring import errors

    figures = {
        "overall": asdict(result.overall),
        "by_collection": {name: asdict(rates) for name, rates in result.by_collection.items()},
        "by_writer": {name: asdict(rates) for name, rates in errors.by_writer(result.outcomes).items()},
        "confusions": [{"written": a, "read": b, "count": n} for (a, b), n in confusions],
        "expected_calibration_error": result.calibration_error,
        "seconds": result.seconds,
        "samples_per_second": result.samples_per_second,
    }
    if rival:
        figures["against"] = {**asdict(rival), "samples_per_second": rival.samples_per_second}
    return figures


def _print(result, rival, confusions: list) -> None:
    """Print a table of error rates, and what else was measured."""
    print(
        f"{'':22}{'samples':>8}"
        + "".join(f"{n:>8}" for n in ("CER %", "WER %", "exact %", "prec. %", "rec. %", "F1 %"))
    )
    several = len(result.by_collection) > 1
    for name, rates in {**result.by_collection, **({"all": result.overall} if several else {})}.items():
        _print_row(name, rates)
        if rival:
            _print_row("  Tesseract", rival.overall if several and name == "all" else rival.by_collection[name])
    shown = ", ".join(f"{_visible(a)}→{_visible(b)} {n}" for (a, b), n in confusions[:_SHOWN])
    print(f"most often: {shown or 'no error'}")
    print(f"confidence of {len(result.words):,} words: expected calibration error {result.calibration_error:.3f}")
    print(f"{result.seconds:.1f} s, {result.samples_per_second:.0f} samples/s")
    if rival:
        print(f"{rival.name}: {rival.seconds:.1f} s, {rival.samples_per_second:.0f} samples/s")


def _print_row(name: str, rates) -> None:
    shares = (rates.cer, rates.wer, rates.accuracy, rates.precision, rates.recall, rates.f1)
    print(f"{name:22}{rates.samples:8,}" + "".join(f"{100 * share:8.2f}" for share in shares))


def _visible(text: str) -> str:
    """Characters of a confusion as a line of text can show them."""
    return text.replace(" ", "␣") or "∅"


def _save_predictions(samples: list, readings: list, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "id": [s.id for s in samples],
        "text": [s.text for s in samples],
        "prediction": [r.text for r in readings],
        "confidence": [r.confidence for r in readings],
        "min_char_confidence": [r.min_char_confidence for r in readings],
        "alternatives": [[asdict(a) for a in r.alternatives] for r in readings],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, compression="zstd")
