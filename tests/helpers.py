"""What several tests build their inputs with."""

from pathlib import Path

import numpy as np

from cyclegan_lib.config import DiscriminatorSettings, FeatureSettings, GeneratorSettings, TrainingSettings
from cyclegan_lib.features import FeatureSet

PROJECT = Path(__file__).resolve().parents[1]
CWRU = PROJECT.parent / "shared" / "data" / "cwru"
FAULTS = ("normal", "ball", "inner_race", "outer_race")


def make_set(device: str, n: int = 12, seed: int = 0, shift: float = 0.0, **settings) -> FeatureSet:
    """`n` sequences of correlated Gaussian features around -40 dB + `shift`, one recording each."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(40, 40)) / 4
    features = rng.normal(size=(n, 50, 40)) @ mixing * 5 - 40 + shift + rng.normal(size=(n, 1, 1))
    return FeatureSet(
        features=features.astype(np.float32),
        recording=np.array([f"{device}-{i:03d}" for i in range(n)]),
        start_s=np.zeros(n),
        device=device,
        settings=FeatureSettings(**settings),
        label=np.array([FAULTS[i % 4] for i in range(n)]),
    )


# two restarts of small networks, a few steps
QUICK = TrainingSettings(
    max_epochs=2,
    steps_per_epoch=3,
    batch_size=4,
    restarts=2,
    generator=GeneratorSettings(hidden_dim=8),
    discriminator=DiscriminatorSettings(hidden_dim=8),
)


def train_command(domains: tuple[Path, Path], folder: Path, **options) -> list[str]:
    """`cyclegan train` of the smallest networks, four epochs of two steps, for `main`."""
    options = {
        "domain-a": domains[0],
        "domain-b": domains[1],
        "checkpoint-dir": folder,
        "max-epochs": 4,
        "steps-per-epoch": 2,
        "batch-size": 4,
        "restarts": 1,
        "generator-hidden-dim": 8,
        "discriminator-hidden-dim": 8,
        "accelerator": "cpu",
        "resume": "auto",
        **{name.replace("_", "-"): value for name, value in options.items()},
    }
    return ["train", *(str(part) for name, value in options.items() for part in (f"--{name}", value))]


# the rows of an evaluation, in their order
ROWS = [
    "real BATCH_UPLOAD",
    "identity",
    "per-feature affine",
    "quantile mapping",
    "CORAL",
    "Gaussian OT",
    "CycleGAN",
]
