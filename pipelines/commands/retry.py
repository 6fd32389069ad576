"""``inkbeam retry``: failed pages, tried again."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines import exit_codes
from pipelines.archive.run_names import dated_name
from pipelines.errors import UsageError
from pipelines.job import Job, LanguageModelFile
from pipelines.logs import hold_back_native_output, tell
from pipelines.options.ending import add_ending_options, check_ending
from pipelines.options.lines import check_line_model
from pipelines.running import figures

if TYPE_CHECKING:
    from pipelines.inputs import Document

SUMMARY = "read pages again that failed in earlier runs"
TAKES_BEAM_OPTIONS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "inkbeam retry OUTPUT [options] [Beam's options]"
    parser.epilog = "Model and options are those of the latest run. Beam's own options pass through."
    parser.add_argument("output", metavar="OUTPUT", help="folder of the tables, at any URI")
    parser.add_argument("--all", action="store_true", help="also pages that failed too often and are set aside")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine (default: 1)")
    parser.add_argument("--run-id", metavar="NAME", help="name of this run (default: time and a random part)")
    add_ending_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read what failed and print a summary."""
    with hold_back_native_output():
        from pipelines import files
        from pipelines.archive import runs, status
        from pipelines.running import beam_options, dataflow, execution, plans

    check_ending(arguments)
    options = beam_options.chosen(arguments.beam_options, arguments.workers, arguments.own_options)
    files.configure(options)
    output = files.absolute(arguments.output)
    with figures.reported(arguments.metrics_file, output) as report:
        records = runs.known(output)
        job = _job(arguments, output, records[-1].options)
        check_line_model(job.segmentation)
        bundle = plans.load_models(job)
        documents = _documents(status.failing(output, records))
        if not documents:
            tell("nothing_to_do", "Nothing to do.", exit_code=exit_codes.DONE)
            return exit_codes.DONE
        dataflow.check(job, documents, options)
        plan = functools.partial(plans.plan_for, job, documents, bundle, 0 if arguments.all else None)
        return execution.carry_out(plan(), plan, options, arguments, report)


def _job(arguments: argparse.Namespace, output: str, options: dict) -> Job:
    """The job of the latest run, with what is this run's own."""
    from htr_model.decoding.settings import DecoderSettings
    from pipelines.running import beam_options
    from segmentation.decoding import DecodingSettings
    from segmentation.page import CLASSICAL, SegmentationSettings

    known = {field.name for field in dataclasses.fields(Job)}
    given = {name: value for name, value in options.items() if name in known}
    language_model = given.get("language_model")
    try:
        return Job(
            **{
                **given,
                "inputs": tuple(given["inputs"]),
                "output": output,
                "run_id": arguments.run_id or dated_name(),
                "existing": "skip",
                "redistribute": not beam_options.is_local(arguments.beam_options),
                "threads": beam_options.threads_per_worker(arguments.workers),
                "decoding": DecodingSettings(**given["decoding"]),
                # Runs that say nothing of it are of the time before line networks.
                "segmentation": SegmentationSettings(**{"lines": CLASSICAL, **given["segmentation"]}),
                "decoder": DecoderSettings(**given.get("decoder", {})),
                "language_model": LanguageModelFile(**language_model) if language_model else None,
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{output}: the latest run's options cannot be used again ({error!r}); use digitize"
        ) from error


def _documents(failing: list[dict]) -> list[Document]:
    """The failed documents that are still there: of one that has not changed the pages that failed.

    Args:
        failing: rows of `status.failing`.
    """
    from pipelines.inputs import find

    documents = []
    for uri, rows in itertools.groupby(failing, lambda row: row["document_uri"]):
        try:
            documents += (_of_failed_pages(document, rows) for document in find([uri], literally=True))
        except UsageError as error:
            tell("gone", f"not found, left out: {error}", logging.WARNING, uri=uri)
    return documents


def _of_failed_pages(document: Document, failing: Iterable[dict]) -> Document:
    from pipelines.archive.rows import timestamp

    state = document.size, timestamp(document.modified)
    failed = [row for row in failing if (row["source_size"], row["source_modified"]) == state]
    pages = {row["page_index"] for row in failed}
    if not pages or None in pages:
        return document
    count = max(row["document_pages"] or 0 for row in failed)
    return dataclasses.replace(document, left_out=frozenset(range(count)) - pages)
