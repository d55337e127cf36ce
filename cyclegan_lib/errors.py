"""Exceptions that the command turns into a sentence instead of a traceback."""


class InputError(ValueError):
    """Input that cannot be used.

    Its message is one sentence for the person who gave the input: which file (or option), what is wrong
    with it, what would be right. The ``cyclegan`` command prints it and exits with code 2.
    """


class NotebookError(RuntimeError):
    """A cell of a notebook failed; the message says which one, in which notebook, with what error."""


class Interrupted(RuntimeError):
    """Ctrl-C during work that can be continued; the message says how."""
