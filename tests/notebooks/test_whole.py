"""The check of a notebook that is not run: what it refuses, and what it lets pass."""

import nbformat
import pytest
from notebooks.whole import UNSTABLE, check_whole

FIGURE = {"text/plain": "<Figure size 720x304 with 2 Axes>", "image/png": "iVBORw0KGgo=" * 100}


@pytest.fixture
def check(tmp_path):
    """Check a notebook of one cell that was run, with the source and outputs given."""

    def check_cell(source, *outputs, **changed):
        values = {"execution_count": 1, "outputs": list(outputs), **changed}
        cell = nbformat.v4.new_code_cell(source, **values)
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "one.ipynb")
        check_whole(tmp_path / "one.ipynb")

    return check_cell


def stdout(text):
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def shown(kind, **data):
    return nbformat.v4.new_output(kind, data=data or FIGURE)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("an absolute path", "written to /srv/jenkins/build/metrics.json"),
        ("an absolute path", "PosixPath('/mnt/data')"),
        ("an absolute path", "~/data/recordings"),
        ("an absolute path", "C:\\Users\\me"),
        ("an absolute path", "in lib/python3.11/site-packages"),
        ("a date", "trained on 2025-03-01"),
        ("a time", "finished at 12:30:05"),
        ("a speed", "100 steps, 12.1 it/s"),
        ("a speed", "0.3 s/step"),
        ("a version", "torch 2.13.0"),
        ("a memory address", "<object at 0x7f12ab34cd56>"),
        ("a warning", "UserWarning: this is slow"),
        ("an unrounded number", "0.123456"),
        ("an unrounded number", "3e-07"),
    ],
)
def test_what_differs_elsewhere_is_refused(check, what, text):
    assert what in UNSTABLE
    with pytest.raises(AssertionError, match=f"one.ipynb, code cell 1: its output holds {what}"):
        check("print(text)", stdout(text))
    with pytest.raises(AssertionError, match=f"its output holds {what}"):
        check("table", shown("execute_result", **{"text/markdown": text}))


def test_what_is_stable_passes(check):
    text = (
        "24 sequences from 24 recordings; 1.0 s of 240.0 s left over\n"
        "recovered 0.81 / 0.85, n/a; C2ST → 0.5; pairs and/or labels; checkpoints/best.ckpt; mean -34.5 dB\n"
        "(240, 50, 40) -> 114,240 parameters; mmd² 0.0155; 91% less; epoch 8 of 8; generator_*.pth 0.5 MB\n"
    )
    check("print(text)", stdout(text))
    check("%matplotlib inline\nfigure", shown("execute_result"))


@pytest.mark.parametrize(
    ("source", "outputs"),
    [
        ("print(1)", []),
        ("print(1)", [shown("display_data")]),
        ("for i in (1, 2):\n    print(i)", []),
        ("if True:\n    display(figure)", [stdout("1")]),
        ("display(figure)", []),
        ("print(1)\nfigure", [stdout("1")]),
        ("x = 1\nx", []),
        ("work.keep(figure, 'name')", []),
        ("def show():\n    print(1)\n\n\nshow()", []),
    ],
)
def test_a_missing_output_is_noticed(check, source, outputs):
    with pytest.raises(AssertionError, match="one.ipynb, code cell 1: it .* but that output is gone"):
        check(source, *outputs)


SILENT = ["x = 1", "%matplotlib inline", "def show():\n    print(1)", "values.append(1);  # None", ""]
SILENT += ["for i in (1, 2):\n    x = i", "x = 1\n" * 20]


@pytest.mark.parametrize("source", SILENT)
def test_cells_that_show_nothing_need_no_output(check, source):
    check(source)


def test_cells_with_every_output_pass(check):
    check("print(1)\nfigure", stdout("1"), shown("execute_result"))
    check("curves = display(figure, display_id=True)\ncurves.update(figure)", shown("display_data"))


ERROR = nbformat.v4.new_output("error", ename="KeyError", evalue="a", traceback=[])
CAREFUL = nbformat.v4.new_output("stream", name="stderr", text="careful")
UNDRAWN = shown("display_data", **{"text/plain": "<Figure size 72x72>"})
SVG = shown("display_data", **{"image/svg+xml": "<svg/>"})
HIDDEN = "would make nbval pass it"
REFUSED = [
    ("x = 1", {"outputs": [CAREFUL]}, "wrote to stderr: careful"),
    ("x = 1", {"outputs": [ERROR]}, "failed with KeyError"),
    ("x = 1", {"outputs": [UNDRAWN]}, "the picture .* is gone"),
    ("x = 1", {"outputs": [SVG]}, "cannot compare .* kind image/svg"),
    ("x = 1", {"execution_count": None}, "its execution count is None"),
    ("x = 1", {"execution_count": 2}, "its execution count is 2"),
    ("x = 1\n" * 21, {}, "21 lines"),
    ("# NBVAL_SKIP\nx = 1", {}, HIDDEN),
    ("# NBVAL_RAISES_EXCEPTION\nx = 1", {}, HIDDEN),
    ("x = 1", {"metadata": {"tags": ["nbval-ignore-output"]}}, HIDDEN),
    ("x = 1", {"metadata": {"tags": ["nbval-skip"]}}, HIDDEN),
    ("x = 1", {"metadata": {"tags": ["raises-exception"]}}, HIDDEN),
]


@pytest.mark.parametrize(("source", "changed", "said"), REFUSED)
def test_other_cells_are_refused(check, source, changed, said):
    with pytest.raises(AssertionError, match=f"one.ipynb, code cell 1: .*{said}"):
        check(source, **changed)


def test_a_notebook_must_be_valid_and_hold_code(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text")])
    nbformat.write(notebook, tmp_path / "none.ipynb")
    with pytest.raises(AssertionError, match="none.ipynb holds no code"):
        check_whole(tmp_path / "none.ipynb")
    text = (tmp_path / "none.ipynb").read_text(encoding="utf-8")
    (tmp_path / "broken.ipynb").write_text(text.replace('"markdown"', '"prose"'), encoding="utf-8")
    with pytest.raises(AssertionError, match="broken.ipynb is not a valid notebook"):
        check_whole(tmp_path / "broken.ipynb")
