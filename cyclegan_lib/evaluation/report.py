"""The result of an evaluation: a table to read and the same numbers as JSON."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cyclegan_lib import documents
from cyclegan_lib.evaluation.measures import BASELINE, MEASURES, TRANSLATED


@dataclass(frozen=True)
class Row:
    """One way to translate, with its numbers; None where a number cannot be computed."""

    name: str  # "real …" for the target against itself, a baseline's name, or "CycleGAN"
    # distances to the target, means over the halvings; z-scores of the target (Fréchet: squared)
    mmd2: float
    frechet: float
    sliced_wasserstein: float
    # accuracy of telling it from the target, mean over the halvings; None with one recording a side
    c2st: float | None = None
    nmse: float | None = None  # error against pairs; 0 perfect, 1 as good as the mean
    # of fault classifiers trained on the target
    accuracy_forest: float | None = None
    accuracy_logistic: float | None = None
    # part of the lost accuracy that comes back; None where next to nothing was lost
    recovery_forest: float | None = None
    recovery_logistic: float | None = None
    deviation: dict[str, float] = field(default_factory=dict)  # of each distance over the halvings


@dataclass(frozen=True)
class Evaluation:
    """All rows of an evaluation and how they were computed."""

    rows: list[Row]  # the null first, then identity and the other baselines, the CycleGAN last
    source_device: str
    target_device: str
    sequences: dict[str, int]  # in each set that was given, under the names of `evaluate`'s arguments
    recordings_compared: int  # on each side of every distance
    halvings: int  # random halvings of the recordings that distances are averaged over
    baselines_fitted_on: str
    seed: int
    cautions: list[str] = field(default_factory=list)  # why the numbers tell less than they seem to
    remarks: list[str] = field(
        default_factory=list
    )  # what is missing: columns that were asked for, labels, settings

    def row(self, name: str) -> Row:
        """Return the row called `name`; raises KeyError that lists the names."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"no row '{name}'; there are {', '.join(row.name for row in self.rows)}")

    @property
    def null(self) -> Row:
        """The target against itself: what a perfect translation would score."""
        return self.rows[0]

    @property
    def gap_closed(self) -> float | None:
        """Which part of the distance between the devices the CycleGAN removes.

        1 − (its sliced Wasserstein distance − the null's) / (identity's − the null's): 1 as near to the
        target as the target to itself, 0 as far as without translation, below 0 farther. None where the
        untranslated source is as near to the target as the target itself: there is no gap.
        """
        null = self.null.sliced_wasserstein
        gap = self.row("identity").sliced_wasserstein - null
        return 1 - (self.row(TRANSLATED).sliced_wasserstein - null) / gap if gap > 0 else None

    @property
    def headline(self) -> str:
        """The result in one line: the gap closed, the errors where there are pairs, and all cautions."""
        closed = (
            "There was no gap"
            if self.gap_closed is None
            else f"The CycleGAN closes {self.gap_closed:.1%} of the gap"
        )
        parts = [f"{closed} from {self.source_device} to {self.target_device} (sliced Wasserstein)"]
        translated, linear, nothing = (self.row(name) for name in (TRANSLATED, BASELINE, "identity"))
        if translated.nmse is not None:
            parts.append(
                f"NMSE {translated.nmse:.3f}, Gaussian optimal transport {linear.nmse:.3f},"
                f" untranslated {nothing.nmse:.2f}"
            )
        if translated.accuracy_forest is not None:
            parts.append(
                f"fault accuracy {translated.accuracy_forest:.2f}, Gaussian optimal transport"
                f" {linear.accuracy_forest:.2f}, untranslated {nothing.accuracy_forest:.2f}"
            )
        return " ".join(["; ".join(parts) + ".", *self.cautions])

    def table(self) -> str:
        """Return a Markdown table that is also aligned in a terminal, and below it how to read it."""
        columns = [
            name for name in MEASURES if any(getattr(row, name, None) is not None for row in self.rows)
        ]
        headings = [MEASURES[name].heading for name in columns]
        cells = [[f"{self.source_device} → {self.target_device}", *headings]]
        for row in self.rows:
            cells.append([row.name, *(MEASURES[name].text(getattr(row, name)) for name in columns)])
        return "\n".join([markdown_table(cells), "", *self._notes()])

    def _notes(self) -> list[str]:
        notes = [
            *self.cautions,
            f"Distances: {self.recordings_compared} recordings against {self.recordings_compared} others of"
            f" {self.target_device}, in its z-scores, mean of {self.halvings} halvings (seed {self.seed});"
            f" '{self.null.name}' is what a perfect translation would score.",
            f"Baselines fitted on {self.baselines_fitted_on}.",
            *self.remarks,
        ]
        if self.gap_closed is not None:
            notes.append(f"{TRANSLATED} closes {self.gap_closed:.0%} of the gap (sliced Wasserstein).")
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; a number that is not finite becomes None."""
        return documents.plain({**asdict(self), "gap_closed": self.gap_closed, "headline": self.headline})

    def save(self, path: str | Path) -> Path:
        """Write `to_dict` as JSON; raises InputError if the folder cannot be written."""
        return documents.write(path, self.to_dict())


def markdown_table(cells: list[list[str]]) -> str:
    """Return a Markdown table, heading first, that is also aligned in a terminal."""
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = [
        "| " + " | ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) + " |"
        for line in cells
    ]
    rule = "|".join([":" + "-" * (widths[0] + 1), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])
