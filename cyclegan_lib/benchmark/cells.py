"""What a method reached on a pair with a seed, on disk, kept until something it hangs on changes."""

import ast
import hashlib
import inspect
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cyclegan_lib
from cyclegan_lib import documents
from cyclegan_lib.benchmark import judge, pairs
from cyclegan_lib.benchmark.methods import METHODS

CELLS = "cells"
PACKAGE = Path(cyclegan_lib.__file__).parent
SHARED = (pairs, judge)  # every cell hangs on them, and on what they import


@dataclass(frozen=True)
class Cell:
    """What one method reached on one pair with one seed, in all of its rotations."""

    pair: str
    seed: int
    method: str
    values: dict[str, float | None]  # by measure, see `cyclegan_lib.benchmark.judge.Measured`
    # a column of each number that test recordings have, with their names and weights, see there as well
    tested: dict[str, list[Any]] = field(default_factory=dict)
    # "rotations": of each further figures of the method; what is expected without labels of A
    extras: dict[str, Any] = field(default_factory=dict)
    recordings: dict[str, list[int]] = field(default_factory=dict)  # in each set of each rotation
    seconds: float = 0.0  # of fitting and translating

    def save(self, output: Path, key: str) -> Path:
        """Write the cell under `output`/cells; raises InputError if the folder cannot be written."""
        path = cell_path(output, self.pair, self.seed, self.method)
        return documents.write(path, documents.plain({"fingerprint": key, **asdict(self)}))

    @classmethod
    def load(cls, output: Path, pair: str, seed: int, method: str, key: str) -> "Cell | None":
        """Read a cell back; None if there is none, it is damaged, or has another key."""
        kept = documents.read_if_whole(cell_path(output, pair, seed, method), _Kept)
        if kept is None or (kept.fingerprint, kept.pair, kept.seed, kept.method) != (key, pair, seed, method):
            return None
        return cls(**{part.name: getattr(kept, part.name) for part in fields(cls)})


@dataclass(frozen=True)
class _Kept(Cell):
    """A cell as it is on disk."""

    fingerprint: str = ""


def cell_path(output: Path, pair: str, seed: int, method: str) -> Path:
    """Where a cell is kept."""
    return output / CELLS / pair / f"seed-{seed}" / f"{method.replace(' ', '-')}.json"


def cell_key(pair: str, method: str, data: Path) -> str:
    """Return a hash of everything that a cell hangs on besides its seed.

    Package and library versions, the bytes of the real recordings, and the code that computes it, with all
    its settings and without comments and docstrings: cells that were computed differently are never mixed in
    one table.
    """
    parts = unfolded(METHODS[method])
    content = {
        "versions": versions(),
        "pair": pair,
        "method": [method, *(getattr(part, "__qualname__", repr(part)) for part in parts)],
        "data": _bytes_of(data, pairs.PAIRS[pair].needs),
        "function": inspect.getsource(parts[0]),
        "code": sorted(code_of([*SHARED, *filter(callable, parts)]).values()),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def unfolded(method: Any) -> list[Any]:
    """The function behind a method, and what it is given where it is partial."""
    if not isinstance(method, partial):
        return [method]
    given = (method.func, *method.args, *method.keywords.values())
    return [part for each in given for part in unfolded(each)]


def versions() -> dict[str, str]:
    """Versions of the package, of Python and of the libraries that the numbers come from."""
    libraries = ("cyclegan-lib", "torch", "pytorch-lightning", "numpy", "scipy", "scikit-learn", "POT")
    return {"python": sys.version.split()[0], **{name: version(name) for name in libraries}}


def _bytes_of(data: Path, needs: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for part in needs:
        path = data / part
        for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
            digest.update(file.relative_to(data).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def code_of(parts: Iterable[Any]) -> dict[Path, str]:
    """The source files of modules, classes or functions, and of all that they import of this package.

    Returns {file: SHA-256 of its code}. Imports inside functions count, and are followed like all others. Of
    what is imported from a package, such as ``cyclegan_lib.features``, its ``__init__`` is followed as well.
    """
    code: dict[Path, str] = {}
    waiting = [Path(inspect.getfile(inspect.unwrap(part))) for part in parts]
    while waiting:
        file = waiting.pop()
        if file not in code and file.is_file():  # a function of a notebook has no file
            code[file], imports = read_code(file)
            waiting += imports
    return code


@cache
def read_code(file: Path) -> tuple[str, list[Path]]:
    """SHA-256 of a source file without comments and docstrings, and files that what it imports may be in."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body[0] = ast.Expr(ast.Constant(None))
    modules = [PACKAGE.parent.joinpath(*name.split(".")) for name in names]
    files = [file for module in modules for file in (module.with_suffix(".py"), module / "__init__.py")]
    within = [file for file in files if file.is_relative_to(PACKAGE)]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest(), within
