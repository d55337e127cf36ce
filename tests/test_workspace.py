"""What a notebook may be given, where its folders are, and how it keeps figures."""

import contextlib
import io
import json

import pytest
from helpers import PROJECT
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

import cyclegan_lib
from cyclegan_lib.errors import InputError
from cyclegan_lib.plots.style import new_figure
from cyclegan_lib.workspace import Parameter, Workspace, declared_parameters, project_folder

CELL = 'epochs: int = 3  # how many\nrate: float = 0.1\nname: str = "é # no"  # of what\nx = 1'


def namespace(injected: str = "") -> dict:
    """What a kernel's globals hold after the parameters cell and the one that papermill injects."""
    cells = ["", CELL, f"# Parameters\n{injected}\n", "%matplotlib inline\nopen_the_workspace = 1"]
    scope: dict = {"In": cells, "Out": {}}
    exec("\n".join(cells[1:3]), scope)
    return scope


def test_names_types_defaults_and_meaning_are_read_from_the_cell():
    assert declared_parameters(CELL) == {
        "epochs": Parameter("epochs", "int", 3, "how many"),
        "rate": Parameter("rate", "float", 0.1, ""),
        "name": Parameter("name", "str", "é # no", "of what"),
    }
    assert declared_parameters("%matplotlib inline\nx: int = 1") == {}


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("x: list = []", "declares 'x' as list; it must be int, float, str, bool"),
        ("x: int = y + 1", "declares 'x' without a plain value"),
        ("x: int", "declares 'x' without a plain value"),
    ],
)
def test_other_declarations_are_refused(cell, says):
    with pytest.raises(InputError, match=says):
        declared_parameters(cell)


@pytest.mark.parametrize("injected", ["", "epochs = 5", "rate = 1", "name = 'x'"])
def test_declared_parameters_are_accepted(injected, tmp_path, monkeypatch):
    # a folder of no project: the library's checkout is meant
    monkeypatch.chdir(tmp_path)
    work = Workspace.open(namespace(injected))
    assert (work.run, work.data) == (PROJECT, PROJECT / "data")


@pytest.mark.parametrize(
    ("injected", "says"),
    [
        ("epoch = 5", "unknown parameter 'epoch'; this notebook knows epochs, rate, name"),
        ("epochs = 5.5", "'epochs' must be int, not 5.5"),
        ("epochs = True", "'epochs' must be int"),
        ("rate = 'fast'", "'rate' must be float"),
        ("name = 3", "'name' must be str"),
    ],
)
def test_other_names_and_types_are_refused(injected, says):
    with pytest.raises(InputError, match=says):
        Workspace.open(namespace(injected))


def test_a_file_that_does_not_exist_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope = {"In": ["", 'a: str = ""  # file: features of A; empty: simulated', "# Parameters\na = 'a.npz'"]}
    assert Workspace.open({**scope, "a": ""})
    with pytest.raises(InputError, match="a.npz does not exist; give the parameter 'a' the path of"):
        Workspace.open({**scope, "a": "a.npz"})
    (tmp_path / "a.npz").write_text("here", encoding="utf-8")
    assert Workspace.open({**scope, "a": "a.npz"})


def test_cells_may_be_run_again_in_any_order():
    scope = namespace("epochs = 5")
    scope["In"] += ["learned = epochs * 2", "%time learned"]
    scope["learned"] = 10
    assert Workspace.open(scope)


def test_the_project_is_found_upwards(tmp_path, monkeypatch):
    (tmp_path / "notebooks" / "deeper").mkdir(parents=True)
    (tmp_path / "notebooks" / "01_data_normalization.ipynb").write_text("{}", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "notebooks" / "deeper")
    assert project_folder() == tmp_path


def test_without_a_project_and_a_checkout_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert project_folder() == PROJECT
    monkeypatch.setattr(cyclegan_lib, "__file__", str(tmp_path / "site-packages" / "x" / "__init__.py"))
    with pytest.raises(InputError, match="there is no notebooks/01_data_normalization.ipynb in .* or above"):
        project_folder()


def test_folders_of_a_run(tmp_path):
    scope = {"In": ["", "run_dir: str = ''"], "run_dir": str(tmp_path / "runs" / "x")}
    work = Workspace.open(scope)
    assert work.checkpoints == tmp_path / "runs" / "x" / "checkpoints"
    assert work.features("cpc006", "test").name == "cpc006_test.npz"
    assert work.features("cpc006").name == "cpc006.npz"


def test_figures_are_kept_twice_with_the_same_bytes_each_time(tmp_path):
    work = Workspace(data=tmp_path, run=tmp_path)
    figure, (axis,) = new_figure(3, 2, 1)
    axis.plot([0, 1], [1, 0], label="x")
    axis.legend()
    assert work.keep(figure, "line") is figure
    kept = {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    assert kept.keys() == {"line.png", "line.svg"}
    with Image.open(io.BytesIO(kept["line.png"])) as picture:
        assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    assert b"<svg" in kept["line.svg"]
    work.keep(figure, "line")
    assert work.keep("an explorer", "x") == "an explorer"
    assert all((tmp_path / "figures" / name).read_bytes() == content for name, content in kept.items())


def test_what_an_earlier_notebook_makes_is_asked_for_by_its_name(tmp_path):
    work = Workspace(data=tmp_path / "data", run=tmp_path)
    for path, maker in (
        (work.features("cpc006"), "01_data_normalization"),
        (work.checkpoints / "best.ckpt", "02_training"),
        (work.exported_models / "model_config.json", "03_export"),
    ):
        with pytest.raises(InputError, match=f"{path.name} does not exist; run notebook {maker} first, or"):
            work.existing(path)
        path.parent.mkdir(parents=True)
        path.touch()
        assert work.existing(path) == path


def test_a_finished_run_is_opened_without_writing_into_it(tmp_path):
    scope = {"In": ["", "run_dir: str = ''\nmeasure_anew: bool = False"], "run_dir": str(tmp_path)}
    figure, _ = new_figure(3, 2, 1)
    for finished, anew, writes in ((None, False, True), ("2030", False, False), ("2030", True, True)):
        (tmp_path / "run.json").write_text(json.dumps({"finished": finished}), encoding="utf-8")
        before = set(tmp_path.rglob("*"))
        work = Workspace.open({**scope, "measure_anew": anew})
        work.keep(figure, f"{finished} {anew}")
        assert (work.written("metrics.json") == tmp_path / "metrics.json") == writes
        assert (set(tmp_path.rglob("*")) != before) == writes
        assert work.written("figures").is_dir()


def test_a_refusal_in_a_notebook_is_its_sentence_alone():
    shell = InteractiveShell.instance()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        shell.run_cell("from cyclegan_lib.errors import InputError\nraise InputError('it is not there')")
    assert printed.getvalue().split() == "InputError: it is not there".split()
