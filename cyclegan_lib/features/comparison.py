"""Two devices' recordings side by side, before training: what they are, and whether it will work."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import printable
from cyclegan_lib.features.check import (
    SILENT_DB,
    by_recording,
    classes,
    copies,
    outliers,
    overlapping,
    warnings,
)
from cyclegan_lib.features.extract import extract
from cyclegan_lib.features.extraction_report import USED, ExtractionReport
from cyclegan_lib.features.feature_set import FeatureSet
from cyclegan_lib.features.labels import given_labels
from cyclegan_lib.features.lake import is_lake
from cyclegan_lib.features.log_mel import frequency_ranges

MIN_TEST = 8  # recordings: of fewer, one more or less is more than an eighth of the accuracy
TEST_PART = 0.25  # of the recordings, as `cyclegan split` takes it


@dataclass(frozen=True)
class Comparison:
    """What two devices' recordings are, side by side."""

    notes: list[str]  # what extraction and labels said
    rows: list[tuple[str, str, str]]  # of what, of A, of B
    overlap: np.ndarray  # (40,) bool: bands that meet
    apart: str  # the frequencies of the others
    warnings: list[str]

    def __str__(self) -> str:
        width = max(len(row[0]) for row in self.rows), max(len(row[1]) for row in self.rows)
        lines = [f"{what:{width[0]}}  {a:{width[1]}}  {b}".rstrip() for what, a, b in self.rows]
        lines.append(f"bands that meet: {self.overlap.sum()} of {len(self.overlap)}{self.apart}")
        found = [f"- {warning}" for warning in self.warnings]
        return "\n".join([*self.notes, *lines, "will it work?", *(found or ["nothing speaks against it"])])


def compare(a: FeatureSet, b: FeatureSet) -> Comparison:
    """Compare two devices' recordings before training."""
    return _compare(Side(a), Side(b))


def compare_files(
    path_a: Path,
    path_b: Path,
    settings: FeatureSettings,
    labels: Path | None = None,
    label_column: str = "fault",
    label_from_folder: int | None = None,
    encoding: str | None = None,
    **reading: Any,
) -> Comparison:
    """Compare two feature sets, or folders of recordings, which are extracted with `settings`.

    ``cyclegan check A B`` runs this. `labels` and what follows are those of `given_labels`, for both sides; a
    side that they do not concern keeps the labels that it has. `reading` are options of `SoundFiles`. Raises
    InputError if a side cannot be read, or the labels cannot.
    """
    sides = []
    for path in map(Path, (path_a, path_b)):
        report = None
        if path.is_dir() and not is_lake(path):
            device = printable(path.resolve().name) or "/"
            if (
                sides and device == sides[0].heard.device
            ):  # folders called alike are told apart by their paths
                device = printable(str(path))
            heard, report = extract(path, device, settings, on_damaged="skip", table=labels, **reading)
        else:
            heard = FeatureSet.load(path)
        names = [str(name) for name in np.unique(heard.recording)]
        found = given_labels(names, path, labels, label_column, label_from_folder, encoding)
        if found is not None and any(found.of.values()):
            heard = replace(heard, label=np.array([found.of[name] for name in heard.recording]))
        notes = [] if report is None else str(report).split("\n")
        sides.append(Side(heard, report, [*notes, *(found.remarks if found is not None else ())]))
    return _compare(*sides)


@dataclass(frozen=True)
class Side:
    """One device: what is heard, and what became of its files, where these are recordings."""

    heard: FeatureSet
    report: ExtractionReport | None = None
    notes: list[str] = field(default_factory=list)  # what extraction and labels said


def _compare(*sides: Side) -> Comparison:
    a, b = (side.heard for side in sides)
    facts = [_facts(side) | _files(report) for side, report in ((side.heard, side.report) for side in sides)]
    rows = [(what, *(of_side.get(what, "unknown") for of_side in facts)) for what in facts[0] | facts[1]]
    counts = [classes(side) for side in (a, b)]
    for name in sorted(counts[0].keys() | counts[1].keys(), key=lambda name: (name == "", name)):
        numbers = (str(count.get(name, 0)) if count else "-" for count in counts)  # - : no labels at all
        rows.append((f"class {name}" if name else "no class", *numbers))
    common = str(len(np.intersect1d(a.recording, b.recording)))
    rows.append(("names in common", common, common))
    overlap = overlapping(a, b)
    notes = [f"{side.heard.device}: {note}" for side in sides for note in side.notes]
    odd = [*warnings(a, b), *_tests(a), *_tests(b)]
    return Comparison(notes, rows, overlap, _apart(a, overlap), odd)


def _files(report: ExtractionReport | None) -> dict[str, str]:
    """Rates, channels and clipping of the files that are used."""
    if report is None:
        return {}
    files = [file for file in report.files if file.status == USED]
    rates, channels = (sorted({getattr(file, what) for file in files}) for what in ("rate", "channels"))
    clipped = sum(fault.startswith("clipped") for file in files for fault in file.faults)
    return {
        "rates of files": f"{', '.join(map(str, rates))} Hz",
        "channels of files": ", ".join(map(str, channels)),
        "clipped": f"{clipped} of {len(files)} files",
    }


def _facts(side: FeatureSet) -> dict[str, str]:
    settings = side.settings
    levels = [recording.real_slices().mean() for _, recording in by_recording(side)]  # (recordings,) dB
    silent = (side.real_slices().max(axis=1) <= SILENT_DB).mean()
    lengths = np.unique(side.lengths)
    hop_s = (settings or FeatureSettings()).slice_hop_s
    return {
        "device": side.device,
        "recordings": str(len(levels)),
        "sequences": str(len(side)),
        "slices of each": f"{lengths[0]}" + (f" to {lengths[-1]}" if len(lengths) > 1 else ""),
        "sound": f"{side.lengths.sum() * hop_s / 60:.1f} min",
        "sample rate": "unknown" if settings is None else f"{settings.sample_rate} Hz",
        "channel": "unknown" if settings is None else str(settings.channel or "unknown"),
        "level": f"{np.mean(levels):.1f} ± {np.std(levels):.1f} dB",
        "silence": f"{silent:.1%}",
        "copies": str(sum(len(group) - 1 for group in copies(side))),
        "far from the others": str(len(outliers(side))),
    }


def _tests(side: FeatureSet) -> Iterator[str]:
    """What recordings held out for a test can decide."""
    held_out = round(TEST_PART * len(np.unique(side.recording)))
    if 0 < held_out < MIN_TEST:
        yield (
            f"{side.device}: a quarter to test on are {held_out} recordings; an accuracy measured on them is"
            f" known within ±{1 / np.sqrt(held_out):.2f} at best"
        )


def _apart(side: FeatureSet, overlap: np.ndarray) -> str:
    """The ranges of frequency in which the bands do not meet."""
    if overlap.all() or side.settings is None:
        return ""
    return f", but not {frequency_ranges(~overlap, side.settings)}"
