"""What TensorBoard shows: groups of figures, and runs by their names."""

from pathlib import Path

from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

from cyclegan_lib.training.checkpoints import BEST, set_earlier_run_aside
from cyclegan_lib.training.logs import EpochLogger


def shown(folder: Path) -> dict[str, list[str]]:
    """The runs that TensorBoard finds below a folder, and the scalars of each."""
    runs = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload().Runs()
    return {run: sorted(tags["scalars"]) for run, tags in runs.items()}


def log(folder: Path) -> None:
    logger = EpochLogger(folder, 0)
    logger.log_hyperparams({"seed": 1})
    logger.log_metrics({"epoch": 1, "val_distance": 0.5, "train_cycle": 2.0, "val_cycle_A": 1.0}, 3)
    logger.save()
    logger.finalize("success")


def test_a_run_has_its_name_and_its_figures_are_in_groups(tmp_path):
    run = tmp_path / "demo"
    (run / "checkpoints").mkdir(parents=True)
    (run / "run.json").write_text("{}", encoding="utf-8")
    log(run / "checkpoints")
    figures = ["held_out/cycle_A", "held_out/distance", "losses/cycle"]
    assert shown(tmp_path) == {"demo": figures}
    (run / "checkpoints" / BEST).touch()
    set_earlier_run_aside(run / "checkpoints", {})
    assert list(shown(run)) == ["checkpoints/earlier-1/logs"] and not (run / "hparams.yaml").exists()


def test_checkpoints_of_no_run_have_them_in_a_folder_of_their_own(tmp_path):
    log(tmp_path / "checkpoints")
    assert list(shown(tmp_path)) == ["checkpoints/logs"]
