"""Commands that measure: evaluate, benchmark."""

from pathlib import Path
from typing import Annotated

from typer import Option

from cyclegan_lib.cli.options import FEATURE_SET, Config, set_option, then
from cyclegan_lib.config import BENCHMARK_SEEDS, REAL_DATA
from cyclegan_lib.errors import printable
from cyclegan_lib.files import writable_file

SEEDS = ",".join(map(str, BENCHMARK_SEEDS))


def evaluate(
    source: Annotated[Path, set_option(FEATURE_SET + " of device A, untranslated")],
    translated: Annotated[Path, set_option("the same sequences, translated")],
    target: Annotated[Path, set_option("real recordings of device B")],
    paired: Annotated[Path | None, set_option("the source's moments as B heard them: adds NMSE")] = None,
    labelled: Annotated[Path | None, set_option("B's training set with labels: adds accuracies")] = None,
    fit_source: Annotated[
        Path | None, set_option("A's training set: fits the baselines; with labels: what A's sound holds")
    ] = None,
    fit_target: Annotated[Path | None, set_option("B's training set: fits the baselines")] = None,
    json: Annotated[Path | None, Option(help="file to write the same numbers to")] = None,
    model: Annotated[
        Path | None,
        Option(
            help="exported folder that translated: the table goes into its README.md; adds the untrained"
            " CycleGAN, and with --labelled every way of use, and what to expect without labels of A"
        ),
    ] = None,
    seed: Annotated[int, Option(min=0, help="seed of splits and projections")] = 0,
    config: Config = None,
) -> None:
    """Measure a translation beside the null (B against itself) and the baselines, with 95 % intervals."""
    from cyclegan_lib.evaluation import evaluate
    from cyclegan_lib.export import add_evaluation, check_translated
    from cyclegan_lib.features import FeatureSet

    optional = {"paired": paired, "labelled": labelled, "fit_source": fit_source, "fit_target": fit_target}
    if json is not None:
        of_model = model.iterdir() if model is not None and model.is_dir() else ()
        writable_file(json, source, translated, target, *optional.values(), *of_model)
    sets = [FeatureSet.load(path) for path in (source, translated, target)]
    if model is not None:
        check_translated(model, *sets[:2])
    result = evaluate(
        *sets,
        **{name: FeatureSet.load(path) for name, path in optional.items() if path is not None},
        model=model,
        seed=seed,
        progress=True,
    )
    print(result.table())
    if json is not None:
        print(printable(f"written to {result.save(json)}"))
    if model is not None:
        print(printable(f"written to {add_evaluation(model, *sets[:2], result.table())}"))
    where = ("--model", model or "exported_models", "--input", source, "--output", "predictions.csv")
    then("classify", "--train", labelled or "B.npz", *where)


def benchmark(
    output: Annotated[Path, Option(help="folder for results; a later run goes on there")] = Path(
        "benchmark_results"
    ),
    pairs: Annotated[str | None, Option(help="device pairs, comma-separated; default: all")] = None,
    methods: Annotated[
        str | None, Option(help="methods, comma-separated; default: all but other help")
    ] = None,
    seeds: Annotated[str, Option(help="comma-separated; each decides split, weights and noise")] = SEEDS,
    data: Annotated[
        Path, Option(help="folder of real recordings; pairs that it lacks are left out")
    ] = REAL_DATA,
    workers: Annotated[int, Option(min=1, help="processes, each with one thread")] = 1,
) -> None:
    """Compare the CycleGAN with baselines and bounds on device pairs whose truth is known."""
    from cyclegan_lib.benchmark.report import markdown
    from cyclegan_lib.benchmark.run import benchmark

    result = benchmark(output, pairs, seeds, methods, data, workers)
    print(f"{markdown(result)}\n{printable(f'written to {output}')}")
    then("run", "--name", "demo")
