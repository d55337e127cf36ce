"""Translate features with the exported generators; needs numpy, torch and this folder, nothing else.

    python inference_example.py
    python inference_example.py --input features.npz --output translated.npz --direction AB

Input and output are log mel energies in dB, (sequences, slices, 40): an .npy array, or an .npz file with an
array `features`; further arrays of the .npz are passed on.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import leaky_relu

HERE = Path(__file__).resolve().parent


def generate(x, weights, hidden_layers, strength):
    """The generator: the mean of its members, linear maps plus residual networks; z-scores in and out."""
    x = x.reshape(1, -1, x.shape[-1])
    h = x
    for layer in range(hidden_layers + 1):
        h = h @ weights[f"residual.{2 * layer}.weight"] + weights[f"residual.{2 * layer}.bias"]
        h = leaky_relu(h, 0.2) if layer < hidden_layers else h
    learned = h + x @ weights["linear.0.weight"] + weights["linear.0.bias"]  # (members, slices, 40)
    start = x @ weights["start_weight"] + weights["start_bias"]
    return (start + strength * learned).mean(dim=0)


def apply_gain(y, weights):
    """Multiply each sequence's deviations from its mean by a gain that follows from its statistics."""
    mean = y.mean(dim=1, keepdim=True)  # (sequences, 1, 40)
    std = (y - mean).square().mean(dim=1, keepdim=True).sqrt()
    statistics = torch.cat([mean, (std + 0.02).log()], dim=-1)  # (sequences, 1, 80)
    z = ((statistics - weights["gain_centre"]) / weights["gain_scale"]).clamp(-3, 3)
    return mean + (z @ weights["gain_weight"] + weights["gain_bias"]).clamp(-1.5, 1.5).exp() * (y - mean)


def translate(features, direction="AB", folder=HERE):
    """Translate dB features (sequences, slices, 40); AB is device A to device B, BA the other way."""
    config = json.loads((folder / "model_config.json").read_text(encoding="utf-8"))
    moments = json.loads((folder / "normalization_params.json").read_text(encoding="utf-8"))
    moments = {name: np.array(values) for name, values in moments.items()}
    weights = torch.load(folder / f"generator_{direction}.pth", map_location="cpu", weights_only=True)
    source, target = direction.lower()
    z = (features - moments[f"mean_{source}"]) / moments[f"std_{source}"]
    with torch.inference_mode():
        z = torch.from_numpy(z.astype(np.float32))
        generator = config["generator_config"]
        y = generate(z, weights, generator["hidden_layers"], generator["strength"])
        y = apply_gain(y.reshape(features.shape), weights).numpy()
    return (y * moments[f"std_{target}"] + moments[f"mean_{target}"]).astype(np.float32)


def example(direction):
    """Ten seconds around the source device's mean spectrum, to see the translation work."""
    moments = json.loads((HERE / "normalization_params.json").read_text(encoding="utf-8"))
    mean, std = (np.array(moments[f"{name}_{direction[0].lower()}"]) for name in ("mean", "std"))
    return mean + std * np.random.default_rng(0).standard_normal((1, 50, len(mean)))


def read(path):
    """The arrays of an .npy or .npz file, the features under `features`."""
    try:
        found = np.load(path, allow_pickle=False)
        arrays = {"features": found} if isinstance(found, np.ndarray) else dict(found)
        features = arrays["features"]
    except (OSError, ValueError, KeyError, EOFError):
        fail(f"{path} is not an .npy array, or an .npz file with an array `features`")
    if features.ndim != 3 or features.shape[2] != 40 or not np.isfinite(features).all():
        fail(f"{path}: features have shape {features.shape}; they must be finite, (sequences, slices, 40)")
    return arrays


def fail(sentence):
    print(sentence, file=sys.stderr)
    sys.exit(2)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--input", help=".npz or .npy in dB; without it an example is made up")
    parser.add_argument("--output", help="file to write, .npz or .npy")
    parser.add_argument("--direction", choices=("AB", "BA"), default="AB")
    options = parser.parse_args()
    config = json.loads((HERE / "model_config.json").read_text(encoding="utf-8"))
    devices = [config["device_a"], config["device_b"]][:: 1 if options.direction == "AB" else -1]

    arrays = read(options.input) if options.input else {"features": example(options.direction)}
    translated = translate(arrays["features"], options.direction)
    print(f"{devices[0]} -> {devices[1]}: {arrays['features'].shape} -> {translated.shape}")
    print(f"mean level {arrays['features'].mean():.1f} dB -> {translated.mean():.1f} dB")
    if options.output:
        if options.output.endswith(".npy"):
            np.save(options.output, translated)
        else:
            arrays.update(features=translated)
            if "device" in arrays:
                arrays["device"] = np.str_(devices[1])
            np.savez(options.output, **arrays)
        print(f"written to {options.output}")


if __name__ == "__main__":
    main()
