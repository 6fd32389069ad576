"""A job on its runner: options, plan, portions, the run itself, and what is reported of it."""
