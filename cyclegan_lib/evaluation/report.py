"""The result of an evaluation: tables to read and the same numbers as JSON."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from cyclegan_lib import documents
from cyclegan_lib.errors import count
from cyclegan_lib.evaluation.measures import ACCURACIES, MEASURES, TRANSLATED, best_baseline, rounded, span
from cyclegan_lib.faults.ways import RECOMMENDED

FEW = 10  # recordings on each side of a distance: the null itself scatters too much to be a hundred per cent


@dataclass(frozen=True)
class Row:
    """One way to translate, with its numbers; None where a number cannot be computed."""

    name: str  # "real …" for the target against itself, a baseline's name, "CycleGAN", "own labels of …"
    # distances to the target, means over the halvings; z-scores of the target (Fréchet: squared)
    mmd2: float | None = None
    frechet: float | None = None
    sliced_wasserstein: float | None = None
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
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)  # 95 %, of NMSE and accuracies
    baseline: bool = False  # needs neither pairs nor a network: what the CycleGAN has to beat


@dataclass(frozen=True)
class WayRow:
    """A translation used in one of the ways of `faults.ways`: the accuracies on the source."""

    name: str  # of the translation, as its `Row`
    way: str
    accuracy_forest: float
    accuracy_logistic: float
    interval: dict[str, tuple[float, float]]
    baseline: bool


@dataclass(frozen=True, repr=False)
class Evaluation:
    """All rows of an evaluation and how they were computed."""

    rows: list[Row]  # the null first, then own labels, identity and the other baselines, the CycleGAN last
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
    ways: list[WayRow] = field(default_factory=list)  # where the model and a labelled set were given
    # without labels of the source, in the recommended way, by classifier: mean, low, high
    expected: dict[str, dict[str, float]] = field(default_factory=dict)
    # by class, "source" as estimated without labels, and "target"
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    epoch: int | None = None  # of the model that was given
    training: list[str] = field(default_factory=list)  # what its training ended with, in words
    recordings: dict[str, int] = field(default_factory=dict)  # in each set of `sequences`

    def __repr__(self) -> str:
        return f"{self.headline}\n\n{self.table()}"

    _repr_markdown_ = __repr__  # a notebook's

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

    def compared(self, name: str) -> dict[str, Row | WayRow]:
        """The rows, by name, that a measure is compared in.

        Accuracies in the recommended way, where it was measured.
        """
        used = {row.name: row for row in self.ways if row.way == RECOMMENDED} if name in ACCURACIES else {}
        return used or {row.name: row for row in self.rows}

    @property
    def gap_closed(self) -> float | None:
        """Which part of the distance between the devices the CycleGAN removes, at most 1.

        1 − (its sliced Wasserstein distance − the null's) / (identity's − the null's): 1 as near to the
        target as the target to itself, 0 as far as without translation, below 0 farther. None where the
        untranslated source is as near to the target as the target itself, so that there is no gap, and where
        at most `FEW` recordings were compared, whose null is no measure of anything to the per cent.
        """
        null = self.null.sliced_wasserstein
        gap = self.row("identity").sliced_wasserstein - null
        if gap <= 0 or self.recordings_compared <= FEW:
            return None
        return min(1.0, 1 - (self.row(TRANSLATED).sliced_wasserstein - null) / gap)

    @property
    def said(self) -> list[str]:
        """Beside the headline of a run: how training ended, and what is expected without labels."""
        return [*self.training, *self._expectations()]

    @property
    def headline(self) -> str:
        """The result in one line: the gap closed; errors and accuracies where there are some; all cautions.

        Each beside the best unpaired baseline of that measure, by its name, and beside no translation;
        accuracies are those of the recommended way, where it was measured, baselines used in that way too.
        """
        parts = [self._gap()]
        if self.row(TRANSLATED).nmse is not None:
            parts.append(self._against("NMSE", "nmse"))
        what = f"fault accuracy{f' in the recommended way ({RECOMMENDED})' if self.ways else ''}"
        if self.compared("accuracy_forest")[TRANSLATED].accuracy_forest is not None:
            for name, words in zip(ACCURACIES, (f"{what}, forest", "logistic regression"), strict=True):
                parts.append(self._against(words, name))
        if len(parts) > 1:
            parts.append(f"errors and accuracies of {self._test_recordings}")
        return " ".join(["; ".join(parts) + ".", *self.cautions])

    def table(self) -> str:
        """Return Markdown tables that are also aligned in a terminal, and below them how to read them."""
        columns = [
            name for name in MEASURES if any(getattr(row, name, None) is not None for row in self.rows)
        ]
        cells = [[f"{self.source_device} → {self.target_device}", *_headings(columns)]]
        cells += [[row.name, *_texts(row, columns)] for row in self.rows]
        tables = [markdown_table(cells)]
        if self.ways:
            cells = [[f"ways of use on {self.source_device}", *_headings(ACCURACIES)]]
            cells += [[title, *_texts(row, ACCURACIES)] for title, row in self._shown_ways()]
            tables.append(markdown_table(cells))
        return "\n".join(["\n\n".join(tables), "", *self._notes()])

    def _shown_ways(self) -> Iterator[tuple[str, WayRow]]:
        """One row of what is the same in most ways, as a map of each feature by itself usually is."""
        for name, group in groupby(self.ways, key=attrgetter("name")):
            rows = list(group)
            values = [tuple(getattr(row, measure) for measure in ACCURACIES) for row in rows]
            same = max(values, key=values.count)
            others = [row for row, of_row in zip(rows, values, strict=True) if of_row != same]
            if len(others) > 1:
                yield from ((f"{name}, {row.way}", row) for row in rows)
            else:
                yield from ((f"{name}, {row.way}", row) for row in others)
                yield f"{name}, every {'other ' * len(others)}way", rows[values.index(same)]

    def _gap(self) -> str:
        """How much nearer the translation is, in words: a percentage only where enough was compared."""
        devices = f"from {self.source_device} to {self.target_device}"
        of = f"(sliced Wasserstein, {count(self.recordings_compared, 'recording')} a side)"
        rows = (self.null, self.row(TRANSLATED), self.row("identity"))
        null, near, far = (row.sliced_wasserstein for row in rows)
        if self.gap_closed is not None:
            return f"The {TRANSLATED} closes {self.gap_closed:.1%} of the gap {devices} {of}"
        if far <= null:
            return f"There was no gap {devices} {of}"
        text = MEASURES["sliced_wasserstein"].text
        return (
            f"The distance {devices} is {text(near)}, untranslated {text(far)}, of {self.target_device} to"
            f" itself {text(null)} {of}"
        )

    def _against(self, what: str, name: str) -> str:
        measure, nothing, rows = MEASURES[name], self.row("identity"), self.compared(name)
        ours, others = rows[TRANSLATED], {}
        if best := best_baseline(map(vars, rows.values()), name):
            others[best[0]] = best[1]
        others[nothing.name] = getattr(nothing, name)
        titles = {nothing.name: "untranslated"}
        said = [f"{titles.get(other, other)} {measure.text(value)}" for other, value in others.items()]
        return ", ".join([f"{what} {measure.text(getattr(ours, name), ours.interval.get(name))}", *said])

    def _notes(self) -> list[str]:
        notes = [
            *self.cautions,
            f"Distances: {self.recordings_compared} recordings against {self.recordings_compared} others of"
            f" {self.target_device}, in its z-scores, mean of {self.halvings} halvings (seed {self.seed});"
            f" '{self.null.name}' is what a perfect translation would score.",
        ]
        if any(row.interval for row in self.rows):
            notes.append(
                "In brackets 95 % intervals, over recordings: Wilson's of accuracies, of NMSE by resampling."
            )
        notes.append(f"Baselines fitted on {self.baselines_fitted_on}.")
        if self.ways:
            notes.append(
                f"Ways of use: forward, classifiers of {self.target_device} are asked about translated"
                f" {self.source_device}; there and back, they learn from {self.target_device} translated to"
                f" {self.source_device} and back; reverse, from {self.target_device} translated to"
                f" {self.source_device}, and are asked about that as it is; vote, the last two together;"
                " augmented, as reverse, on simpler translations and random changes too."
                f" Recommended: {RECOMMENDED}."
            )
        notes += [*self._expectations(), *self.remarks]
        if self.gap_closed is not None:
            notes.append(f"{TRANSLATED} closes {self.gap_closed:.0%} of the gap (sliced Wasserstein).")
        return notes

    @property
    def _test_recordings(self) -> str:
        return count(self.recordings.get("source", 0), "test recording")

    def _expectations(self) -> list[str]:
        said = []
        if self.expected:
            each = [
                f"{rounded(found['mean'], 2)} ({span((found['low'], found['high']))}) by {title}"
                for name, title in ACCURACIES.items()
                if (found := self.expected.get(name.removeprefix("accuracy_")))
            ]
            said.append(
                f"Expected accuracy on {self.source_device}, without its labels, by {RECOMMENDED}:"
                f" {', '.join(each)}."
            )
        if self.shares:
            each = [f"{name} {x['source']:.0%} ({x['target']:.0%})" for name, x in self.shares.items()]
            said.append(
                f"Class shares of {self.source_device}, estimated without its labels from"
                f" {self._test_recordings}, in brackets those of"
                f" {count(self.recordings.get('labelled', 0), 'labelled recording')} of"
                f" {self.target_device}: {', '.join(each)}."
            )
        return said

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; a number that is not finite becomes None."""
        views = {"gap_closed": self.gap_closed, "headline": self.headline, "said": self.said}
        return documents.plain({**asdict(self), **views})

    def save(self, path: str | Path) -> Path:
        """Write `to_dict` as JSON; raises InputError if the folder cannot be written."""
        return documents.write(path, self.to_dict())


def _headings(columns: Iterable[str]) -> list[str]:
    return [MEASURES[name].heading for name in columns]


def _texts(row: Row | WayRow, columns: Iterable[str]) -> list[str]:
    return [MEASURES[name].text(getattr(row, name), row.interval.get(name)) for name in columns]


def markdown_table(cells: list[list[str]]) -> str:
    """Return a Markdown table, heading first, that is also aligned in a terminal."""
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = [
        "| " + " | ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) + " |"
        for line in cells
    ]
    rule = "|".join([":" + "-" * (widths[0] + 1), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])
