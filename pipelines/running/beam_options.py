"""Beam's options of a job: the user's own, checked, and ours where the user said nothing."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable, Iterable

from apache_beam.options.pipeline_options import PipelineOptions

from htr_model.cores import usable_cores
from pipelines.errors import UsageError

LOCAL_RUNNERS = ("fnapirunner", "directrunner", "bundlebaseddirectrunner")
"""As `runner_name` gives them."""
DEFAULT_RUNNER = "FnApiRunner"
"""Beam's in-process runner. `DirectRunner` would first try to download another one."""


def chosen(flags: list[str], workers: int, own: Iterable[str] = ()) -> list[str]:
    """Beam's options of a job: the user's, and ours where the user said nothing.

    Args:
        own: options of the command itself, one of which may have been meant.

    Raises:
        UsageError: ``flags`` holds something that neither inkbeam nor Beam knows, or a value that Beam refuses.
    """
    unknown = _unknown(flags)
    if unknown:
        raise UsageError(
            f"unknown option {unknown[0]}{_meant(unknown[0], own)}; see --help (Beam's own options pass through)"
        )
    options = list(flags)
    if runner_name(flags) is None:
        options.append(f"--runner={DEFAULT_RUNNER}")
    if workers > 1:
        if not is_local(flags):
            raise UsageError("--workers is for one machine; give the cluster's runner its own option for parallel work")
        options += [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"]
    return options


def _meant(flag: str, own: Iterable[str]) -> str:
    near = difflib.get_close_matches(flag.split("=")[0], list(own), n=1, cutoff=0.75)
    return f" (did you mean {near[0]}?)" if near else ""


def is_local(flags: list[str]) -> bool:
    """Whether a job with these options runs on this machine."""
    return runner_name(flags) in (None, *LOCAL_RUNNERS)


def runner_name(flags: list[str]) -> str | None:
    """The runner named in Beam's options, in small letters and without the module that it may be named with, as Beam
    takes all of these for the same; None where none is named.
    """
    runner = PipelineOptions(flags).get_all_options(drop_default=True).get("runner") if flags else None
    return runner.rpartition(".")[2].lower() if runner else None


class _BeamOptionsParser(argparse.ArgumentParser):
    """Raises where argparse would print the usage of all of Beam's options and exit."""

    def error(self, message: str):
        raise UsageError(f"{message} (one of Beam's options)")


def _unknown(flags: list[str]) -> list[str]:
    parser = _BeamOptionsParser(add_help=False, allow_abbrev=False)
    add: list[Callable] = [
        c._add_argparse_args for c in PipelineOptions.__subclasses__() if "_add_argparse_args" in vars(c)
    ]
    for add_arguments in add:
        try:
            add_arguments(parser)
        except argparse.ArgumentError:
            continue
    return parser.parse_known_args(flags)[1]


def threads_per_worker(workers: int) -> int:
    """Threads of numeric libraries in each of several workers; 0, their default, for one."""
    return max(1, usable_cores() // workers) if workers > 1 else 0
