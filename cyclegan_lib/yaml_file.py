"""The door of YAML, which people write: sweeps, and options of commands."""

import math
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from cyclegan_lib.documents import UNREADABLE
from cyclegan_lib.errors import InputError
from cyclegan_lib.files import existing_file

MAX_BYTES = 1 << 16  # the parser reads about 100 kB in a second
MAX_LISTS = 1000  # in brackets: what lists within lists take grows with the square of their number
MAX_NODES = 20_000  # with every alias written out: ten lines of them can stand for a billion values
# what PyYAML raises besides its own errors, for dates, numbers and nesting that cannot be
YAML_ERRORS = (*UNREADABLE, yaml.YAMLError, IndexError)


def read_yaml(path: str | Path, remedy: str, example: str) -> dict[Any, Any]:
    """What a YAML file says, by its keys.

    Raises InputError if it does not exist ("…; `remedy`"), or cannot be read, holds a key twice, or no keys
    ("…; `example`").
    """
    path = existing_file(path, remedy)
    try:
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= MAX_BYTES else None
        if text is None or text.count("[") + text.count("{") > MAX_LISTS:
            raise ValueError("too long")
        content = yaml.load(text, _UniqueKeys)
    except YAML_ERRORS as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}: {error.problem})" if mark else ""
        raise InputError(f"{path} cannot be read as YAML{where}; {example}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold keys with values; {example}")
    return content


class _UniqueKeys(yaml.SafeLoader):
    """YAML without keys that are given twice, of which the last would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [str(key) for i, key in enumerate(keys) if key in keys[:i]]
        if twice:
            raise ConstructorError(None, None, f"'{twice[0]}' is given twice", node.start_mark)
        return super().construct_mapping(node, deep)

    def construct_document(self, node: yaml.Node) -> Any:
        if _size(node, {}) > MAX_NODES:
            raise ConstructorError(None, None, "it is too long", node.start_mark)
        return super().construct_document(node)


def _size(node: yaml.Node, known: dict[int, float]) -> float:
    """How many values a node stands for, its aliases written out; infinite, if it holds itself."""
    if id(node) not in known:
        known[id(node)] = math.inf
        inner = node.value if not isinstance(node, yaml.ScalarNode) else ()
        parts = chain.from_iterable(inner) if isinstance(node, yaml.MappingNode) else inner
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]
