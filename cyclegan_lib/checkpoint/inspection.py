"""What a checkpoint holds, in words."""

from pathlib import Path

from cyclegan_lib.checkpoint.reading import build_network, completed_epochs, read_checkpoint
from cyclegan_lib.errors import printable
from cyclegan_lib.models import NETWORKS


def inspect_checkpoint(path: str | Path) -> str:
    """Describe a checkpoint: devices, training state, data, and each network with its parameters.

    Raises
    ------
    InputError
        If the checkpoint cannot be used.
    """
    content = read_checkpoint(path)
    ours = content["hyper_parameters"]
    settings, data = ours["settings"], ours["data"]
    lines = [
        f"{printable(str(path))}  ({Path(path).stat().st_size / 1e6:.1f} MB)",
        f"  translates     {ours['device_a']} (A) <-> {ours['device_b']} (B)",
        f"  trained        {completed_epochs(content)} epochs of {settings['steps_per_epoch']} steps,"
        f" seed {settings['seed']}",
        f"  losses         adversarial x {settings['lambda_adversarial']},"
        f" cycle x {settings['lambda_cycle']}, identity x {settings['lambda_identity']}",
        f"  normalisation  {settings['normalization']}",
    ]
    for domain in ("a", "b"):
        facts = data[domain]
        lines.append(
            f"  domain {domain.upper()}       {facts['recordings']} recordings,"
            f" {facts['sequences']} sequences, fingerprint {facts['fingerprint']}"
        )
    if ours["feature_settings"]:
        rate, f_min = ours["feature_settings"]["sample_rate"], ours["feature_settings"]["f_min"]
        lines.append(
            f"  features       {settings['generator']['input_dim']} mel bands, {f_min:g} to {rate // 2} Hz"
        )
    for name in NETWORKS:
        count = sum(p.numel() for p in build_network(content, name, str(path)).parameters())
        lines.append(f"  {name:15s}{count:>9,} parameters")
    states = sum(len(state["state"]) for state in content["optimizer_states"])
    lines.append(f"  optimizers     {len(content['optimizer_states'])}, with state for {states} tensors")
    return "\n".join(lines)
