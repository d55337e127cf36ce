"""What a checkpoint holds, in words."""

from pathlib import Path

from cyclegan_lib.checkpoint.reading import build_network, completed_epochs, read_checkpoint
from cyclegan_lib.config import FEW_RECORDINGS
from cyclegan_lib.errors import printable
from cyclegan_lib.glance import Text
from cyclegan_lib.models import NETWORKS
from cyclegan_lib.models.losses import LOSSES


def inspect_checkpoint(path: str | Path) -> Text:
    """Describe a checkpoint: devices, training state, data, and each network with its parameters.

    Raises InputError if the checkpoint cannot be used.
    """
    content = read_checkpoint(path)
    hyper = content["hyper_parameters"]
    settings, features = hyper["settings"], hyper["feature_settings"]
    lines = [
        f"{printable(str(path))}  ({Path(path).stat().st_size / 1e6:.1f} MB)",
        f"  translates     {hyper['device_a']} (A) <-> {hyper['device_b']} (B)",
        f"  trained        {completed_epochs(content)} epochs of {settings['steps_per_epoch']} steps,"
        f" seed {settings['seed']}",
        "  losses         " + ", ".join(f"{name} x {settings[f'lambda_{name}']}" for name in LOSSES),
        f"  normalisation  {settings['normalization']}",
    ]
    for domain, facts in hyper["data"].items():
        lines.append(
            f"  domain {domain.upper()}       {facts['recordings']} recordings,"
            f" {facts['sequences']} sequences, fingerprint {facts['fingerprint']}"
        )
    if features:
        bands = settings["generator"]["input_dim"]
        top = features["sample_rate"] // 2
        lines.append(f"  features       {bands} mel bands, {features['f_min']:g} to {top} Hz")
    for name in NETWORKS:
        count = sum(p.numel() for p in build_network(content, name).parameters())
        lines.append(f"  {name:15s}{count:>9,} parameters")
    states = sum(len(state["state"]) for state in content["optimizer_states"])
    lines.append(f"  optimizers     {len(content['optimizer_states'])}, with state for {states} tensors")
    return Text("\n".join(lines))


def untrained_in_words(epoch: int) -> str:
    """What it means that the chosen epoch is 0, and what to try; nothing of others."""
    if epoch:
        return ""
    return (
        "Best epoch 0: training did not improve on the linear maps that it starts at, and what is used is"
        f" such a map. That is usual below some {FEW_RECORDINGS} recordings of a device; try more of both, or"
        " show it a few that both made at once (--pairs)."
    )
