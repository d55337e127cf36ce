"""The `cyclegan` command: one function a subcommand, no logic.

Libraries are imported by the subcommand that needs them, so that `--help` answers at once.
"""

import sys

try:
    import typer
    from typer.exceptions import TyperException

    from cyclegan_lib.cli.evaluation import benchmark, evaluate
    from cyclegan_lib.cli.faults import classify
    from cyclegan_lib.cli.features import check, extract, simulate, split
    from cyclegan_lib.cli.models import export, inspect, train, translate
    from cyclegan_lib.cli.notebooks import run, sweep
    from cyclegan_lib.cli.options import join_parameters
    from cyclegan_lib.errors import InputError, Interrupted, NotebookError, printable
except KeyboardInterrupt:  # a second goes by until these are loaded
    print("cyclegan: interrupted", file=sys.stderr)
    sys.exit(130)

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Translate machine-sound features between two recording devices with a CycleGAN.",
)
for command in (
    simulate,
    extract,
    check,
    split,
    train,
    export,
    inspect,
    translate,
    classify,
    evaluate,
    benchmark,
    run,
    sweep,
):
    app.command()(command)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 on success, 2 with one sentence on stderr for bad input, 128 + N for signal N."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if hasattr(sys.stdout, "reconfigure"):  # a name that the terminal's encoding lacks is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = app(join_parameters(arguments or ["--help"]), prog_name="cyclegan", standalone_mode=False)
        if code:  # typer's answer to Ctrl-C
            raise Interrupted("interrupted")
    except InputError as error:
        return _said(str(error), 2)
    except TyperException as error:
        # an unknown option, a missing argument
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        return _said(f"{' '.join(message.split()).rstrip('.')}; see `cyclegan --help`", 2)
    except NotebookError as error:
        return _said(str(error), 1)
    except Interrupted as error:
        return _said(str(error), error.exit_code)
    return 0


def _said(sentence: str, code: int) -> int:
    print(f"cyclegan: {printable(sentence)}", file=sys.stderr)
    return code
