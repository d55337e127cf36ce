"""Translate with the exported generators; needs numpy, torch and this folder, nothing else.

    python inference_example.py
    python inference_example.py --input features.npz --output translated.npz --direction AB
    python inference_example.py --input recording.wav --output translated.npz    # needs soundfile as well

With --distilled a small generator translates, if there is one here: nearly the same, many times as fast.
Input and output are log mel energies in dB, (sequences, slices, 40): an .npy array; an .npz file with an
array `features`, whose other arrays are passed on, and `slices`, how many of each sequence are real, where
lengths differ; or .json, a list of (slices, 40) lists. Input may be sound too, .wav or .flac, at the rate of
the model's recordings. Without --input the bundled example is translated.
"""

import argparse
import hashlib
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import torch
from models import Generator  # models.py beside this script

HERE = Path(__file__).resolve().parent
MOST_TIMES = 100  # its size, to which an .npz may unpack
CHUNK = 16  # sequences at a time: what they need stays in the processor's cache
# no file's on Windows: a device's, whatever is behind its first full stop, and letters
NO_NAME = r'(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *\..*|.*[<>:"/\\|?*].*'
MAX_PATH = 238  # what Windows opens, less what the hidden name of an unfinished file has more


def translate(features, direction="AB", distilled=False, slices=None):
    """Translate dB features (sequences, slices, 40); AB is device A to device B, BA the other way.

    `slices`, (sequences,), says how many of each sequence's slices are real, where not all are.
    """
    config = configuration()
    settings = config["distilled"] if distilled else config
    if settings is None:
        fail(f"{HERE} holds no distilled generators; leave out --distilled")
    weights = proven(f"generator_{direction}{'_distilled' if distilled else ''}.pth", config)
    normalization = proven("normalization_params.json", config)
    generator = Generator(**settings["generator_config"]).eval()
    try:
        generator.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except Exception:  # weights_only: nothing in the file runs, whatever it is
        fail(f"{weights} does not hold this generator's weights; copy the whole folder again")
    moments = json.loads(normalization.read_text(encoding="utf-8"))
    source, target = direction.lower()
    mean, std = (np.array(moments[f"{name}_{source}"]) for name in ("mean", "std"))
    translated = np.zeros(features.shape, np.float32)
    slices = np.full(len(features), features.shape[1]) if slices is None else np.asarray(slices)
    with torch.inference_mode():
        for length in np.unique(slices):
            rows = np.flatnonzero(slices == length)
            for part in np.split(rows, range(CHUNK, len(rows), CHUNK)):
                z = (features[part, :length] - mean) / std
                y = generator(torch.from_numpy(z.astype(np.float32))).numpy()
                translated[part, :length] = y * moments[f"std_{target}"] + moments[f"mean_{target}"]
    return translated


def configuration():
    """model_config.json: settings, devices, and what the other files must be."""
    path = HERE / "model_config.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fail(f"{path} is missing or damaged; copy the whole folder again")


def proven(name, config):
    """The path of a file of this folder, which is the one that was exported."""
    path, known = HERE / name, config["sha256"].get(name)
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != known:
        fail(f"{path} is missing, damaged or of another export; copy the whole folder again")
    return path


def heard(path, direction, config):
    """The arrays of a recording of the source device."""
    if config["feature_settings"] is None:
        fail(f"{path} holds sound, and how the model's features were extracted is not known; give features")
    proven("features.py", config)
    try:
        from features import extract  # features.py beside this script
    except ImportError:
        fail(f"{path} holds sound, which the package soundfile reads; install it with pip install soundfile")
    try:
        return extract(path, direction[0].lower())
    except (ValueError, RuntimeError, OSError) as error:  # libsndfile's are of the second kind
        fail(f"{path} cannot be used: {error}")


def read(path):
    """The arrays of a file, the features under `features`; `slices` where their lengths differ."""
    try:
        if path.suffix.lower() == ".json":
            found = [np.array(sequence) for sequence in json.loads(path.read_text(encoding="utf-8"))]
            slices, real = np.array([len(sequence) for sequence in found]), np.concatenate(found)
            features = np.zeros((len(found), slices.max(), *real.shape[1:]), real.dtype)
            features[np.arange(slices.max()) < slices[:, None]] = real
            arrays = {"features": features} | ({"slices": slices} if np.ptp(slices) else {})
        elif isinstance(found := np.load(path, mmap_mode="r", allow_pickle=False), np.ndarray):
            arrays = {"features": np.asarray(found)}
        elif sum(member.file_size for member in found.zip.infolist()) > MOST_TIMES * path.stat().st_size:
            fail(f"{path} unpacks to more than {MOST_TIMES} times its size; write it again")
        else:
            arrays = dict(found)
        features = arrays["features"] = np.asarray(arrays["features"])
        right = features.dtype.kind in "fiu" and features.ndim == 3 and features.shape[2] == 40
        with np.errstate(over="ignore"):  # of numbers that float32 cannot hold
            right = right and features.size and np.isfinite(features.astype(np.float32)).all()
        if "slices" in arrays:
            slices = arrays["slices"]
            right = right and slices.shape == features.shape[:1] and slices.dtype.kind in "iu"
            right = right and ((slices >= 1) & (slices <= features.shape[1])).all()
        dict(json.loads(str(arrays.get("settings", "null"))) or {})  # how they were extracted
    except Exception:  # a damaged file may raise anything
        fail(f"{path} is not an .npy array, an .npz file with an array `features`, or a list of lists")
    if not right:
        fail(f"{path}: features have shape {features.shape}; they must be finite, (sequences, slices, 40)")
    return arrays


def check(path, arrays, config, direction):
    """Refuse another device's features, and such as were made in another way; .npy and .json do not say."""
    settings = json.loads(str(arrays.get("settings", "null")))
    if settings is None:
        return
    source, device = direction[0].lower(), str(arrays.get("device"))
    if device != config[f"device_{source}"]:
        fail(f"{path} was recorded by {device}, but {direction} translates {config[f'device_{source}']}")
    if config["feature_settings"] is None:
        return
    of_before = {"f_stop": 0.0, "channel": None}  # of files that do not say
    settings, trained = of_before | settings, of_before | config["feature_settings"]
    own = config["training"]["data"][source].get("settings") or {}
    trained["channel"] = own.get("channel")  # of this device; what both have in common knows none
    for name, wanted in trained.items():
        given = wanted if name in ("slices", "scale") else settings.get(name, wanted)
        if given != wanted and not (name == "channel" and None in (given, wanted)):
            fail(f"{path} was made with {name} {given}, the model with {wanted}; extract the features again")


def check_written(path):
    """Refuse what could not be copied to Windows or macOS."""
    name, reasons = path.name, []
    if printable(name) != name or re.fullmatch(NO_NAME, name, re.IGNORECASE):
        reasons.append("Windows has no such name")
    if len(str(path.absolute()).encode("utf-16-le", "surrogatepass")) > 2 * MAX_PATH:
        reasons.append("its whole path is too long for Windows")
    beside = os.listdir(path.parent) if os.access(os.path.join(path.parent, ""), os.R_OK) else [name]
    twins = [other for other in beside if other.casefold() == name.casefold() and name not in beside]
    reasons += [f"{other} is there, which is the same name on Windows and macOS" for other in twins]
    if reasons:
        fail(f"{path} cannot be written, because {reasons[0]}; choose another name")


def write(path, arrays, device):
    """Write beside and rename, so that there is never half a file."""
    part, suffix = path.with_name(f".{os.getpid()}.part{path.suffix}"), path.suffix.lower()
    features = arrays["features"]
    slices = arrays.get("slices", [features.shape[1]] * len(features))
    try:
        with part.open("wb") as file:
            if suffix == ".npy":
                np.save(file, features)
            elif suffix == ".npz":
                np.savez(file, **{**arrays, **({"device": np.str_(device)} if "device" in arrays else {})})
            else:
                pairs = zip(features, slices, strict=True)
                file.write(json.dumps([sequence[:length].tolist() for sequence, length in pairs]).encode())
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
    sys.stdout.reconfigure(errors="backslashreplace")  # a console may lack letters of a device's name
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--input", type=Path, help=".npz, .npy, .json, .wav or .flac; default: the bundled example"
    )
    parser.add_argument("--output", type=Path, help="file to write, .npz, .npy or .json")
    parser.add_argument("--direction", choices=("AB", "BA"), default="AB")
    parser.add_argument("--distilled", action="store_true", help="use the small generator")
    options = parser.parse_args()
    path, output = options.input or HERE / f"example_{options.direction[0]}.npy", options.output
    if output and output.suffix.lower() not in (".npz", ".npy", ".json"):
        fail(f"{output} must end in .npz, .npy or .json")
    if output:
        check_written(output)

    config = configuration()
    for known in (path, HERE / "model_config.json", *(HERE / name for name in config["sha256"])):
        if output and os.path.exists(output) and os.path.exists(known) and os.path.samefile(output, known):
            fail(f"{output} is an input and would be overwritten; give another --output")
    devices = [printable(config[f"device_{name}"]) for name in options.direction.lower()]
    is_sound = path.suffix.lower() in (".wav", ".flac")
    arrays = heard(path, options.direction, config) if is_sound else read(path)
    check(path, arrays, config, options.direction)
    before, slices = arrays["features"], arrays.get("slices")
    if output and output.suffix.lower() == ".npy" and slices is not None:
        fail(f"{output} cannot hold sequences of different lengths; give a name that ends in .npz or .json")
    after = translate(before, options.direction, options.distilled, slices)
    print(f"{devices[0]} -> {devices[1]}: {before.shape} -> {after.shape}")
    print("mean level in dB, features   1-10  11-20  21-30  31-40")
    for name, x in ((devices[0], before), (f"{devices[1]} (translated)", after)):
        x = x if slices is None else x[np.arange(x.shape[1]) < slices[:, None]]
        print(f"{name:27s}" + "".join(f"{x[..., i : i + 10].mean():7.1f}" for i in range(0, 40, 10)))
    if output:
        write(output, {**arrays, "features": after}, devices[1])
        print(printable(f"written to {output}"))


if __name__ == "__main__":
    main()
