"""The runs of a sweep: their folders, and the recordings that some of them share."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cyclegan_lib.errors import InputError
from cyclegan_lib.runs.notebooks import parameters_of
from cyclegan_lib.runs.parameters import OWN_RECORDINGS, RESERVED
from cyclegan_lib.runs.plan import Plan
from cyclegan_lib.runs.record import RECORD, Record
from cyclegan_lib.runs.run import command
from cyclegan_lib.runs.sweep_file import SweepFile

LONGEST_SLUG = 120  # bytes


@dataclass(frozen=True)
class SweepPlans:
    """What a sweep is to do.

    Attributes
    ----------
    runs : list of Plan
    values : list of dict
        The grid's values of each run.
    recordings : list of Plan
        Notebook 01 by itself, once for each set of recordings: they come first, so that no two runs write
        the same ones.
    """

    runs: list[Plan]
    values: list[dict[str, Any]]
    recordings: list[Plan]

    @classmethod
    def of(cls, file: SweepFile, folder: Path, notebooks: list[Path], go_on: str) -> "SweepPlans":
        """Plan a sweep in `folder`; `go_on` is the command line that goes on with it.

        Raises
        ------
        InputError
            If one `data_dir` is given to runs that need different recordings.
        """
        values = file.combinations()
        runs, recordings = [], {}
        for slug, own in zip(_slugs(values), values, strict=True):
            given = {**file.parameters, **own}
            run = Plan(
                folder=folder / slug,
                notebooks=tuple(notebooks),
                given=given,
                data=folder / "data",
                command=command(slug, given),
                go_on=go_on,
            )
            if not given.get(OWN_RECORDINGS[0]):
                needed = _recordings(run)
                shared = folder / f"data-{_hash(needed)}"
                run = replace(run, data=Path(given.get("data_dir") or shared))
                # with the folders of the recordings themselves, unless they were given one of their own
                task = replace(run, folder=shared, notebooks=run.notebooks[:1], given=needed)
                if recordings.setdefault(run.data, task).given != needed:
                    raise InputError(
                        f"data_dir ({run.data}) cannot hold the recordings of several"
                        f" {' or '.join(needed)}; leave it out"
                    )
            runs.append(run)
        return cls(runs, values, list(recordings.values()))


def check_made(plan: Plan) -> None:
    """Raise InputError if `plan.folder` holds a run that was made otherwise."""
    if not (plan.folder / RECORD).exists():
        return
    record, now = Record.load(plan.folder), plan.values()
    if [step.stem for step in record.notebooks] != list(now):
        raise InputError(f"{plan.folder} was made with other notebooks; remove it, or give another --name")
    for notebook, values in now.items():
        for name, value in values.items():
            used = record.parameters[notebook].get(name, value)
            if used != value and (name != "data_dir" or name in plan.given):
                raise InputError(
                    f"{plan.folder} was made with {name} = {used!r}, and now {value!r} is asked for; remove"
                    " the folder, or give another --name"
                )


def _recordings(run: Plan) -> dict[str, Any]:
    """The parameters that decide which recordings are simulated."""
    others = (*OWN_RECORDINGS, RESERVED, "data_dir")
    declared = parameters_of(run.notebooks[0]).values()
    return {p.name: run.given.get(p.name, p.default) for p in declared if p.name not in others}


def _slugs(combinations: list[dict[str, Any]]) -> list[str]:
    """A folder name for each combination: lambda_cycle=3.0,seed=1."""
    slugs = [",".join(f"{name}={_word(value)}" for name, value in c.items()) for c in combinations]
    return [
        slug if slugs.count(slug) == 1 and _cut(slug) == slug else f"{_cut(slug)}-{_hash(values)}"
        for slug, values in zip(slugs, combinations, strict=True)
    ]


def _cut(slug: str) -> str:
    return slug.encode()[:LONGEST_SLUG].decode(errors="ignore")


def _word(value: Any) -> str:
    if isinstance(value, str):
        return re.sub(r"[^\w.+-]+", "-", Path(value).name).strip("-.") or "empty"
    return str(value)


def _hash(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]
