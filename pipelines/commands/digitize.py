"""``inkbeam digitize``: pages in, tables out."""

from __future__ import annotations

import argparse
import dataclasses
import functools

from pipelines import exit_codes
from pipelines.archive.run_names import dated_name
from pipelines.errors import UsageError
from pipelines.job import DEFAULT_MODEL, EXISTING, UNITS, Job
from pipelines.logs import hold_back_native_output, tell
from pipelines.options.decoder import add_decoder_options, chosen_decoder
from pipelines.options.ending import add_ending_options, check_ending
from pipelines.options.lines import add_lines_option, segmentation_settings
from pipelines.running import figures
from pipelines.wording import counted
from segmentation.decoding import DecodingSettings

SUMMARY = "read pages and write tables of words, pages and failures"
TAKES_BEAM_OPTIONS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "inkbeam digitize --input PATH --output DIR [options] [Beam's options]"
    parser.epilog = "Beam's own options pass through, such as --runner."
    what = parser.add_argument_group("what to read")
    what.add_argument(
        "--input", action="extend", nargs="+", default=[], metavar="PATH", help="files, folders, globs or URIs"
    )
    what.add_argument(
        "--input-list", action="append", default=[], metavar="FILE", help="text file with an input a line"
    )
    what.add_argument(
        "--existing",
        choices=EXISTING,
        default="skip",
        help="pages that were read before (default: skip)",
    )
    what.add_argument("--pdf-dpi", type=int, default=300, metavar="N", help="resolution for PDF pages (default: 300)")
    what.add_argument(
        "--max-megapixels", type=float, default=120, metavar="N", help="larger pages are refused (default: 120)"
    )
    how = parser.add_argument_group("how to read")
    how.add_argument(
        "--model", default=DEFAULT_MODEL, metavar="DIR", help="model bundle, at any URI (default: the one inside)"
    )
    how.add_argument("--unit", choices=UNITS, default="line", help="what the recogniser is given (default: line)")
    how.add_argument(
        "--batch-size", type=int, default=64, metavar="N", help="most pictures a call of the network (default: 64)"
    )
    add_lines_option(how)
    add_decoder_options(how)
    how.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine (default: 1)")
    how.add_argument("--accelerator", metavar="SPEC", help="GPU for recognition on Dataflow, see docs/dataflow.md")
    where = parser.add_argument_group("where to write")
    where.add_argument("--output", required=True, metavar="DIR", help="folder of the tables, at any URI")
    where.add_argument("--overlays", metavar="DIR", help="also draw every page with what was read")
    where.add_argument("--run-id", metavar="NAME", help="name of this run (default: time and a random part)")
    ends = add_ending_options(parser)
    ends.add_argument(
        "--max-attempts",
        type=int,
        default=3,
        metavar="K",
        help="set pages aside after K failed runs (default: 3)",
    )
    ends.add_argument("--dry-run", action="store_true", help="list what would be read, and stop")


def run(arguments: argparse.Namespace) -> int:
    """Read what is to be read and print a summary."""
    with hold_back_native_output():
        from pipelines import files, inputs
        from pipelines.running import beam_options, dataflow, execution, plans

    check_ending(arguments)
    options = beam_options.chosen(arguments.beam_options, arguments.workers, arguments.own_options)
    files.configure(options)
    job = _job(arguments)
    with figures.reported(None if arguments.dry_run else arguments.metrics_file, job.output) as report:
        planned = plans.plan(job, tuple(arguments.input_list))
        dataflow.check(job, planned.selection.documents, options)
        _tell_passed_over(inputs.passed_over(planned.job.inputs))
        if arguments.dry_run:
            return _tell_what_would_be_read(planned)
        again = functools.partial(plans.plan, job, tuple(arguments.input_list))
        if planned.selection.documents:
            plans.check_overlays(job)
        return execution.carry_out(planned, again, options, arguments, report)


def _job(arguments: argparse.Namespace) -> Job:
    from pipelines.files import absolute
    from pipelines.models import bundle_address
    from pipelines.running import beam_options

    given = f"--pdf-dpi {arguments.pdf_dpi}"
    try:
        decoding = DecodingSettings(pdf_dpi=arguments.pdf_dpi)
        given = f"--max-megapixels {arguments.max_megapixels:g}"
        decoding = dataclasses.replace(decoding, max_pixels=round(arguments.max_megapixels * 1_000_000))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{given}: {error}") from error
    model = bundle_address(arguments.model)
    decoder, language_model = chosen_decoder(arguments, model)
    return Job(
        inputs=tuple(arguments.input),
        output=absolute(arguments.output),
        run_id=arguments.run_id or dated_name(),
        model=model,
        unit=arguments.unit,
        existing=arguments.existing,
        batch_size=arguments.batch_size,
        overlays=absolute(arguments.overlays) if arguments.overlays else None,
        redistribute=not beam_options.is_local(arguments.beam_options),
        threads=beam_options.threads_per_worker(arguments.workers),
        max_attempts=arguments.max_attempts,
        accelerator=arguments.accelerator,
        decoding=decoding,
        segmentation=segmentation_settings(arguments.lines),
        decoder=decoder,
        language_model=language_model,
    )


def _tell_passed_over(found) -> None:
    """Say what of the inputs (`inputs.PassedOver`) is left aside."""
    from htr_model.printable import printable

    if found.endings:
        endings, count = found.endings, found.endings.total()
        listed = ", ".join(f"{n:,} {ending or 'without an ending'}" for ending, n in endings.most_common(5))
        more = ", …" if len(endings) > 5 else ""
        tell("passed_over", f"{counted(count, 'file')} passed over, no scans by name: {listed}{more}", files=count)
    if found.links:
        listed = ", ".join(map(printable, found.links[:3]))
        more = ", …" if len(found.links) > 3 else ""
        count = len(found.links)
        what = f"{counted(count, 'linked folder')} passed over, followed only where --input names them"
        tell("links_passed_over", f"{what}: {listed}{more}", folders=count)


def _tell_what_would_be_read(planned) -> int:
    from htr_model.printable import printable

    selection = planned.selection
    for document in selection.documents:
        uri, left_out = printable(document.uri), len(document.left_out)
        note = f"  ({counted(left_out, 'page')} of it done or set aside)" if left_out else ""
        tell("would_be_read", f"{uri}{note}", uri=uri, pages_left_out=left_out)
    to_read, done = counted(len(selection.documents), "document"), counted(selection.done_pages, "page")
    lines = [f"{to_read} would be read; {done} done and left out"]
    if selection.set_aside:
        lines.append(f"{counted(len(selection.set_aside), 'page')} set aside after failing too often")
    tell(
        "planned",
        "\n".join(lines),
        documents=len(selection.documents),
        done_pages=selection.done_pages,
        set_aside_pages=len(selection.set_aside),
        exit_code=exit_codes.DONE,
    )
    return exit_codes.DONE
