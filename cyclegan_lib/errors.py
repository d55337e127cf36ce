"""The one exception that means "what you gave me is wrong", as opposed to "this library is wrong"."""


class InputError(ValueError):
    """Input that cannot be used.

    Its message is one sentence for the person who gave the input: which file (or option), what is wrong
    with it, what would be right. The ``cyclegan`` command prints it and exits with code 2.
    """
