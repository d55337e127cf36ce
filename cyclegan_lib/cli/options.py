"""Command-line options: made from settings, so that default and help stand in one place; and -p."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cyclegan_lib.config import Settings
from cyclegan_lib.errors import InputError, printable
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
    """Give a typer command one option for each field of `cls`; it gets them as the argument `settings`.

    Fields of nested settings become options with the field's name before theirs (`--generator-hidden-dim`).
    """

    def decorate(command: Callable) -> Callable:
        fields = dict(_fields(cls))

        @functools.wraps(command)
        def wrapped(**given: Any) -> Any:
            values: dict[str, Any] = {}
            for path in fields:
                *outer, name = path
                inner = values
                for part in outer:
                    inner = inner.setdefault(part, {})
                inner[name] = given.pop("_".join(path))
            return command(**given, settings=cls.checked("the command line", **values))

        made = [_parameter("_".join(path), field) for path, field in fields.items()]
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


def _fields(cls: type[BaseModel], *before: str) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """The path to each setting, and its field."""
    for name, field in cls.model_fields.items():
        if name == "input_dim":  # features of a slice: given by the data
            continue
        if inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, *before, name)
        else:
            yield (*before, name), field


def _parameter(option: str, field: FieldInfo) -> inspect.Parameter:
    name = option.replace("_", "-")
    names = f"--{name}/--no-{name}" if field.annotation is bool else f"--{name}"
    default = typer.Option(field.default, names, help=field.description)
    return inspect.Parameter(
        option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field.annotation
    )
