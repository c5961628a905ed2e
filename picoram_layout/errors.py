"""Errors that a user can cause or mend; the command line turns them into one line and a status."""

from __future__ import annotations


class PicoramError(Exception):
    """Base of all errors with a message meant for the user."""

    exit_status = 2


class InputError(PicoramError):
    """A spec, a file (to be read or written), an option or a name that cannot be used (exit status 2)."""


class EnvironmentProblem(PicoramError):
    """A program or package that the machine lacks (exit status 3)."""

    exit_status = 3
