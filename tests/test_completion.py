"""Completion in shells: typer's own, of the command as it is."""

import pytest
from helpers import refusal

from cyclegan_lib.cli import main


@pytest.mark.parametrize(
    ("shell", "typed"),
    [
        ("bash", {"COMP_WORDS": "cyclegan tr", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "cyclegan tr"}),
    ],
)
def test_shells_complete_commands(shell, typed, capsys, monkeypatch):
    for name, value in {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", **typed}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        main(["--show-completion", shell])
    assert f"_CYCLEGAN_COMPLETE=complete_{shell}" in capsys.readouterr().out
    monkeypatch.setenv("_CYCLEGAN_COMPLETE", f"complete_{shell}")
    with pytest.raises(SystemExit):
        main([])
    completed = capsys.readouterr().out
    assert "translate" in completed and "train" in completed and "split" not in completed


def test_completion_that_cannot_be_installed(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    home = tmp_path / "home"
    home.touch()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    assert "completion was not installed" in refusal(capsys, "--install-completion", "bash")
    assert main(["--install-completion", "sh"]) == 2
