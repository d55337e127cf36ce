"""The `cyclegan` command: one function a subcommand, no logic.

Libraries are imported by the subcommand that needs them, so that `--help` answers at once.
"""

import re
import sys
from itertools import chain
from typing import Annotated, Any

try:
    import typer
    from typer.core import TyperGroup
    from typer.exceptions import TyperException

    from cyclegan_lib import __version__
    from cyclegan_lib.cli.diagnosis import doctor
    from cyclegan_lib.cli.evaluation import benchmark, evaluate
    from cyclegan_lib.cli.examples import epilog
    from cyclegan_lib.cli.faults import classify
    from cyclegan_lib.cli.features import check, extract, simulate, split
    from cyclegan_lib.cli.models import export, inspect, listen, train, translate
    from cyclegan_lib.cli.notebooks import compare, run, sweep
    from cyclegan_lib.cli.options import join_parameters
    from cyclegan_lib.errors import InputError, Interrupted, NotebookError, printable
except KeyboardInterrupt:  # a second goes by until these are loaded
    print("cyclegan: interrupted", file=sys.stderr)
    sys.exit(130)

# what is imported of the extras, beside what comes along
EXTRAS = {"train": {"pytorch_lightning", "tensorboard", "sklearn", "ot", "matplotlib", "yaml"}}
EXTRAS["notebooks"] = {"papermill", "ipykernel", "ipywidgets", "IPython", "jupyter_client", "traitlets"}
EXTRAS["notebooks"] |= {"nbclient", "nbconvert", "nbformat", "pygments", "bs4"}

WORKFLOW = {
    "All at once": (run, sweep, compare),
    "Recordings": (simulate, extract, check, split),
    "A model": (train, export, inspect),
    "Its use": (translate, listen, classify),
    "How good it is": (evaluate, benchmark),
    "Trouble": (doctor,),
}


class Workflow(TyperGroup):
    """Lists the commands in the order of the work, each with the beginning of what it says of itself."""

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:
        """Write a section for each part of the work."""
        for title, commands in WORKFLOW.items():
            with formatter.section(title):
                said = (re.split("[;:.]", command.__doc__, maxsplit=1)[0] for command in commands)
                formatter.write_dl(list(zip((c.__name__ for c in commands), said, strict=True)))


app = typer.Typer(
    cls=Workflow,
    rich_markup_mode=None,
    help="Translate machine-sound features between two recording devices with a CycleGAN.",
)
for command in chain(*WORKFLOW.values()):
    app.command(epilog=epilog(command.__name__))(command)


def _version(asked: bool) -> None:
    if asked:
        print(f"cyclegan {__version__}")
        raise typer.Exit


@app.callback()
def _cyclegan(
    version: Annotated[
        bool, typer.Option("--version", help="print the version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options before a command."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 on success, 2 with one sentence on stderr for bad input, 128 + N for signal N."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if hasattr(sys.stdout, "reconfigure"):  # a name that the terminal's encoding lacks is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = app(join_parameters(arguments or ["--help"]), prog_name="cyclegan", standalone_mode=False)
        if code == 130:  # typer's answer to Ctrl-C
            raise Interrupted("interrupted")
        return code or 0  # it says itself that a shell has no completion
    except InputError as error:
        return _said(str(error), 2)
    except ModuleNotFoundError as error:
        name = str(error.name).partition(".")[0]
        extra = next((extra for extra, names in EXTRAS.items() if name in names), None)
        if extra is None:
            raise
        return _said(f"this needs the package {name}; install it with pip install 'cyclegan-lib[{extra}]'", 2)
    except TyperException as error:
        # an unknown option, a missing argument
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        return _said(f"{' '.join(message.split()).rstrip('.')}; see `cyclegan --help`", 2)
    except NotebookError as error:
        return _said(str(error), 1)
    except Interrupted as error:
        return _said(str(error), error.exit_code)
    except OSError as error:
        if "--install-completion" not in arguments:
            raise
        return _said(f"completion was not installed: {error}; --show-completion prints what to install", 2)


def _said(sentence: str, code: int) -> int:
    print(f"cyclegan: {printable(sentence)}", file=sys.stderr)
    return code
