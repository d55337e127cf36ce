"""The exported folder: complete, proven by checksums, refused when mixed up, replaced as a whole."""

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import PROJECT

from cyclegan_lib.cli import main
from cyclegan_lib.errors import InputError
from cyclegan_lib.export import Translator, export
from cyclegan_lib.export.manifest import Manifest, sealed

CONFIG, NORMALIZATION = "model_config.json", "normalization_params.json"


def altered(checkpoint: Path, path: Path, scale: float = 1.01) -> Path:
    """A checkpoint of another run: other weights, and statistics that differ between the domains."""
    content = torch.load(checkpoint, weights_only=True)
    for name, value in content["state_dict"].items():
        if "residual" in name and value.dtype == torch.float32:
            value *= scale
    moments = content["hyper_parameters"]["normalization"]
    moments["mean_a"] = [value + 3 for value in moments["mean_a"]]
    torch.save(content, path)
    return path


@pytest.fixture(scope="module")
def other(trained, tmp_path_factory) -> Path:
    """The export of another run."""
    folder = tmp_path_factory.mktemp("other")
    export(altered(trained[0].best, folder / "other.ckpt"), folder / "model", inference_script=True)
    return folder / "model"


def rewrite(path: Path, change) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values, indent=1) + "\n")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


AB, BA = "generator_AB.pth", "generator_BA.pth"
MIXED_UP = {
    "weights are missing": (lambda m, other: (m / AB).unlink(), f"{AB} does not exist"),
    "weights are cut off": (lambda m, other: cut(m / AB), f"{AB} is damaged or belongs to another export"),
    "weights of another run": (lambda m, other: shutil.copy(other / AB, m), f"{AB} is damaged or belongs"),
    "weights of the other direction": (
        lambda m, other: shutil.copy(m / BA, m / AB),
        f"{AB} holds what was exported as {BA}",
    ),
    "statistics of another run": (
        lambda m, other: shutil.copy(other / NORMALIZATION, m),
        f"{NORMALIZATION} is damaged or belongs to another export",
    ),
    "statistics are cut off": (lambda m, other: cut(m / NORMALIZATION), f"{NORMALIZATION} is damaged"),
    "a discriminator of another run": (
        lambda m, other: cut(m / "discriminator_A.pth"),
        "discriminator_A.pth is damaged or belongs to another export",
    ),
    "configuration of another run": (
        lambda m, other: shutil.copy(other / CONFIG, m),
        f"belongs to another export than .*{CONFIG}",
    ),
    "another feature setting": (
        lambda m, other: rewrite(m / CONFIG, lambda v: v["feature_settings"].update(sample_rate=12000)),
        f"{CONFIG} was changed after the export",
    ),
    "devices are swapped": (
        lambda m, other: rewrite(m / CONFIG, lambda v: v.update(device_a=v["device_b"])),
        f"{CONFIG} was changed after the export",
    ),
    "no checksums": (
        lambda m, other: rewrite(m / CONFIG, lambda v: v.pop("sha256")),
        f"{CONFIG} is not a model configuration of this version",
    ),
    "a list": (lambda m, other: (m / CONFIG).write_text("[]"), f"{CONFIG} is not a model configuration"),
    "no configuration": (lambda m, other: (m / CONFIG).unlink(), f"{CONFIG} does not exist"),
    "no folder": (lambda m, other: shutil.rmtree(m), "model folder .* does not exist"),
}


@pytest.mark.parametrize("name", MIXED_UP)
def test_a_mixed_up_folder_is_refused_in_one_sentence(name, model, other, domains, tmp_path, capsys):
    harm, says = MIXED_UP[name]
    harm(model, other)
    with pytest.raises(InputError, match=says):
        Translator.load(model, "AB")
    given = ["--direction", "AB", "--input", str(domains[0]), "--output", str(tmp_path / "out.npz")]
    assert main(["translate", "--model", str(model), *given]) == 2
    error = capsys.readouterr().err
    assert error.startswith("cyclegan: ") and error.count("\n") == 1
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("name", ["\ud800", "a\nb", "\x1b[31m", "  "])
def test_a_device_whose_name_no_other_file_could_hold_is_refused(name, model, run_script):
    """Also where every checksum fits."""
    values = json.loads((model / CONFIG).read_text())
    del values["config_sha256"], values["sha256"]
    values["device_a"] = name
    files = [path for path in model.iterdir() if path.name != CONFIG]
    (model / CONFIG).write_text(sealed(values, files))
    with pytest.raises(InputError, match=f"{CONFIG}.*(device_a|is not a model configuration)") as error:
        Translator.load(model, "AB")
    assert str(error.value).isprintable()
    code, said, error = run_script(model)
    assert (code, error) == (0, "")
    assert all(line.isprintable() for line in said.splitlines()) and said.count("\n") == 4


def test_swapped_statistics_are_named_as_such(other, tmp_path):
    model = shutil.copytree(other, tmp_path / "model")
    Translator.load(model, "AB")
    swapped = lambda v: v.update(mean_a=v["mean_b"], mean_b=v["mean_a"], std_a=v["std_b"], std_b=v["std_a"])
    rewrite(model / NORMALIZATION, swapped)
    with pytest.raises(InputError, match="has the statistics of cpc006 and BATCH_UPLOAD swapped"):
        Translator.load(model, "AB")


@pytest.mark.parametrize("name", ["weights of another run", "statistics are cut off", "no configuration"])
def test_the_exported_script_refuses_it_as_well(name, model, other, run_script):
    MIXED_UP[name][0](model, other)
    code, _, error = run_script(model)
    assert code == 2 and "copy the whole folder again" in error and error.count("\n") == 1


def test_text_may_be_edited(model):
    for name in ("README.md", "inference_example.py"):
        (model / name).write_text("mine")
    Translator.load(model, "AB")


def test_training_facts_are_in_the_configuration(exported, trained):
    manifest = Manifest.load(exported)
    history = trained[0].history
    assert manifest.training.epoch == trained[0].best_epoch and manifest.training.seed == 0
    assert manifest.training.held_out_distance == {
        "start_AB": history[0]["val_distance_AB"],
        "start_BA": history[0]["val_distance_BA"],
        "AB": history[trained[0].best_epoch]["val_distance_AB"],
        "BA": history[trained[0].best_epoch]["val_distance_BA"],
    }
    assert manifest.versions["torch"] == version("torch")  # torch itself may add which CUDA it is for
    assert set(manifest.sha256) == {path.name for path in exported.iterdir()} - {CONFIG}


# One process imports everything; each export is a child that is killed at a random moment.
KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from cyclegan_lib.export import Translator, export
from cyclegan_lib.export.manifest import Manifest

torch.set_num_threads(1)
first, second, folder = map(Path, sys.argv[1:])
export(first, folder, inference_script=True)
(folder / "mine.txt").write_text("keep")
fingerprints = {first: Manifest.load(folder).sha256}
begun = time.monotonic()
export(second, folder, inference_script=True)
lasts = time.monotonic() - begun  # the first one imports more
fingerprints[second] = Manifest.load(folder).sha256
assert fingerprints[first] != fingerprints[second]
draw, seen, killed = random.Random(0), [], 0
for number in range(int(os.environ["KILLS"])):
    before = Manifest.load(folder).sha256
    wanted = second if before == fingerprints[first] else first
    child = os.fork()
    if child == 0:
        export(wanted, folder, inference_script=True)
        os._exit(0)
    if number % 4 < 2:
        time.sleep(draw.uniform(0, lasts))
    else:  # as the folders are about to change places, or when they have and the old one is being removed
        written = folder.with_name(f".{folder.name}.{child}.part") / "model_config.json"
        was = folder.stat().st_ino
        reached = written.exists if number % 4 == 2 else lambda: folder.stat().st_ino != was
        while not reached() and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            time.sleep(0.0002)
        time.sleep(draw.uniform(0, 0.003))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    killed += os.WIFSIGNALED(status)
    found = Manifest.load(folder)  # checks each file
    Translator.load(folder, "AB"), Translator.load(folder, "BA")
    assert found.sha256 in (before, fingerprints[wanted]), "neither the old one nor the new one"
    assert (folder / "mine.txt").read_text() == "keep"
    seen.append(found.sha256 == fingerprints[wanted])
export(first, folder, inference_script=True)
assert sorted(path.name for path in folder.parent.iterdir()) == ["model"], "leftovers"
print(killed, sum(seen))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize("kills", [12, pytest.param(40, marks=pytest.mark.slow)])
def test_an_export_that_is_killed_leaves_the_old_folder_or_the_new_one(kills, trained, tmp_path):
    second = altered(trained[0].best, tmp_path / "second.ckpt")
    (tmp_path / "place").mkdir()
    command = [sys.executable, "-c", KILLED, trained[0].best, second, tmp_path / "place" / "model"]
    environment = {"KILLS": str(kills), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    killed, replaced = map(int, done.stdout.split())
    assert killed >= kills // 3 and replaced >= kills // 5, done.stdout  # both kinds of ends were met


def test_a_full_disk_leaves_the_old_export(trained, model, tmp_path):
    """A limit for the size of files stands for the end of the disk."""
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    code = (
        "import resource, sys; from cyclegan_lib.cli import main;"
        " resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "export", "--checkpoint", trained[0].best, "--output-dir", model]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "cannot be written" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("\n") == 1
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_leftovers_of_ended_exports_go_and_what_is_not_ours_stays(trained, tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    names = {
        f".model.{ended.pid}.part": False,
        f".model.{os.getppid()}.part": True,  # still runs
        ".model.99999999999999999999999.part": True,  # no process's number
        f".other.{ended.pid}.part": True,
        f".model.{ended.pid}.part2": True,
    }
    for name in names:
        (tmp_path / name).mkdir()
    export(trained[0].best, tmp_path / "model", discriminators=False)
    assert {name: (tmp_path / name).exists() for name in names} == names


def test_the_example_is_a_sequence_of_each_device(exported, domains):
    for name, path in zip("AB", domains, strict=True):
        example = np.load(exported / f"example_{name}.npy")
        assert example.dtype == np.float32
        np.testing.assert_array_equal(example[0], np.load(path)["features"][0])
