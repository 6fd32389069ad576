"""The commands of ``inkbeam``, a module each: its arguments, and what it does.

A module has ``SUMMARY``, ``add_arguments(parser)`` and ``run(arguments) -> int``, the exit code. What takes long to
load is imported when a command runs and not with its module: ``--help`` stays quick, and what libraries print while
they load is held back.
"""
