"""Where each member starts: the mean of maps onto matching recordings, or a simpler map that is nearer.

The Gaussian optimal-transport map gives the source the target's covariance, and with tens of recordings it
fits their accidents; so does a single map that matches recordings.

References
----------
.. [1] L. Breiman, "Bagging predictors", Machine Learning 24, 1996, 123-140.
"""

import numpy as np
import torch
from tqdm import tqdm

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.models.cyclegan import CycleGANModule, LinearMap
from cyclegan_lib.training.criterion import MEANS, held_out_distance, yardstick
from cyclegan_lib.training.domains import Domains
from cyclegan_lib.training.matching import (
    Described,
    MatchSettings,
    Paired,
    matched_gain,
    matched_map,
    mean_map,
)
from cyclegan_lib.training.trust import Trust, beyond_filter
from cyclegan_lib.training.verdict import AFFINE, MATCHED, SHIFT, Evidence

# Maps of a restart, fewer where a device has more recordings.
MAX_DRAWS, ENOUGH_RECORDINGS = 8, 200


def start_map(
    source: Described,
    target: Described,
    settings: list[MatchSettings],
    rng: np.random.Generator,
    paired: Paired | None = None,
) -> LinearMap:
    """The mean of several `matched_map`, each with settings of its own and four fifths of the recordings.

    With tens of recordings single matches are chance and the mean of eight maps is better than one
    (bagging [1]_); with hundreds one map is as good, and is fitted on all of them.
    """
    maps = []
    for drawn in settings:
        a, b = (source, target) if len(settings) == 1 else (source.some(rng), target.some(rng))
        maps.append(matched_map(a, b, drawn, paired))
    return mean_map(maps)


def start_module(domains: Domains, settings: TrainingSettings, progress: bool = False) -> CycleGANModule:
    """A new model; each restart begins at its own linear maps, fitted on what it is trained on.

    Of very many recordings some are looked at, each restart at others (`Domains.drawn_to_start`).
    """
    features = domains.a.settings or domains.b.settings
    module = CycleGANModule(
        settings=settings.model_dump(),
        normalization=domains.normalizer.to_dict(),
        device_a=domains.a.device,
        device_b=domains.b.device,
        feature_settings=None if features is None else features.common().model_dump(),
        data=domains.facts,
    )
    every, domains = domains, domains.drawn_to_start(settings.seed, 0)
    z = {name: scores[:] for name, scores in domains.normalized().items()}
    paired = None
    if domains.pairs is not None:
        paired = tuple(
            Described.describe(domains.normalizer.normalize(features, name), domains.pairs.recording).mean
            for features, name in ((domains.pairs.features_a, "A"), (domains.pairs.features_b, "B"))
        )
    whole = {
        name: Described.describe(z[name], domain.recording)
        for name, domain in (("a", domains.a), ("b", domains.b))
    }
    bar = tqdm(total=settings.restarts + 1, desc="start", unit="map", disable=not progress)
    trust, gained = Trust.of(whole["a"], whole["b"], np.random.default_rng(settings.seed))
    bar.update()
    if paired is not None:
        trust = Trust()
    recordings = min(len(described.mean) for described in whole.values())
    draws = max(1, min(MAX_DRAWS, ENOUGH_RECORDINGS // recordings))
    rng = np.random.default_rng([settings.seed, 1])  # of its own: no draw hangs on how many were drawn before
    drawn = MatchSettings.draw(rng, draws * settings.restarts, trust.distance)
    maps: dict[str, list[dict[str, LinearMap]]] = {"ab": [], "ba": []}  # of each restart, by kind
    for restart in range(settings.restarts):
        a, b = _trained_on(every.drawn_to_start(settings.seed, restart), restart, settings)
        own = drawn[restart :: settings.restarts]  # in both directions
        ab = start_map(a, b, own, rng, paired)
        ba = start_map(b, a, own, rng, paired and paired[::-1])
        maps["ab"].append({MATCHED: trust.applied(ab, a, b, trust.level_ab), **_simple_maps(a, b)})
        maps["ba"].append({MATCHED: trust.applied(ba, b, a, trust.level_ba), **_simple_maps(b, a)})
        bar.update()
    bar.close()
    # matches that are better than a shift beyond doubt are not given up for a map that looks nearer
    kinds = {
        way: MATCHED if gained[way][1] > 0 else _nearest(of_way, way, z, domains, settings)
        for way, of_way in maps.items()
    }
    module.start_at(*([of_restart[kinds[way]] for of_restart in maps[way]] for way in ("ab", "ba")))
    module.evidence = Evidence(kinds["ab"], recordings, *gained["ab"])
    return module


def _trained_on(domains: Domains, restart: int, settings: TrainingSettings) -> tuple[Described, Described]:
    """What a restart may see of both domains: all but its fold."""
    z, held_out = domains.normalized(), restart % settings.folds
    in_a, in_b = (fold != held_out for fold in (domains.fold_a, domains.fold_b))
    label = domains.b.label[in_b] if settings.use_labels and domains.b.label is not None else None
    a = Described.describe(z["a"][in_a], domains.a.recording[in_a])
    return a, Described.describe(z["b"][in_b], domains.b.recording[in_b], label)


def _simple_maps(source: Described, target: Described) -> dict[str, LinearMap]:
    """What needs no matches, by name: each band's mean, or its mean and deviation."""
    maps = {}
    for kind, gain in (
        (SHIFT, np.ones_like(source.deviation)),
        (AFFINE, target.deviation / source.deviation),
    ):
        maps[kind] = np.diag(gain), target.mean.mean(axis=0) - gain * source.mean.mean(axis=0)
    return maps


def _nearest(
    maps: list[dict[str, LinearMap]],
    way: str,
    z: dict[str, np.ndarray],
    domains: Domains,
    settings: TrainingSettings,
) -> str:
    """The kind of map that is nearest to the target on recordings that no restart has seen.

    A simple map only if it is nearer than matches on every fold: the distance errs by some hundredths, and
    a shift where matches are better costs more than matches where a shift is.
    By their mean spectra: what varies within recordings is the gains' part, which come later.
    """
    source, target = way
    folds = {"a": domains.fold_a, "b": domains.fold_b}
    measure = yardstick(z[target])
    distances: dict[str, list[float]] = {kind: [] for kind in maps[0]}  # of each restart
    for restart, of_restart in enumerate(maps):
        own, real = (z[name][folds[name] == restart % settings.folds] for name in (source, target))
        for kind, (weight, bias) in of_restart.items():
            distances[kind].append(held_out_distance(own @ weight.T + bias, real, measure, MEANS))
    nearer = [kind for kind in distances if np.less(distances[kind], distances[MATCHED]).all()]
    return min(nearer, key=lambda kind: sum(distances[kind]), default=MATCHED)


class Gains:
    """Fits the averaged generators' gains, again after each epoch, on the same recordings.

    `a` and `b` are one sequence of each, (n, slices, 40) z-scores. A filter does not change how much a
    recording varies, so that of the gain as much is believed as it is sure that there is more than a filter.
    """

    def __init__(self, a: torch.Tensor, b: torch.Tensor) -> None:
        of_a, of_b = (_described(x) for x in (a, b))
        self._ways = (("average_AB", a, of_b), ("average_BA", b, of_a))
        self._part = beyond_filter(of_a, of_b)

    @torch.no_grad()
    def fit(self, module: CycleGANModule) -> None:
        """Set the gains that go with the generators' weights of now."""
        for name, source, target in self._ways:
            generator = getattr(module, name).module
            translated = _described(generator.ungained(source.to(module.device)))
            generator.set_gain(matched_gain(translated, target, self._part))


def _described(x: torch.Tensor) -> Described:
    return Described.describe(x.cpu().numpy(), np.arange(len(x)))
