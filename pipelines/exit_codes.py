"""The exit codes of every command, for schedulers."""

DONE = 0
TOO_MANY_FAILURES = 1
"""Done, but a larger share of the pages failed than was allowed; of other commands, done without something that is
named."""
USAGE = 2
"""Wrong usage, or input, output or model that cannot be used; nothing was done."""
FAILED = 3
"""The job broke or was interrupted; what is committed is kept."""
