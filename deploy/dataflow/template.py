"""What the launcher of the Flex template runs: ``inkbeam digitize`` with the template's parameters.

The launcher gives every parameter as ``--name=value``. A template's parameters are no lists, so inputs are parted by
spaces here; those that were left empty are dropped.
"""

import sys

from pipelines import cli


def arguments(parameters: list[str]) -> list[str]:
    """Command line of a template's parameters."""
    given = ["digitize"]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "--input":
            given += [name, *value.split()]
        elif name == "--run_id" and value:
            given.append(f"--run-id={value}")
        elif name != "--run_id" and (value or "=" not in parameter):
            given.append(parameter)
    return given


if __name__ == "__main__":
    sys.exit(cli.main(arguments(sys.argv[1:])))
