"""What is no checkpoint of ours, or not whole, is refused where it is read."""

import pytest
import torch

from cyclegan_lib.checkpoint.reading import read_checkpoint
from cyclegan_lib.errors import InputError


def changed(path, folder, change):
    checkpoint = torch.load(path, weights_only=True)
    change(checkpoint)
    torch.save(checkpoint, folder / "changed.ckpt")
    return folder / "changed.ckpt"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["state_dict"].pop("discriminator_B.of_windows.0.bias"), "weights of discriminator_B do"),
        (lambda c: c.pop("state_dict"), "not a training checkpoint"),
        (lambda c: c.update(hyper_parameters={"lr": 1}), "not written by cyclegan_lib"),
        (lambda c: c["hyper_parameters"].pop("data"), "it lacks hyper_parameters.data"),
        (lambda c: c["callbacks"].pop("ChooseCheckpoint"), "it lacks callbacks.ChooseCheckpoint"),
        (lambda c: c["hyper_parameters"]["settings"].update(x=1), "has .*settings.x, which is unknown"),
        (lambda c: c.update(format=3), "newer version of cyclegan_lib .format 3; this one reads up to 2.; "),
        (lambda c: c.update(format=-1), "format is -1"),
        (lambda c: c["slice_moments"].pop("B"), "slice_moments is"),
        (lambda c: c["slice_moments"].update(A=[1]), "slice_moments.A is"),
        (lambda c: c["slice_moments"]["A"].pop("mean"), "it lacks slice_moments.A.mean"),
        (lambda c: c["slice_moments"]["A"].update(mean=torch.zeros(39)), r"A.mean is no tensor of \(40,\)"),
        (lambda c: c["slice_moments"]["B"]["covariance"][3].fill_(torch.nan), "covariance is no tensor of"),
        (lambda c: c["slice_moments"]["B"]["covariance"][3].fill_(1e9), "holds what is no z-score"),
    ],
)
def test_a_checkpoint_that_is_not_whole_is_refused(trained, tmp_path, change, says):
    with pytest.raises(InputError, match=says):
        read_checkpoint(changed(trained[0].best, tmp_path, change))


@pytest.mark.parametrize(
    "part",
    [
        lambda c: c["callbacks"]["ChooseCheckpoint"]["kept"],
        lambda c: c["callbacks"]["ChooseCheckpoint"]["history"][0],
        lambda c: c["hyper_parameters"]["settings"]["generator"],
        lambda c: c["optimizer_states"][0]["state"],
    ],
)
def test_many_wrong_names_cost_no_time(trained, tmp_path, part):
    """Each would be an error to be listed: a million of them took minutes and gigabytes."""
    change = lambda c: part(c).update({f"x{i}": None for i in range(100_000)})
    with pytest.raises(InputError, match="holds too many names; give another"):
        read_checkpoint(changed(trained[0].best, tmp_path, change))


def test_truncated_and_foreign_files_are_refused(trained, tmp_path):
    whole = trained[0].best.read_bytes()
    (tmp_path / "half.ckpt").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.ckpt").write_bytes(b"")
    (tmp_path / "text.ckpt").write_text("no checkpoint", encoding="utf-8")
    torch.save([1, 2], tmp_path / "list.ckpt")
    for name in ("half", "empty", "text", "list"):
        with pytest.raises(InputError, match=f"{name}.ckpt"):
            read_checkpoint(tmp_path / f"{name}.ckpt")
