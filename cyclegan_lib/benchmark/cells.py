"""One number of the table, on disk: a pair, a seed and a method, kept until something it hangs on changes."""

import ast
import hashlib
import inspect
import json
import sys
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

import cyclegan_lib
from cyclegan_lib.benchmark import measure, pairs
from cyclegan_lib.benchmark.methods import BOUND, HELPED, METHODS, REFERENCE, UNPAIRED, settings_of
from cyclegan_lib.benchmark.ours import UNTRAINED
from cyclegan_lib.evaluation.report import TRANSLATED, plain
from cyclegan_lib.files import replacing

CELLS = "cells"
PACKAGE = Path(cyclegan_lib.__file__).parent
# source files that every cell hangs on, and those of one method
SHARED = (
    "recordings",
    "simulation",
    "features",
    "evaluation",
    "benchmark/device_pair.py",
    "benchmark/pairs.py",
)
SHARED += ("benchmark/pairs.py", "benchmark/measure.py")
OWN = {
    **dict.fromkeys(UNPAIRED, ()),
    **dict.fromkeys(
        (TRANSLATED, UNTRAINED, *HELPED), ("models", "checkpoint", "training", "benchmark/ours.py")
    ),
    REFERENCE: ("benchmark/reference.py",),
    BOUND: ("benchmark/supervised.py",),
}


@dataclass(frozen=True)
class Cell:
    """What one method reached on one pair with one seed.

    Attributes
    ----------
    pair, method : str
    seed : int
    values : dict of float or None
        As `cyclegan_lib.benchmark.measure.Judge.measure` returns them.
    extras : dict
        Further figures of the method.
    recordings : dict of int
        Recordings in each set of the pair.
    seconds : float
        What fitting and translating took.
    """

    pair: str
    seed: int
    method: str
    values: dict[str, float | None]
    extras: dict[str, Any] = field(default_factory=dict)
    recordings: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def save(self, output: Path, fingerprint: str) -> Path:
        """Write the cell under `output`/cells, whole or not at all.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        path = cell_path(output, self.pair, self.seed, self.method)
        text = json.dumps(plain({"fingerprint": fingerprint, **asdict(self)}), indent=1, ensure_ascii=False)
        with replacing(path) as part:
            part.write_text(text + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, output: Path, pair: str, seed: int, method: str, fingerprint: str) -> "Cell | None":
        """Read a cell back; None if there is none, or not with this fingerprint."""
        try:
            text = cell_path(output, pair, seed, method).read_text(encoding="utf-8")
            found = json.loads(text)
            if found.pop("fingerprint") != fingerprint:
                return None
            cell = TypeAdapter(cls).validate_json(json.dumps(found), strict=True)
            return cell if (cell.pair, cell.seed, cell.method) == (pair, seed, method) else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None  # missing or damaged: it is computed again


def cell_path(output: Path, pair: str, seed: int, method: str) -> Path:
    """Where a cell is kept."""
    return output / CELLS / pair / f"seed-{seed}" / f"{method.replace(' ', '-')}.json"


def fingerprint(pair: str, method: str, data: Path) -> str:
    """Return a hash of everything that a cell hangs on besides its seed.

    Package and library versions, the settings of the pair, the measures and the method, the bytes of the
    real recordings, and the code that computes it, without comments and docstrings: cells that were
    computed differently are never mixed in one table.
    """
    function = METHODS[method]
    given = {
        "versions": versions(),
        "pair": [pair, repr(getattr(pairs.PAIRS[pair].make, "keywords", {})), pairs.OFFSETS],
        "simulation": pairs.SIMULATED.model_dump() if not pairs.PAIRS[pair].needs else None,
        "data": _bytes_of(data, pairs.PAIRS[pair].needs),
        "measures": measure.settings(),
        "method": settings_of(method),
        "function": inspect.getsource(function.func if isinstance(function, partial) else function),
        "code": {name: _code(PACKAGE / name) for name in (*SHARED, *OWN.get(method, ()))},
    }
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:16]


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


def _code(path: Path) -> str:
    """A hash of a source file, or of all in a folder, that comments and docstrings do not change."""
    digest = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
                node.body[0] = ast.Expr(ast.Constant(None))
        digest.update(ast.unparse(tree).encode())
    return digest.hexdigest()
