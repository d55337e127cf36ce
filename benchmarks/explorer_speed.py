"""Response of notebook 04's explorer: from a control's new value to the picture that is sent to the browser.

    python benchmarks/explorer_speed.py

Uses the project's own data/ and checkpoints/ (notebooks 01 and 02 write them), in one thread, like the
notebook. The figures are of this machine and this moment; only the ratio to a figure that is drawn anew may
be compared, and so both are timed in turn. The response in a browser is printed by `make test-browser`.
"""

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ipywidgets import Image, Widget
from threadpoolctl import threadpool_limits

from cyclegan_lib import plots
from cyclegan_lib.config import DEVICE_A, DEVICE_B, FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.explorer import PIXELS, Explorer
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.sounds import Sounds

PROJECT = Path(__file__).resolve().parents[1]
CHANGES = 20  # of each control
TARGET_MS = 300  # up to here a change seems to follow the hand
NEW, OPENED = "new figure", "opened"

# by what was changed: milliseconds until the picture, until all is there, and those of the processor
Times = dict[str, list[tuple[float, float, float]]]


def timed(act: Callable[[], object], image: Image | None = None) -> tuple[float, float, float]:
    """Milliseconds until the `image` is another, of the whole call, and of the processor's work on it."""
    start, start_cpu, shown = time.perf_counter(), time.process_time(), []
    follow = lambda _: shown.append(time.perf_counter())
    if image is not None:
        image.observe(follow, "value")
    act()
    end, worked = time.perf_counter(), time.process_time() - start_cpu
    if image is not None:
        image.unobserve(follow, "value")
    return tuple(1000 * x for x in (*[moment - start for moment in (*shown, end)][:1], end - start, worked))


def new_figure(recorded: np.ndarray, truth: np.ndarray, settings: FeatureSettings) -> None:
    """What a change would cost if each drew a figure of its own; the translation itself is not in it."""
    figure = plots.translation(recorded, truth, truth, (DEVICE_A, DEVICE_B), settings)
    figure.savefig(io.BytesIO(), format="png", dpi=PIXELS, pil_kwargs={"compress_level": 1})


def measure(a: FeatureSet, b: FeatureSet, explorer: Explorer) -> Times:
    """Open the explorer, change each control in turn, and draw a new figure in between."""
    opened: list[Widget] = []
    opening = timed(lambda: opened.append(explorer.widget("AB", 0)))
    controls, image, *_ = opened[0].children
    settings = a.settings or FeatureSettings()
    times: Times = {OPENED: [opening], **{c.description: [] for c in controls.children}, NEW: []}
    for turn in range(CHANGES):
        for control in controls.children:
            following = (control.index + 1) % len(control.options)
            change = lambda control=control, index=following: setattr(control, "index", index)
            times[control.description].append(timed(change, image))
        recorded, truth = a.features[turn % len(a)], b.features[turn % len(b)]
        times[NEW].append(timed(lambda x=recorded, y=truth: new_figure(x, y, settings)))
    return times


def main() -> int:
    """Print the figures."""
    try:
        data, devices = PROJECT / "data", (DEVICE_A, DEVICE_B)
        a, b = tests = [FeatureSet.load(data / f"{name}_test.npz") for name in devices]
        sounds = [Sounds(part, data / "recordings" / part.device / "test") for part in tests]
        training = [FeatureSet.load(data / f"{name}.npz") for name in devices]
        with threadpool_limits(limits=1):
            times = measure(a, b, Explorer(a, b, PROJECT / "checkpoints", sounds, training))
    except InputError as error:
        print(f"{error}\nnotebooks 01 and 02 write what this benchmark reads", file=sys.stderr)
        return 2
    for name, taken in times.items():
        picture, whole, cpu = np.median(taken, axis=0)
        text = f"picture {picture:5.0f} ms   with sounds {whole:5.0f} ms   processor {cpu:5.0f} ms"
        print(f"{name:12s} {len(taken):3d} times, median: {text}")
    picture, whole, cpu = np.concatenate(
        [taken for name, taken in times.items() if name not in (OPENED, NEW)]
    ).T
    ratio = np.median(cpu) / np.median([cpu for *_, cpu in times[NEW]])
    print(f"a change, sounds too, takes {ratio:.2f} times the processor time of a new figure")
    for name, taken in (("pictures", picture), ("with sounds", whole), ("in processor time", cpu)):
        print(f"below {TARGET_MS} ms, {name}: {np.mean(taken < TARGET_MS):.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
