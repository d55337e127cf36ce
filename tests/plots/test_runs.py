"""The figures of runs side by side: which parameter is where, and that they show the data."""

import numpy as np

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.evaluation.measures import MEASURES, Result
from cyclegan_lib.plots import comparison, curves, through_models


def result(nmse: float, baseline: float = 0.5, name: str = "CORAL", **more: float) -> Result:
    interval = {"nmse": (nmse - 0.1, nmse + 0.1)}
    return Result("", {"nmse": nmse, **more}, interval, {"nmse": (name, baseline)})


def test_seeds_are_dots_around_their_mean_and_the_numeric_parameter_is_horizontal():
    grid = {"normalization": ["shared", "per-domain"], "lambda_cycle": [1.0, 3.0, 10.0], "seed": [0, 1]}
    runs = [
        ({"normalization": n, "lambda_cycle": w, "seed": s}, result(w / 10 + s + (n == "shared"), c2st=0.5))
        for n in grid["normalization"]
        for w in grid["lambda_cycle"]
        for s in grid["seed"]
    ]
    figure = comparison(runs, grid)
    nmse, c2st = figure.axes
    assert (nmse.get_ylabel(), nmse.get_xlabel()) == (MEASURES["nmse"].axis, "lambda_cycle")
    assert c2st.get_ylabel() == "C2ST (0.5 cannot tell)\nnearer to 0.5 is better"
    assert nmse.get_xscale() == "log"
    assert [label.get_text() for label in nmse.get_xticklabels()] == ["1", "3", "10"]
    dots, mean, *_ = nmse.lines
    assert sorted(dots.get_xdata()) == [1, 1, 3, 3, 10, 10]
    assert dots.get_linestyle() == "None"
    np.testing.assert_allclose(mean.get_ydata(), [1.6, 1.8, 2.5])
    baseline = nmse.lines[-1]
    assert baseline.get_linestyle() == ":"
    np.testing.assert_allclose(baseline.get_ydata(), 0.5)
    texts = [text.get_text() for text in nmse.texts]
    assert texts == ["CORAL", "normalization per-domain", "normalization shared"]
    ends = [segment[:, 1] for lines in nmse.collections for segment in lines.get_segments()]
    np.testing.assert_allclose(sorted(map(tuple, ends))[0], (1.0 - 0.9 - 0.1, 0.2), atol=1e-9)
    assert len(ends) == 12 and not c2st.collections
    assert len(c2st.lines) == 4  # no baseline has been measured for it


def test_a_baseline_that_depends_on_the_parameter_is_drawn_so():
    grid = {"train_recordings": [24, 48]}
    runs = [
        ({"train_recordings": 24}, result(0.3, 0.6)),
        ({"train_recordings": 48}, result(0.2, 0.4, "identity")),
    ]
    (axis,) = comparison(runs, grid).axes
    np.testing.assert_allclose(axis.lines[-1].get_xydata(), [[24, 0.6], [48, 0.4]])
    assert [text.get_text() for text in axis.texts] == ["CORAL", "identity"]
    assert all(text.xy[0] == 1 for text in axis.texts), "beside the panel, where it lies over nothing"


def test_words_are_evenly_spaced_and_a_lone_seed_is_horizontal():
    grid = {"normalization": ["shared", "per-domain"]}
    runs = [({"normalization": n}, result(0.3)) for n in grid["normalization"]]
    (axis,) = comparison(runs, grid).axes
    assert [label.get_text() for label in axis.get_xticklabels()] == ["shared", "per-domain"]
    np.testing.assert_allclose(axis.lines[0].get_xdata(), [0, 1])
    assert axis.lines[1].get_linestyle() == "None"  # words have no order: nothing joins them
    (axis,) = comparison([({"seed": 0}, result(0.3)), ({"seed": 1}, result(0.4))], {"seed": [0, 1]}).axes
    assert axis.get_xlabel() == "seed"
    np.testing.assert_allclose(axis.lines[1].get_ydata(), 0.35)  # the mean over seeds


def test_the_scatter_says_of_what_the_seeds_are():
    for name, said in (("seed", "splits and training"), ("data_seed", "the simulated recordings")):
        grid = {"lambda_cycle": [1.0, 3.0], name: [0, 1]}
        runs = [({"lambda_cycle": w, name: s}, result(w + s)) for w in (1.0, 3.0) for s in (0, 1)]
        figure = comparison(runs, grid)
        assert f"Dots: each seed of {said}; their mean" in figure.get_supxlabel()
        np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), [1.5, 3.5])
    assert "Dots" not in comparison([({"run": "one"}, result(0.3))], {"run": ["one"]}).get_supxlabel()


def test_curves_of_runs_lie_over_each_other_and_the_chosen_epoch_is_marked():
    one = [{"epoch": 0.0, "val_distance": 2.0}, {"epoch": 1.0, "val_distance": 1.0, "train_cycle": 0.5}]
    distance, cycle, other = curves({"one": one, "two": one[:1]}, {"one": 1, "two": None}).axes
    np.testing.assert_allclose(distance.lines[0].get_xydata(), [[0, 2], [1, 1]])
    np.testing.assert_allclose(distance.lines[1].get_xydata(), [[1, 1]])  # the dot
    assert [text.get_text() for text in distance.get_legend().get_texts()] == ["one", "two"]
    assert distance.lines[0].get_color() != distance.lines[2].get_color()
    np.testing.assert_allclose(cycle.lines[0].get_xydata(), [[1, 0.5]])
    assert not any(len(line.get_xdata()) for line in other.lines)


def test_one_recording_stands_on_one_scale_with_each_error_above_it():
    truth = np.zeros((50, 40))
    truth[10] = 5.0
    made = {"one": truth + 3, "two": truth - 1}
    figure = through_models(truth + 9, made, truth, ("a", "b"), FeatureSettings())
    titles = [axis.get_title(loc="left") for axis in figure.axes[:4]]
    assert titles == ["a, as recorded", "one: error 3.0 dB", "two: error 1.0 dB", "b, the truth"]
    assert len({axis.images[0].get_clim() for axis in figure.axes[:4]}) == 1
    np.testing.assert_allclose(figure.axes[1].images[0].get_array(), made["one"].T)
    figure = through_models(truth, made, None, ("a", "b"), FeatureSettings())
    assert figure.axes[1].get_title(loc="left") == "one" and not figure.axes[3].get_visible()
