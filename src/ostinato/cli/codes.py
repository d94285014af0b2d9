"""Exit codes of the command; those of bad input stand with its errors."""

FAULT, USAGE, STOPPED, INTERRUPTED = 1, 2, 75, 130
"""A fault of our own or a check that failed; a wrong option; stopped after a checkpoint; stopped at once."""
