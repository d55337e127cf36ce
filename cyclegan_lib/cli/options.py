"""Command-line options: made from settings, so that default and help stand in one place; and -p."""

import functools
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic.fields import FieldInfo
from typer.exceptions import TyperException

from cyclegan_lib.config import Settings
from cyclegan_lib.errors import InputError, printable, shown
from cyclegan_lib.system import command_line

FEATURE_SET = "feature set (.npz or lake; also the guide's .json, or .npy)"

CHANNEL = "channel, from 1, or its name (column, variable)"
SAMPLE_RATE_OF_FILES = "rate in Hz of files that do not state theirs (CSV, .mat, .npy)"
SampleRateOfFiles = Annotated[int | None, typer.Option(min=1, help=SAMPLE_RATE_OF_FILES)]
Workers = Annotated[int | None, typer.Option(min=1, help="processes; default: one for each core")]


def set_option(help: str) -> Any:
    """An option that takes a feature set: a path, or a lake's URL, which Path would spoil."""
    return typer.Option(help=help, metavar="<path>", parser=_path_or_url)


def _path_or_url(text: str | Path) -> Path | str:
    return text if "://" in str(text) else Path(text)


def then(*words: object) -> None:
    """Print the command that is typed next; A.npz and B.npz stand for feature sets of either device."""
    print(printable(f"next: {command_line(['cyclegan', *map(str, words)])}"))


def _options_of_file(context: typer.Context, path: Path | None) -> None:
    """Options that a YAML file gives; those of the command line come first."""
    if path is None:
        return
    # imported here: few commands are given a file
    from cyclegan_lib.yaml_file import read_yaml

    example = "give a line for each option, as max-epochs: 10"
    known = {option.name: option for option in context.command.params if option.name != "config"}
    context.default_map = {}
    for key, value in read_yaml(path, "give the YAML file of options", example).items():
        name = str(key).replace("-", "_")
        if name not in known:
            raise InputError(
                f"{path}: {shown(key)} is no option of `cyclegan {context.info_name}`; {example}"
            )
        # as a command line has it, so that the same is refused
        value = value if isinstance(value, bool) and known[name].is_bool_flag else str(value)
        try:
            known[name].process_value(context, value)
        except TyperException as error:
            raise InputError(f"{path}: {shown(key)} cannot be {shown(value)}; {example}") from error
        context.default_map[name] = value


Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.yml",
        help="YAML file of options by name, as max-epochs: 10; those of the command line come first",
        is_eager=True,
        callback=_options_of_file,
    ),
]


def _reading(
    rate_of_files: Annotated[
        int | None, typer.Option("--sample-rate-of-files", min=1, help=SAMPLE_RATE_OF_FILES)
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help=f"{CHANNEL}; default: the model's, without a model the mean of all")
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            help="what samples are multiplied by: volts, g or pascals to full scale; default: the"
            " model's, without a model 1"
        ),
    ] = None,
    split_every: Annotated[
        int | None, typer.Option(min=1, help="seconds: make recordings NAME@0000s, ... of each long one")
    ] = None,
    on_damaged: Annotated[
        Literal["error", "skip"], typer.Option(help="refuse files that cannot be read, or leave them out")
    ] = "error",
    quality_checks: Annotated[
        Literal["warn", "skip", "off"],
        typer.Option(
            help="name silent, constant, half silent and clipped recordings and copies, or leave them out"
        ),
    ] = "warn",
    workers: Workers = None,
) -> None:
    """How recordings are read, wherever they are."""


def with_reading(command: Callable) -> Callable:
    """Give a typer command the options of `_reading`; it gets them as the dictionary `reading`."""
    options = inspect.signature(_reading).parameters

    @functools.wraps(command)
    def wrapped(**given: Any) -> Any:
        return command(reading={name: given.pop(name) for name in options}, **given)

    return _with_parameters(wrapped, command, "reading", options.values())


def with_options(cls: type[Settings]) -> Callable:
    """Give a typer command an option for each of `cls.flat_fields()`; it gets them as `settings`."""

    def decorate(command: Callable) -> Callable:
        fields = cls.flat_fields()

        @functools.wraps(command)
        def wrapped(**given: Any) -> Any:
            settings = cls.from_flat("the command line", {name: given.pop(name) for name in fields})
            return command(**given, settings=settings)

        made = [_parameter(name, field) for name, field in fields.items()]
        return _with_parameters(wrapped, command, "settings", made)

    return decorate


def _with_parameters(
    wrapped: Callable, command: Callable, replaced: str, made: Iterable[inspect.Parameter]
) -> Callable:
    """`wrapped` with the parameters of `command`, those that were `made` in place of one."""
    own = [p for p in inspect.signature(command).parameters.values() if p.name != replaced]
    wrapped.__signature__ = inspect.Signature([*own, *made])
    wrapped.__annotations__ = {p.name: p.annotation for p in (*own, *made)}
    return wrapped


def join_parameters(arguments: list[str]) -> list[str]:
    """Make `-p NAME VALUE`, papermill's form, one argument NAME=VALUE: typer repeats single values only.

    Raises InputError if a name or a value is missing.
    """
    joined, rest = [], iter(arguments)
    for argument in rest:
        joined.append(argument)
        if argument == "--":  # what follows are names of files
            joined.extend(rest)
        elif argument in ("-p", "--parameter"):
            name, value = next(rest, None), next(rest, None)
            if name is None or value is None:
                raise InputError(f"{argument} takes a name and a value, as in -p max_epochs 50")
            joined.append(f"{name}={value}")
    return joined


def parse_parameters(pairs: list[str]) -> dict[str, str]:
    """The values of arguments NAME=VALUE by their names; raises InputError if one has no =."""
    for pair in pairs:
        if "=" not in pair:
            raise InputError(f"'{pair}' lacks a value; give -p a name and a value, as in -p max_epochs 50")
    return dict(pair.split("=", 1) for pair in pairs)


def _parameter(option: str, field: FieldInfo) -> inspect.Parameter:
    name = option.replace("_", "-")
    names = f"--{name}/--no-{name}" if field.annotation is bool else f"--{name}"
    default = typer.Option(field.default, names, help=field.description)
    return inspect.Parameter(
        option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field.annotation
    )
