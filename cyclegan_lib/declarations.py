"""The parameters that a notebook declares in its first code cell, one a line:

    max_epochs: int = 100  # epochs to train

A comment that begins with "file:" says that the value is the path of an existing file, or empty.
"""

import ast
from dataclasses import dataclass
from typing import Any

from cyclegan_lib.errors import InputError, shown

TYPES = {"int": int, "float": float, "str": str, "bool": bool}


@dataclass(frozen=True)
class Parameter:
    """A declared parameter."""

    name: str
    type: str  # one of `TYPES`
    default: Any  # of that type
    help: str  # the comment behind it

    @property
    def is_file(self) -> bool:
        """Whether its value names a file."""
        return self.help.startswith("file:")

    def checked(self, value: Any) -> Any:
        """Return a value of the declared type; a whole number is a float too; else raise InputError."""
        kind = TYPES[self.type]
        if kind is float and type(value) is int and abs(value) < 2**53:
            return float(value)
        if type(value) is not kind:
            raise InputError(f"the parameter '{self.name}' must be {self.type}, not {shown(value)}")
        return value

    def parsed(self, text: str) -> Any:
        """Return text from a command line as the declared type; raise InputError if it cannot be read so."""
        if self.type == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if self.type != "bool":
            try:
                return TYPES[self.type](text)
            except ValueError:
                pass
        raise InputError(f"the parameter '{self.name}' must be {self.type}, not {shown(text)}")


def declared_parameters(source: str) -> dict[str, Parameter]:
    """The parameters that the source of a cell declares, by name; none if it cannot be parsed.

    Raises InputError if a declaration has another type, or its default is no plain value.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # as a cell with a % magic
        return {}
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # as Python counts them
    declared = {}
    for node in tree.body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        name, kind = node.target.id, ast.unparse(node.annotation)
        try:
            default = ast.literal_eval(node.value)
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            raise InputError(f"the notebook declares '{name}' without a plain value as default") from error
        if kind not in TYPES:
            raise InputError(f"the notebook declares '{name}' as {kind}; it must be {', '.join(TYPES)}")
        # columns count bytes, and a default may hold other letters than ASCII's
        rest = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
        declared[name] = Parameter(name, kind, default, rest.partition("#")[2].strip())
    return declared
