"""What the commands do. TensorFlow is loaded only by those that recognise."""

from __future__ import annotations

import argparse
import datetime
import json
import logging
import secrets
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import cv2

from htr_model.bundle import BundleError
from htr_model.datasets import Dataset, load
from htr_model.samples import DatasetError, Sample
from pipelines import launch
from pipelines.files import absolute, printable, read_bytes
from pipelines.inputs import find
from pipelines.logs import hold_back_native_output
from pipelines.model_handler import load_bundle
from pipelines.options import DEFAULT_MODEL, Job, UsageError
from segmentation.decoding import DecodingError, DecodingSettings, PageRef, count_pages, decode_page
from segmentation.overlay import draw_overlay
from segmentation.page import segment

log = logging.getLogger(__name__)


def finish(arguments: argparse.Namespace, run: Callable[[], int]) -> int:
    """Exit code of a command; errors become messages."""
    try:
        return run()
    except (UsageError, DatasetError, BundleError) as error:
        print(f"inkbeam {arguments.command}: {error}", file=sys.stderr)
        return launch.USAGE
    except launch.JobFailed as error:
        print(f"inkbeam: the job failed: {error}", file=sys.stderr)
        log.debug("where it failed", exc_info=True)
        return launch.FAILED
    except KeyboardInterrupt:
        print("inkbeam: interrupted", file=sys.stderr)
        return launch.FAILED
    except Exception as error:
        # Python's own exit code for it is 1, which says that the job is done.
        log.exception("where it failed")
        print(f"inkbeam {arguments.command}: {type(error).__name__}: {error}", file=sys.stderr)
        return launch.FAILED


def run_digitize(arguments: argparse.Namespace, rest: list[str]) -> int:
    """Read what is to be read and print a summary.

    Args:
        rest: Beam's options.
    """
    if not 0 <= arguments.max_failure_rate <= 1:
        raise UsageError(f"--max-failure-rate must lie between 0 and 1, got {arguments.max_failure_rate!r}")
    if arguments.workers < 1:
        raise UsageError(f"--workers must be at least 1, got {arguments.workers!r}")
    options = launch.beam_options(rest, arguments.workers)
    planned = launch.plan(_job(arguments, rest), tuple(arguments.input_list))
    if arguments.dry_run:
        return _print_plan(planned)
    launch.remove_dead_runs(planned.job.output)
    selection = planned.selection
    if selection.done_pages:
        print(f"{selection.done_pages} pages are done already and left out (--existing redo reads them again)")
    if not selection.documents:
        print("Nothing to do.")
        return launch.DONE
    log.info("reading %d documents with model %s", len(selection.documents), planned.bundle.id)
    outcome = launch.run(planned, options)
    _print_summary(outcome, planned.job)
    return launch.TOO_MANY_FAILURES if outcome.failure_rate > arguments.max_failure_rate else launch.DONE


def _job(arguments: argparse.Namespace, rest: list[str]) -> Job:
    try:
        decoding = DecodingSettings(pdf_dpi=arguments.pdf_dpi, max_pixels=round(arguments.max_megapixels * 1_000_000))
    except (ValueError, OverflowError) as error:
        raise UsageError(str(error)) from error
    model = arguments.model if arguments.model == DEFAULT_MODEL else absolute(arguments.model)
    return Job(
        inputs=tuple(arguments.input),
        output=absolute(arguments.output),
        run_id=arguments.run_id or _new_run_id(),
        model=model,
        unit=arguments.unit,
        existing=arguments.existing,
        batch_size=arguments.batch_size,
        overlays=absolute(arguments.overlays) if arguments.overlays else None,
        redistribute=launch.runner_of(rest) not in (None, *launch.LOCAL_RUNNERS),
        threads=launch.threads_per_worker(arguments.workers),
        decoding=decoding,
    )


def _new_run_id() -> str:
    now = datetime.datetime.now(datetime.timezone.utc)
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def _print_plan(planned: launch.Plan) -> int:
    selection = planned.selection
    for document in selection.documents:
        note = f"  ({len(document.done)} pages of it are done)" if document.done else ""
        print(f"{printable(document.uri)}{note}")
    print(f"{len(selection.documents)} documents would be read; {selection.done_pages} pages are done and left out")
    return launch.DONE


def _print_summary(outcome: launch.Outcome, job: Job) -> None:
    for failure in outcome.failures:
        page = "" if failure.page_index is None else f", page {failure.page_index + 1}"
        print(f"failed ({failure.stage}): {failure.uri}{page}: {failure.message}")
    if outcome.failed > len(outcome.failures):
        print(f"… and {outcome.failed - len(outcome.failures)} more, all in the failures table")
    rate = outcome.pages / outcome.seconds
    print(
        f"\nRun {outcome.run_id}: {outcome.pages} pages, {outcome.words} words, {outcome.failed} failures "
        f"in {outcome.seconds:.1f} s ({rate:.2f} pages/s)"
    )
    if outcome.stage_seconds:
        print("  " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in outcome.stage_seconds.items()))
    print(f"  tables: {job.output}/{{words,pages,failures}}/run={outcome.run_id}/")
    if job.overlays:
        print(f"  overlays: {job.overlays}")


def run_segment(arguments: argparse.Namespace) -> int:
    """Draw lines, words and reading order on every page; 1 when a page could not be read."""
    output = Path(arguments.output)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--output {output}: cannot be written ({error})") from error
    settings = DecodingSettings()
    failed = 0
    for document in find(arguments.pages):
        try:
            data = read_bytes(document.uri)
            pages = count_pages(data, document.uri, settings)
        except (OSError, DecodingError) as error:
            failed += 1
            print(f"failed: {error}", file=sys.stderr)
            continue
        for index in range(pages):
            try:
                page = decode_page(data, PageRef(document.uri, index), settings)
            except DecodingError as error:
                failed += 1
                print(f"failed: {error}", file=sys.stderr)
                continue
            layout = segment(page.gray).layout
            words = [line.word_boxes() for line in layout.lines]
            picture = draw_overlay(page.gray, [line.box for line in layout.lines], words)
            number = f"-page{index + 1}" if pages > 1 else ""
            path = output / f"{Path(document.uri).name}{number}.png"
            cv2.imwrite(str(path), picture)
            print(
                f"{path}: {len(layout.lines)} lines, {sum(map(len, words))} words, skew {layout.skew_degrees:+.1f}°, "
                f"x-height {layout.x_height:.0f} px, "
                f"{layout.discarded_ink / max(layout.ink, 1):.0%} of the ink left out"
            )
    return launch.TOO_MANY_FAILURES if failed else launch.DONE


def run_train(arguments: argparse.Namespace) -> int:
    """Train, and say where the bundle is."""
    data = load(arguments.data)
    with hold_back_native_output():
        from htr_model.training import TrainingError, TrainingRun, TrainingSettings

    start = load_bundle(arguments.start) if arguments.start else None
    try:
        settings = TrainingSettings(
            network=arguments.network,
            epochs=arguments.epochs,
            max_minutes=arguments.max_minutes,
            learning_rate=arguments.learning_rate,
            patience=arguments.patience,
            seed=arguments.seed,
            precision=arguments.precision,
        )
        run = TrainingRun(data, settings, Path(arguments.output), start_from=start)
    except TrainingError as error:
        raise UsageError(str(error)) from error
    print(
        f"{len(run.train):,} samples to train on, {len(run.validation):,} to validate, {len(run.skipped):,} skipped "
        f"(listed in {run.folder / 'skipped.csv'}); {run.model.count_params():,} parameters"
    )
    try:
        done = run.run(resume=arguments.resume)
    except TrainingError as error:
        raise UsageError(str(error)) from error
    print(
        f"{arguments.output}: {done.step:,} steps in {done.seconds / 60:.0f} minutes, "
        f"best validation CER {100 * done.best_cer:.2f} % after epoch {done.best_epoch + 1}"
    )
    return launch.DONE


def _part(data: Dataset, name: str) -> list[Sample]:
    """The samples of a split; those of data without splits belong to every one."""
    if name == "all":
        return data.samples
    return [s for s in data.samples if s.split in (None, name)]


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Print error rates and speed."""
    data = load(arguments.data)
    samples = _part(data, arguments.split)
    if not samples:
        raise UsageError(f"no usable sample in split {arguments.split!r}; {len(data.skipped)} were skipped")
    loaded = load_bundle(arguments.model if arguments.model == DEFAULT_MODEL else absolute(arguments.model))
    with hold_back_native_output():
        from htr_model.evaluation import evaluate
        from htr_model.recognizer import Recognizer

    result = evaluate(Recognizer(loaded), samples)
    print(f"model {loaded.id} ({loaded.network}); {len(data.skipped)} samples skipped")
    print(f"{'':24}{'samples':>9}{'CER %':>8}{'WER %':>8}{'exact %':>9}")
    rows = {**result.by_collection, "all": result.overall} if len(result.by_collection) > 1 else result.by_collection
    for name, rates in rows.items():
        print(f"{name:24}{rates.samples:9,}{100 * rates.cer:8.2f}{100 * rates.wer:8.2f}{100 * rates.accuracy:9.2f}")
    print(f"{result.seconds:.1f} s, {result.samples_per_second:.0f} samples/s")
    if arguments.json:
        figures = {
            "model_id": loaded.id,
            "network": loaded.network,
            "overall": asdict(result.overall),
            "by_collection": {name: asdict(rates) for name, rates in result.by_collection.items()},
            "seconds": result.seconds,
            "samples_per_second": result.samples_per_second,
            "skipped": len(data.skipped),
        }
        Path(arguments.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if arguments.save_predictions:
        _save_predictions(samples, result.predictions, Path(arguments.save_predictions))
    return launch.DONE


def _save_predictions(samples: list[Sample], readings: list, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "id": [s.id for s in samples],
        "text": [s.text for s in samples],
        "prediction": [r.text for r in readings],
        "confidence": [r.confidence for r in readings],
        "min_char_confidence": [r.min_char_confidence for r in readings],
    }
    pq.write_table(pa.table(columns), path, compression="zstd")
