"""The code of README.md and docs/, read from the texts and run in their order, on tiny recordings.

Training is tiny, too. Figures are those that were measured, and what is said in two languages is the same.
"""

import re
import shlex
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import scipy.io
from helpers import GUIDE, PROJECT, QUICK_OPTIONS, done, make_set, run_script
from sounds import record, rng, write

from cyclegan_lib.benchmark.judge import RECOMMENDEDS
from cyclegan_lib.benchmark.numbers import Benchmark
from cyclegan_lib.benchmark.report import overview
from cyclegan_lib.cli import WORKFLOW
from cyclegan_lib.evaluation.report import markdown_table
from cyclegan_lib.export import distillation

DOCS = PROJECT / "docs"
INDEX = (DOCS / "index.md").read_text(encoding="utf-8")
TREE = "".join(re.findall(r"^```\{toctree\}\n(.*?)^```", INDEX, re.MULTILINE | re.DOTALL))
LISTED = [(DOCS / re.sub(r".*<|>", "", line)).resolve() for line in TREE.splitlines() if line[0] != ":"]
PATHS = [path for name in LISTED if (path := name.with_name(f"{name.name}.md")).exists()]
# by the file's path in the project, in the order of the site
TEXTS = {path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8") for path in PATHS}
# what is said in a second language is compared below, not run twice
STORIES = {name: text for name, text in TEXTS.items() if name.replace(".zh", "") not in {*TEXTS} - {name}}
# `make` tests, or runs for minutes; the others take hours, or what `make test` runs elsewhere: of these it
# is asked here that their options are there
ONLY_ASKED = ("benchmark", "run", "sweep", "compare")
MORE = {name: ["--help"] for name in ONLY_ASKED} | {"train": QUICK_OPTIONS}
MORE["simulate"] = ["--train-recordings", "12", "--test-recordings", "8"]


def blocks(text: str) -> list[tuple[str, str]]:
    """The language and the text of each block of code."""
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[list[str]]:
    """The words of each command of a shell block, without comments."""
    lines = block.replace("\\\n", " ").replace(" && ", "\n").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def shell(text: str) -> list[list[str]]:
    return [words for language, block in blocks(text) if language == "bash" for words in commands(block)]


def shown_by(words: list[str], capfd, monkeypatch) -> str:
    """Do what a command of a page says; return what it prints."""
    program, *rest = words
    if program == "make":
        makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
        assert re.search(rf"^{rest[0]}:", makefile, re.MULTILINE), rest[0]
    elif program == "cd":
        monkeypatch.chdir(*rest)
    elif words[:2] == ["python", "-c"]:
        exec(rest[1], {})
    elif program == "python":
        run_script(*rest, *(QUICK_OPTIONS if rest[0].endswith("train.py") else ()))
        return capfd.readouterr().out
    else:
        assert program == "cyclegan", f"nobody here knows how to run {program}"
        return done(capfd, *rest, *(() if "--list-parameters" in rest else MORE.get(rest[0], ())))
    return ""


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project folder with recordings of both devices, and two sets that both heard at once."""
    names = [f"{device}/{device}-{i}.wav" for device in ("edge", "lab") for i in range(12)]
    record(*(tmp_path / "recordings" / name for name in names))
    rows = ["recording,fault", *(f"lab-{i},{'ball' if i % 2 else 'normal'}" for i in range(12))]
    (tmp_path / "recordings" / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    write_public_data(tmp_path)
    for name in ("both_a", "both_b"):
        make_set("one", n=4).save(tmp_path / "data" / f"{name}.npz")
    for name in ("notebooks", "scripts"):
        (tmp_path / name).symlink_to(PROJECT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_public_data(folder: Path) -> None:
    """A recording or two as MAFAULDA, MIMII, CWRU, and a phone and a microphone have them."""
    for name in ("normal/12.288.csv", "imbalance/6g/13.1072.csv"):
        path = folder / "mafaulda" / name
        path.parent.mkdir(parents=True)
        pd.DataFrame(rng().standard_normal((60_000, 8))).to_csv(path, header=False, index=False)
    for kind in ("normal", "abnormal"):
        sound = 0.1 * rng().standard_normal((32_000, 8))
        write(folder / "6_dB" / "fan" / "id_00" / kind / "00000000.wav", sound)
    sensors = {f"X118_{name}_time": rng().standard_normal((24_000, 1)) for name in ("DE", "FE")}
    (folder / "cwru").mkdir()
    scipy.io.savemat(folder / "cwru" / "118.mat", {**sensors, "X118RPM": [[1796]]})
    for i, device in enumerate(("phone", "hifi")):
        for name in "ab":
            write(folder / "motors" / device / f"{name}.flac", 0.1 * rng(i).standard_normal(32_000))
    (folder / "motors" / "labels.csv").write_text("recording,fault\na,healthy\nb,unbalance", encoding="utf-8")


def test_every_page_is_in_the_site():
    assert set(DOCS.glob("*.md")) - set(PATHS) == {DOCS / "index.md"}


@pytest.mark.slow
def test_the_code_of_the_pages_runs_as_it_stands_there(project, quick_start, monkeypatch, capfd):
    monkeypatch.setattr(distillation, "STEPS", 200)
    shown = ""
    for page, text in STORIES.items():
        defined: dict = {}
        for language, block in blocks(text):
            monkeypatch.chdir(project)
            for words in commands(block) if language == "bash" else []:
                shown += shown_by(words, capfd, monkeypatch)
            if language == "python":
                exec(compile(block, page, "exec"), defined)
    for name in ("pairs.npz", "there_and_back.npz", "on_the_device.npz", "predictions.csv", "translated.wav"):
        assert (project / "data" / name).exists(), name
    assert (project / "result.json").exists() and not list((project / "edge").glob("discriminator*"))
    assert "(1, 50, 40) -> (1, 50, 40)" in shown  # what inference_example.py says
    given = [words for text in STORIES.values() for words in shell(text)]
    assert len(given) > 50 and {words[1] for words in given if words[0] == "cyclegan"} == {
        command.__name__ for group in WORKFLOW.values() for command in group
    }
    named = [words[i + 1] for words in given for i, word in enumerate(words) if word == "-p"]
    assert named and all(re.search(rf"^\s*{name}\b", shown, re.MULTILINE) for name in named), shown


def test_every_option_in_a_sentence_is_there(exported, capfd):
    known = done(capfd, "--help") + (exported / "inference_example.py").read_text(encoding="utf-8")
    known += "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "benchmarks").glob("*.py"))
    for command in (command for group in WORKFLOW.values() for command in group):
        known += done(capfd, command.__name__, "--help")
    sentences = re.sub(r"```.*?```", "", "".join(TEXTS.values()), flags=re.DOTALL)
    named = set(re.findall(r"--[a-z][\w-]+", " ".join(re.findall(r"`([^`]+)`", sentences))))
    assert len(named) > 20
    assert [name for name in sorted(named) if not re.search(rf"{name}\b", known)] == []


def test_what_does_not_work_is_said_in_the_words_of_the_library():
    sources = [*(PROJECT / "cyclegan_lib").rglob("*.py"), *(PROJECT / "scripts").glob("*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in sources)
    source = re.sub(r'"\s*f?"', "", source)  # sentences go over lines
    rows = re.findall(r"^\| (.*?) \|", TEXTS["docs/when-it-does-not-work.md"], re.MULTILINE)
    said = [part.strip() for words in re.findall(r"`(.+?)`", " ".join(rows)) for part in words.split("…")]
    assert len(said) > 15
    # numbers are put into the sentence where it is said
    pattern = [re.sub(r"\b\d+\b", r"(\\d+|{[^}]+})", re.escape(words)) for words in said]
    assert [words for words, regex in zip(said, pattern, strict=True) if not re.search(regex, source)] == []


def percent(part: float) -> str:
    return f"{int(100 * part + 0.5)} %"


@pytest.fixture(scope="module")
def measured() -> Benchmark:
    return Benchmark.load(PROJECT / "notebooks" / "benchmark" / "benchmark.json")


@pytest.fixture(scope="module")
def demo() -> str:
    """The tables that notebook 04 shows."""
    notebook = nbformat.read(PROJECT / "notebooks" / "04_domain_shift.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.data["text/markdown"] for output in outputs if "text/markdown" in output.get("data", {})]
    return next(text for text in shown if "CycleGAN, untrained" in text)


def row(table: str, name: str) -> list[str]:
    """The numbers of a row, intervals aside."""
    line = next(line for line in table.splitlines() if line.startswith(f"| {name} "))
    return [cell.split()[0] for cell in line.split("|")[2:-1]]


def test_the_tables_of_what_was_measured_are_those_of_the_files(measured, demo):
    lines = TEXTS["docs/benchmark.md"].splitlines()
    assert [line for line in demo.splitlines() if line.startswith("|") and line not in lines] == []
    assert [line for line in markdown_table(overview(measured)).splitlines() if line not in lines] == []


REAL = ("sensors", "motors", "motors-reversed", "motors-shifted")


def test_the_figures_of_readme_are_the_measured_ones(measured, demo):
    text = " ".join(TEXTS["README.md"].split())
    there, before = (float(row(demo, name)[5]) for name in ("real BATCH_UPLOAD", "identity"))
    translated = float(row(demo, "CycleGAN, augmented")[0])
    there, before, translated = map(percent, (there, before, translated))
    claim = f"right in {there} there, in {before} on `cpc006`, and in {translated} after translation (80 test"
    assert claim in text
    for pair in REAL:
        cells = [("real B", "accuracy_forest"), ("identity", "accuracy_forest")]
        cells += [("CycleGAN", "augmented_forest")]
        shares = [percent(measured.mean(pair, method, measure)) for method, measure in cells]
        expected = f"| {' | '.join(shares)} | {measured.difference(pair, 'nmse').n} |"
        assert expected in text, (pair, expected)
    errors, accuracies = (
        [measured.difference(pair, measure).verdict for pair in measured.pairs for measure in measures]
        for measures in (["nmse"], RECOMMENDEDS)
    )
    assert f"beyond doubt on {errors.count('better')} of {len(errors)} pairs" in text
    better, worse = (accuracies.count(verdict) for verdict in ("better", "worse"))
    assert f"of {len(accuracies)} comparisons {better} are better beyond doubt, {worse} worse" in text


def test_the_figures_of_the_first_tutorial_are_the_demo_s(measured, demo):
    text = " ".join(TEXTS["docs/first-translation.md"].split())
    errors = [row(demo, name)[0] for name in ("CycleGAN", "CORAL", "identity")]
    forests = [percent(float(row(demo, name)[5])) for name in ("CycleGAN", "identity")]
    augmented = percent(float(row(demo, "CycleGAN, augmented")[0]))
    assert "NMSE {} beside {} of CORAL and {} without translation".format(*errors) in text
    assert "right in {} instead of {}".format(*forests) in text
    assert f"right in {forests[0]} without and {augmented} with it" in text
    assert "On all pairs of the [benchmark](benchmark.md) that makes a forest better" in text
    for pair in measured.pairs:
        forward, recommended = (
            measured.mean(pair, "CycleGAN", f"{way}_forest") for way in ("accuracy", "augmented")
        )
        assert recommended > forward, pair
    baselines = ("mean shift", "per-feature affine", "quantile mapping", "Gaussian OT")
    assert all(float(errors[1]) <= float(row(demo, name)[0]) for name in baselines)


TRANSLATED = ("README.md", "docs/first-translation.md")


@pytest.mark.parametrize("name", TRANSLATED)
def test_the_chinese_page_has_the_commands_figures_and_links_of_the_english_one(name):
    english, chinese = TEXTS[name], TEXTS[name.replace(".md", ".zh.md")]
    assert shell(chinese) == shell(english) != []
    for pattern in (r"\d+(?:\.\d+)?", r"\]\(([^)]+)\)", r"^(#+) "):
        both = [
            sorted(re.findall(pattern, re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M))
            for text in (english, chinese)
        ]
        plain = [[word.replace(".zh.md", ".md") for word in words] for words in both]
        assert plain[0] == plain[1], pattern


@pytest.mark.skipif(not GUIDE.exists(), reason="the guide is not there: ../shared beside the project")
def test_the_chinese_guide_has_the_outline_of_the_guide():
    headings = [
        re.findall(r"^#+ .*", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
        for text in (GUIDE.read_text(encoding="utf-8"), TEXTS["docs/guide.zh.md"])
    ]
    assert headings[0] == headings[1] and len(headings[0]) > 20
