"""Damaged tables, sweeps, sounds and configurations, as hypothesis strategies."""

import io
import json
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import soundfile
import torch
import yaml
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from safety.mutations import Draw, as_json, changed, damaged, seeds

from cyclegan_lib.export.manifest import sealed

RATE = 8000
NAMES = ["m-1", "deep/m 2", "ä"]
LABELS = [["recording", "fault"], *([name, "ball"] for name in NAMES)]
SENSORS = [["recording", "fault", "diameter_mils", "position_oclock", "sensors"]]
SENSORS += [["118", "ball", "7", "", "drive_end fan_end"], ["m-1", "normal", "", "6", "drive_end"]]
SWEEP = {"name": "a", "parameters": {"max_epochs": 2}, "grid": {"seed": [0, 1], "lambda_cycle": [1.0, 3]}}
YAML = [
    "a: &a [1, 1]\n" + "".join(f"k{i}: &k{i} [*{'a' if i == 0 else f'k{i - 1}'}, *a]\n" for i in range(60)),
    "grid: &a {seed: [*a]}",
    "grid: {seed: &a [0, *a]}",
    "a: &a {x: 1}\n"
    + "".join(f"b{i}: &b{i} {{<<: [{', '.join([f'*b{i - 1}' if i else '*a'] * 9)}]}}\n" for i in range(12)),
    "grid: {seed: !!python/object/apply:os.system ['true']}",
    "grid: !!python/name:os.system",
    "grid: {? [1] : 2}",
    "grid: {seed: [2024-99-99]}",
    "grid: {seed: [!!int '']}",
    "grid: {use_labels: [!!bool maybe]}",
    "grid: {seed: [" + "9" * 5000 + "]}",
    "grid: {seed: [0x]}",
    "grid: {seed: [1" + ":59" * 9000 + "]}",
    "[" * 30_000,
    "- " * 30_000,
    "? " * 30_000,
    "{" * 30_000,
    "grid: {seed: [" + ", ".join(map(str, range(9999))) + "]}",
    "grid:\n" + "".join(f"  {name}: {list(range(40))}\n" for name in ("seed", "max_epochs", "restarts")),
    "%YAML 9.9\n---\n",
    "--- a\n--- b\n",
    "grid: !!binary x",
    "grid: !!set {seed}",
]


@st.composite
def sweeps(draw: Draw) -> bytes:
    if draw(st.integers(0, 2)) == 0:
        return draw(st.sampled_from(YAML)).encode()
    value = draw(changed(SWEEP))
    text = yaml.safe_dump(json.loads(json.dumps(value).replace("@deep@", "deep")), sort_keys=False)
    return text.encode(errors="surrogatepass")


CELLS = ["m-1", "deep/m 2", "ä", "m-1.wav", "", "normal", "ball", '"', "a,b", "\x00", "x" * 200_000]
CELLS += ["\n", "\r", "=cmd()", "\u2028", "\ufeff", "../../x", '"open', "\x1b[2J"]


@st.composite
def tables(draw: Draw, whole: list[list[str]]) -> bytes:
    """Rows of cells as CSV, with wrong cells, ends of lines, separators or encodings."""
    rows = [list(row) for row in whole]
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.sampled_from(rows))
        row[draw(st.integers(0, len(row) - 1))] = draw(st.sampled_from(CELLS))
        rows = rows + [row[:1]] if draw(st.integers(0, 4)) == 0 else rows
    ends = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n\r"]))
    text = ends.join(draw(st.sampled_from([",", ",", ",", ";"])).join(row) for row in rows)
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32"])))


@st.composite
def lists(draw: Draw) -> bytes:
    odd = ["..", "../outside", "/etc/passwd", "*", "[a]", "~", "$HOME", "a\x00b", "x" * 5000, ".", "a/../a"]
    odd += ["b", "deep/c", "# a", "a.wav", "\u202ea", "'", "a" + "/.." * 50]
    lines = draw(st.lists(st.sampled_from(odd), min_size=1, max_size=4))
    return draw(st.sampled_from(["\n", "\r\n", "\r", "\u2028"])).join(lines).encode()


@st.composite
def waves(draw: Draw) -> bytes:
    """A RIFF file of which every field of the header may lie."""
    big = [0, 1, 2, 8000, 16000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]
    number = lambda usual: draw(st.sampled_from([usual] * 8 + big))
    tag = draw(st.sampled_from([1, 1, 3, 6, 7, 2, 17, 85, 0xFFFE]))
    bits = draw(st.sampled_from([16, 8, 32, 0]))
    channels = number(1) & 0xFFFF
    form = struct.pack("<HHIIHH", tag, channels, number(RATE), number(2 * RATE), number(2) & 0xFFFF, bits)
    data = draw(st.sampled_from([bytes(800), b"\x01\xff" * 400, b"\x00\x00\xc0\x7f" * 200]))
    chunks = [b"", b"LIST" + struct.pack("<I", number(4)) + b"INFO", b"ds64" + bytes(32)]
    extra = draw(st.sampled_from(chunks))
    body = b"WAVEfmt " + struct.pack("<I", number(len(form))) + form + extra
    body += b"data" + struct.pack("<I", number(len(data))) + data
    kind = draw(st.sampled_from([b"RIFF", b"RIFF", b"RIFX", b"RF64"]))
    return kind + struct.pack("<I", number(len(body))) + body


@st.composite
def flacs(draw: Draw, valid: bytes) -> bytes:
    """A FLAC file whose first block claims other rates, channels, bits and lengths (36 bits)."""
    rate = draw(st.sampled_from([RATE, 1, 655350, 0, (1 << 20) - 1]))
    total = draw(st.sampled_from([0, 1, 999, 1 << 20, 1 << 30, (1 << 36) - 1]))
    packed = rate << 44 | draw(st.integers(0, 7)) << 41 | draw(st.sampled_from([15, 7, 23, 31])) << 36 | total
    lying = valid[:18] + packed.to_bytes(8, "big") + valid[26:]
    return lying if draw(st.booleans()) else damaged(draw(seeds()), lying)


def sound(kind: str, subtype: str, channels: int = 1) -> bytes:
    file = io.BytesIO()
    noise = 0.1 * np.random.default_rng(0).standard_normal((900, channels))
    soundfile.write(file, noise, RATE, format=kind, subtype=subtype)
    return file.getvalue()


def dumped(value: Any) -> bytes:
    """What torch.save writes."""
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


@st.composite
def configurations(draw: Draw, folder: Path) -> bytes:
    """model_config.json with a wrong value, sealed again as if it had been exported so."""
    values = json.loads((folder / "model_config.json").read_text(encoding="utf-8"))
    seals = {name: values.pop(name) for name in ("sha256", "config_sha256")}
    wrong = draw(changed(values))
    if isinstance(wrong, dict) and draw(st.integers(0, 4)):
        with suppress(ValueError, TypeError):  # keys of two kinds cannot be sorted, nor such letters encoded
            return sealed(wrong, [folder / name for name in seals["sha256"]]).encode()
    return as_json(draw(changed({**values, **seals})))


def reseal(folder: Path, *more: str, **changes) -> None:
    """Write model_config.json with these values and of these files more, as if it had been exported so."""
    values = json.loads((folder / "model_config.json").read_text(encoding="utf-8"))
    del values["config_sha256"]
    files = [folder / name for name in {*values.pop("sha256"), *more}]
    (folder / "model_config.json").write_text(sealed({**values, **changes}, files), encoding="utf-8")


PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def executed() -> dict[str, Any]:
    """A small notebook that declares a parameter and was run by papermill."""
    shown = new_output("display_data", {"image/png": PICTURE, "text/html": "<b>1</b>", "text/plain": "1"})
    outputs = [new_output("stream", text="1\n"), shown]
    declared = "seed: int = 0  # a seed"
    cells = [
        new_markdown_cell("# Title\n\n## Part\n\n[there](a.ipynb#x), $x$, `y`", id="a"),
        new_code_cell(declared, id="b", execution_count=1, metadata={"tags": ["parameters"]}),
        new_code_cell("print(1)", id="c", execution_count=2, outputs=outputs),
    ]
    run = {"papermill": {"end_time": "2024-01-01T00:00:00", "exception": None}}
    return json.loads(nbformat.writes(new_notebook(cells=cells, metadata=run)))
