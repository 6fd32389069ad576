"""The command line: ``inkbeam COMMAND``; the commands are the modules of `pipelines.commands`."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import logging
import os
import sys
from collections.abc import Callable
from types import ModuleType

from htr_model.bundle import BundleError
from htr_model.data.samples import DatasetError
from pipelines import exit_codes
from pipelines.commands import (
    calibrate,
    compact,
    data,
    digitize,
    evaluate,
    evaluate_pages,
    export,
    export_model,
    language_model,
    retry,
    review,
    search,
    segment,
    status,
    train,
    train_lines,
)
from pipelines.errors import JobFailed, UsageError
from pipelines.logs import configure_logging, tell
from pipelines.running import interruption

COMMANDS: dict[str, ModuleType] = {
    "digitize": digitize,
    "retry": retry,
    "status": status,
    "compact": compact,
    "export": export,
    "review": review,
    "search": search,
    "segment": segment,
    "train": train,
    "evaluate": evaluate,
    "calibrate": calibrate,
    "data": data,
    "train-lines": train_lines,
    "evaluate-pages": evaluate_pages,
    "export-model": export_model,
    "language-model": language_model,
}

_PRINTING = ("status", "search")
"""Commands that are done when nobody reads what they print; others have more to do."""

log = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code (`pipelines.exit_codes`)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    words = sys.argv[1:] if argv is None else argv
    arguments, rest = _parser().parse_known_args(words)
    configure_logging(arguments.verbose, getattr(arguments, "log_format", "text"))
    interruption.listen()
    command = COMMANDS[arguments.command]
    if (option := _without_value(words)) is not None:
        # Most often a variable that is not set; as a path it would stand for the current folder.
        return _fail(arguments.command, f"{option}: is empty; give it a value, or leave it out")
    if getattr(command, "TAKES_BEAM_OPTIONS", False):
        arguments.beam_options = rest
    elif rest:
        return _fail(arguments.command, f"{_unknown(rest[0])}; see inkbeam {arguments.command} --help")
    backend = os.environ.get("KERAS_BACKEND", "")
    if backend and importlib.util.find_spec(backend) is None:
        return _fail(arguments.command, f"KERAS_BACKEND={backend}: there is no such package; pip install {backend}")
    return _exit_code(arguments.command, lambda: command.run(arguments))


def _without_value(words: list[str]) -> str | None:
    """The first option or argument of a command line whose value is empty; None where all have one."""
    option = "an argument"
    for word in words:
        if not word:
            return option
        if word.startswith("--"):
            option, given, value = word.partition("=")
            if given and not value:
                return option
    return None


def _unknown(argument: str) -> str:
    if argument.startswith("-"):
        return f"unknown option {argument}"
    # Most often a pattern that the shell replaced by the names of files.
    return f"{argument}: one too many; name an option again for each of its values, and put patterns into quotes"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inkbeam", description="Digitise scanned handwriting.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"inkbeam {_version()}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        summary = command.SUMMARY
        described = subparsers.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False
        )
        described.add_argument("--verbose", action="store_true", help="say more")
        command.add_arguments(described)
        described.set_defaults(own_options=_long_options(described))
    return parser


def _long_options(parser: argparse.ArgumentParser) -> list[str]:
    return [option for action in parser._actions for option in action.option_strings if option.startswith("--")]


def _version() -> str:
    try:
        return importlib.metadata.version("inkbeam")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _exit_code(command: str, run: Callable[[], int]) -> int:
    """What ``run`` returns; errors become messages and exit codes."""
    try:
        return run()
    except (UsageError, DatasetError, BundleError) as error:
        return _fail(command, str(error))
    except JobFailed as error:
        tell("failed", f"inkbeam: the job failed: {error}", logging.ERROR, exit_code=exit_codes.FAILED)
        log.debug("where it failed", exc_info=True)
        return exit_codes.FAILED
    except BrokenPipeError:
        # Whoever read the output, as head does, has seen enough. What Python still holds of it must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.DONE if command in _PRINTING else exit_codes.FAILED
    except KeyboardInterrupt:
        tell("interrupted", "inkbeam: interrupted", logging.ERROR, exit_code=exit_codes.FAILED)
        return exit_codes.FAILED
    except Exception as error:
        # Python's own exit code for it is 1, which says that the job is done.
        log.exception("where it failed")
        text = f"inkbeam {command}: {type(error).__name__}: {error}"
        tell("failed", text, logging.ERROR, exit_code=exit_codes.FAILED)
        return exit_codes.FAILED


def _fail(command: str, message: str) -> int:
    tell("refused", f"inkbeam {command}: {message}", logging.ERROR, exit_code=exit_codes.USAGE)
    return exit_codes.USAGE


if __name__ == "__main__":
    sys.exit(main())
