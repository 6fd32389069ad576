"""``inkbeam data``: what can be done with training data, a sub-command each."""

from __future__ import annotations

import argparse

from pipelines.commands.data import check, pack, synthesize

SUMMARY = "check or make training data"
SUBCOMMANDS = {"check": check, "pack": pack, "synthesize": synthesize}
"""Modules like those of `pipelines.commands`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
    for name, module in SUBCOMMANDS.items():
        summary = module.SUMMARY
        described = subparsers.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False
        )
        module.add_arguments(described)


def run(arguments: argparse.Namespace) -> int:
    """What the sub-command returns."""
    return SUBCOMMANDS[arguments.subcommand].run(arguments)
