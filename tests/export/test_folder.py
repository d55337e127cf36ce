"""The exported folder: complete, proven by checksums, refused when mixed up, replaced as a whole."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import PROJECT, refusal

from cyclegan_lib.errors import InputError
from cyclegan_lib.export import Translator
from cyclegan_lib.export.manifest import CONFIG, NORMALIZATION, sealed


def rewrite(path: Path, change) -> None:
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


AB, BA = "generator_AB.pth", "generator_BA.pth"
# what is done to a folder, with another export beside it, by what is said of it
REFUSED = {
    f"{AB} does not exist": lambda m, other: (m / AB).unlink(),
    f"{AB} is damaged or belongs to another export": lambda m, other: cut(m / AB),
    f"{AB} is damaged or belongs": lambda m, other: shutil.copy(other / AB, m),
    f"{AB} holds what was exported as {BA}": lambda m, other: shutil.copy(m / BA, m / AB),
    f"{NORMALIZATION} is damaged or": lambda m, other: shutil.copy(other / NORMALIZATION, m),
    f"{NORMALIZATION} is damaged": lambda m, other: cut(m / NORMALIZATION),
    "discriminator_A.pth is damaged or belongs": lambda m, other: cut(m / "discriminator_A.pth"),
    f"belongs to another export than .*{CONFIG}": lambda m, other: shutil.copy(other / CONFIG, m),
    f"{CONFIG} was changed after the export": lambda m, other: rewrite(
        m / CONFIG, lambda v: v["feature_settings"].update(sample_rate=12000)
    ),
    f"{CONFIG} was changed after": lambda m, other: rewrite(
        m / CONFIG, lambda v: v.update(device_a=v["device_b"])
    ),
    f"{CONFIG} is not a model configuration of this version": lambda m, other: rewrite(
        m / CONFIG, lambda v: v.pop("sha256")
    ),
    f"{CONFIG} is not a model configuration": lambda m, other: (m / CONFIG).write_text(
        "[]", encoding="utf-8"
    ),
    f"{CONFIG} does not exist": lambda m, other: (m / CONFIG).unlink(),
    "model folder .* does not exist": lambda m, other: shutil.rmtree(m),
}


@pytest.mark.parametrize("says", REFUSED)
def test_a_mixed_up_folder_is_refused_in_one_sentence(says, model, everything, domains, tmp_path, capsys):
    REFUSED[says](model, everything)
    given = ["--direction", "AB", "--input", domains[0], "--output", tmp_path / "out.npz"]
    assert re.search(says, refusal(capsys, "translate", "--model", model, *given))
    assert not (tmp_path / "out.npz").exists()


def test_mixed_up_distilled_ones_are_refused(copied):
    weights = copied / "generator_AB_distilled.pth"
    shutil.copy(copied / "generator_BA_distilled.pth", weights)
    with pytest.raises(InputError, match="holds what was exported as generator_BA_distilled.pth"):
        Translator.load(copied, "AB", distilled=True)
    weights.unlink()
    with pytest.raises(InputError, match="generator_AB_distilled.pth does not exist"):
        Translator.load(copied, "AB", distilled=True)


@pytest.mark.parametrize("name", ["\ud800", "a\nb", "\x1b[31m", "  "])
def test_a_device_whose_name_no_other_file_could_hold_is_refused(name, model, run_script):
    """Also where every checksum fits."""
    values = json.loads((model / CONFIG).read_text(encoding="utf-8"))
    del values["config_sha256"], values["sha256"]
    values["device_a"] = name
    files = [path for path in model.iterdir() if path.name != CONFIG]
    (model / CONFIG).write_text(sealed(values, files), encoding="utf-8")
    with pytest.raises(InputError, match=f"{CONFIG}.*(device_a|is not a model configuration)") as error:
        Translator.load(model, "AB")
    assert str(error.value).isprintable()
    code, said, error = run_script(model)
    assert (code, error) == (0, "")
    assert all(line.isprintable() for line in said.splitlines()) and said.count("\n") == 4


def test_swapped_statistics_are_named_as_such(copied):
    swapped = lambda v: v.update(mean_a=v["mean_b"], mean_b=v["mean_a"], std_a=v["std_b"], std_b=v["std_a"])
    rewrite(copied / NORMALIZATION, swapped)
    with pytest.raises(InputError, match="has the statistics of cpc006 and BATCH_UPLOAD swapped"):
        Translator.load(copied, "AB")


@pytest.mark.parametrize(
    "says", [f"{AB} is damaged or belongs", f"{NORMALIZATION} is damaged", f"{CONFIG} does not exist"]
)
def test_the_exported_script_refuses_it_as_well(says, model, everything, run_script):
    REFUSED[says](model, everything)
    code, _, error = run_script(model)
    assert code == 2 and "copy the whole folder again" in error and error.count("\n") == 1


def test_text_may_be_edited(model):
    for name in ("README.md", "inference_example.py"):
        (model / name).write_text("mine", encoding="utf-8")
    Translator.load(model, "AB")


# One process imports everything; each export is a child that is killed at a random moment.
KILLS = 40
KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from cyclegan_lib.export import export
from cyclegan_lib.export.manifest import Manifest

torch.set_num_threads(1)
first, second, folder = map(Path, sys.argv[1:4])
export(first, folder, inference_script=True)
(folder / "mine.txt").write_text("keep")
fingerprints = {first: Manifest.load(folder).sha256}
begun = time.monotonic()
export(second, folder, inference_script=True)
lasts = time.monotonic() - begun  # the first one imports more
fingerprints[second] = Manifest.load(folder).sha256
assert fingerprints[first] != fingerprints[second]
draw, killed, replaced = random.Random(0), 0, 0
for number in range(int(sys.argv[4])):
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
    after = Manifest.load(folder).sha256  # checks each file
    assert set(after) < set(os.listdir(folder)), "a file is missing"
    assert after in (before, fingerprints[wanted]), "neither the old one nor the new one"
    assert (folder / "mine.txt").read_text() == "keep"
    replaced += after == fingerprints[wanted]
export(first, folder, inference_script=True)
assert sorted(path.name for path in folder.parent.iterdir()) == ["model"], "leftovers"
print(killed, replaced)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_an_export_that_is_killed_leaves_the_old_folder_or_the_new_one(trained, far_checkpoint, tmp_path):
    (tmp_path / "place").mkdir()
    given = [trained[0].best, far_checkpoint, tmp_path / "place" / "model", KILLS]
    run = {"capture_output": True, "encoding": "utf-8", "cwd": PROJECT}
    run["env"] = {"PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, given)], **run)
    assert done.returncode == 0, done.stderr[-3000:]
    killed, replaced = map(int, done.stdout.split())
    assert killed >= KILLS // 3 and replaced >= KILLS // 5, done.stdout  # both kinds of ends were met


def test_a_full_disk_leaves_the_old_export(trained, model, tmp_path, on_a_full_disk):
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    said = on_a_full_disk(9000, "export", "--checkpoint", trained[0].best, "--output-dir", model)
    assert "cannot be written" in said
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_example_is_a_sequence_of_each_device(exported, domains):
    for name, path in zip("AB", domains, strict=True):
        example = np.load(exported / f"example_{name}.npy")
        assert example.dtype == np.float32
        np.testing.assert_array_equal(example[0], np.load(path)["features"][0])
