"""Translate features with the exported generators; needs numpy, torch and this folder, nothing else.

    python inference_example.py
    python inference_example.py --input features.npz --output translated.npz --direction AB

With --distilled a small generator translates, if there is one here: nearly the same, many times as fast.
Input and output are log mel energies in dB, (sequences, slices, 40): an .npy array, or an .npz file with an
array `features`, whose other arrays are passed on. Without --input the bundled example is translated.
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from models import Generator  # models.py beside this script

HERE = Path(__file__).resolve().parent
MOST_TIMES = 100  # its size, to which an .npz may unpack
CHUNK = 16  # sequences at a time: what they need stays in the processor's cache


def translate(features, direction="AB", distilled=False):
    """Translate dB features (sequences, slices, 40); AB is device A to device B, BA the other way."""
    config = configuration()
    settings = config["distilled"] if distilled else config
    if settings is None:
        fail(f"{HERE} holds no distilled generators; leave out --distilled")
    weights = HERE / f"generator_{direction}{'_distilled' if distilled else ''}.pth"
    normalization = HERE / "normalization_params.json"
    for path in (weights, normalization):
        known = config["sha256"][path.name]
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != known:
            fail(f"{path} is missing, damaged or of another export; copy the whole folder again")
    generator = Generator(**settings["generator_config"]).eval()
    try:
        generator.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except Exception:  # weights_only: nothing in the file runs, whatever it is
        fail(f"{weights} does not hold this generator's weights; copy the whole folder again")
    moments = json.loads(normalization.read_text(encoding="utf-8"))
    source, target = direction.lower()
    translated = np.empty(features.shape, np.float32)
    with torch.inference_mode():
        for start in range(0, len(features), CHUNK):
            part = features[start : start + CHUNK]
            z = (part - np.array(moments[f"mean_{source}"])) / np.array(moments[f"std_{source}"])
            y = generator(torch.from_numpy(z.astype(np.float32))).numpy()
            translated[start : start + CHUNK] = y * moments[f"std_{target}"] + moments[f"mean_{target}"]
    return translated


def configuration():
    """model_config.json: settings, devices, and what the other files must be."""
    path = HERE / "model_config.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fail(f"{path} is missing or damaged; copy the whole folder again")


def read(path):
    """The arrays of an .npy or .npz file, the features under `features`."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)  # what a header claims must be there
        if isinstance(found, np.ndarray):
            arrays = {"features": np.asarray(found)}
        elif sum(member.file_size for member in found.zip.infolist()) > MOST_TIMES * path.stat().st_size:
            fail(f"{path} unpacks to more than {MOST_TIMES} times its size; write it again")
        else:
            arrays = dict(found)
        features = arrays["features"] = np.asarray(arrays["features"])
        right = features.dtype.kind in "fiu" and features.ndim == 3 and features.shape[2] == 40
        with np.errstate(over="ignore"):  # of numbers that float32 cannot hold
            right = right and features.size and np.isfinite(features.astype(np.float32)).all()
    except Exception:  # a damaged file may raise anything
        fail(f"{path} is not an .npy array, or an .npz file with an array `features`")
    if not right:
        fail(f"{path}: features have shape {features.shape}; they must be finite, (sequences, slices, 40)")
    return arrays


def write(path, arrays, device):
    """Write beside and rename, so that there is never half a file."""
    part = path.with_name(f".{os.getpid()}.part{path.suffix}")
    try:
        if path.suffix == ".npy":
            np.save(part, arrays["features"])
        else:
            np.savez(part, **{**arrays, **({"device": np.str_(device)} if "device" in arrays else {})})
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        fail(f"{path} cannot be written ({error.strerror}); choose another place")


def fail(sentence):
    print(printable(sentence), file=sys.stderr)
    sys.exit(2)


def printable(text):
    """One line, whatever bytes are in the name of a file."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--input", type=Path, help=".npz or .npy in dB; default: the bundled example")
    parser.add_argument("--output", type=Path, help="file to write, .npz or .npy")
    parser.add_argument("--direction", choices=("AB", "BA"), default="AB")
    parser.add_argument("--distilled", action="store_true", help="use the small generator")
    options = parser.parse_args()
    path, output = options.input or HERE / f"example_{options.direction[0]}.npy", options.output
    if output and output.suffix not in (".npz", ".npy"):
        fail(f"{output} must end in .npz or .npy")

    config = configuration()
    for known in (path, HERE / "model_config.json", *(HERE / name for name in config["sha256"])):
        if output and os.path.exists(output) and os.path.exists(known) and os.path.samefile(output, known):
            fail(f"{output} is an input and would be overwritten; give another --output")
    devices = [printable(config[f"device_{name}"]) for name in options.direction.lower()]
    arrays = read(path)
    before = arrays["features"]
    after = translate(before, options.direction, options.distilled)
    print(f"{devices[0]} -> {devices[1]}: {before.shape} -> {after.shape}")
    print("mean level in dB, features   1-10  11-20  21-30  31-40")
    for name, x in ((devices[0], before), (f"{devices[1]} (translated)", after)):
        print(f"{name:27s}" + "".join(f"{x[..., i : i + 10].mean():7.1f}" for i in range(0, 40, 10)))
    if output:
        write(output, {**arrays, "features": after}, devices[1])
        print(printable(f"written to {output}"))


if __name__ == "__main__":
    main()
