"""What translating costs a small device, on one core: `edge_AB.onnx`, the exported script, the library.

    python benchmarks/edge.py
    python benchmarks/edge.py --recordings 50 --json edge.json

Each way translates the same recordings of 10 s, 16-bit WAV files, one after the other in a process of its
own. Printed are the seconds of the processor from the start of Python to the first translation; the real-time
factor of the others, seconds of the processor for a second of sound; the most memory that the process had (on
Linux); and the size of the files that it needs besides Python's packages. The weights are of a training of
one step on few recordings, on which none of this hangs.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

SECONDS, RATE = 10, 16000
SCRIPT_CODE = ("inference_example.py", "features.py", "models.py")


# Each imports what it needs itself, so that the others do without it.
def with_onnxruntime(model: Path, kind: str) -> Callable[[Path], object]:
    """The one file, from samples to features."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = model / f"edge_AB{kind}.onnx"
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def translate(recording: Path) -> np.ndarray:
        with wave.open(str(recording)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / np.float32(32768)
        return session.run(None, {"samples": samples[None]})[0]

    return translate


def with_script(model: Path, kind: str) -> Callable[[Path], object]:
    """The exported folder's own code: numpy, torch and soundfile."""
    sys.path.insert(0, str(model))
    from features import extract
    from inference_example import translate

    return lambda recording: translate(extract(recording)["features"], "AB", bool(kind))


def with_library(model: Path, kind: str) -> Callable[[Path], object]:
    """What `cyclegan translate` does, from file to file."""
    from cyclegan_lib.export import Translator

    translator, output = Translator.load(model, "AB", distilled=bool(kind)), model.with_name("out.npz")
    return lambda recording: translator.translate_file(recording, output, progress=False, workers=1)


WAYS = {"edge_AB.onnx": with_onnxruntime, "exported script": with_script, "library": with_library}


def needed(way: str, kind: str) -> list[str]:
    """The files of the exported folder that it needs."""
    if way == "edge_AB.onnx":
        return [f"edge_AB{kind}.onnx"]
    code = SCRIPT_CODE if way == "exported script" else ()
    return [*code, "model_config.json", "normalization_params.json", f"generator_AB{kind}.pth"]


def measured(way: str, kind: str, folder: Path, recordings: int) -> dict[str, float]:
    """In this process: the figures of one way."""
    translate = WAYS[way](folder / "model", kind)
    translate(folder / "0.wav")
    begin = time.process_time()
    for number in range(1, recordings):
        translate(folder / f"{number}.wav")
    spent = time.process_time() - begin
    size = sum((folder / "model" / name).stat().st_size for name in needed(way, kind))
    status = Path("/proc/self/status").read_text(encoding="utf-8")  # Linux's
    return {
        "start, s": begin,
        "real-time factor": spent / (recordings - 1) / SECONDS,
        "memory, MB": int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024 / 1e6,
        "files, MB": size / 1e6,
    }


def prepare(folder: Path, recordings: int) -> None:
    """An exported model and recordings of noise with a tone."""
    import soundfile
    from training_speed import synthetic

    from cyclegan_lib.config import FeatureSettings, TrainingSettings
    from cyclegan_lib.export import export
    from cyclegan_lib.training import train

    few = (synthetic(device, i).select(np.arange(24)) for i, device in enumerate("ab"))
    a, b = (replace(x, settings=FeatureSettings()).save(folder / f"{x.device}.npz") for x in few)
    run = train(a, b, folder / "c", TrainingSettings(max_epochs=1, steps_per_epoch=1), progress=False)
    given = {"inference_script": True, "formats": "edge", "distilled": True, "discriminators": False}
    export(run.best, folder / "model", **given)
    times, rng = np.arange(SECONDS * RATE) / RATE, np.random.default_rng(0)
    for number in range(recordings):
        sound = 0.1 * rng.standard_normal(len(times)) + 0.2 * np.sin(2 * np.pi * 440 * times)
        soundfile.write(folder / f"{number}.wav", sound, RATE, subtype="PCM_16")


def main() -> None:
    """Prepare, measure each way in a process of its own, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=int, default=20)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)  # way, kind and folder, in this process
    options = parser.parse_args()
    if options.one:
        way, kind, folder = options.one
        print(json.dumps(measured(way, kind, Path(folder), options.recordings)))
        return
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), options.recordings)
        for way in WAYS:
            for kind in ("_distilled", ""):
                command = [sys.executable, __file__, "--recordings", str(options.recordings)]
                command += ["--one", way, kind, name]
                environment = {**os.environ, "OMP_NUM_THREADS": "1"}
                done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
                found[way + kind.replace("_", ", ")] = json.loads(done.stdout.splitlines()[-1])
    columns = list(next(iter(found.values())))
    print(f"| way | {' | '.join(columns)} |\n| :--- |{' ---: |' * len(columns)}")
    for way, figures in found.items():
        print(f"| {way} | {' | '.join(f'{figures[column]:.3g}' for column in columns)} |")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
