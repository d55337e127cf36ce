# Two commands set up everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# also without make, as on Windows: python scripts/setup.py demo
SETUP  := scripts/setup.py --venv $(VENV)

.DEFAULT_GOAL := help
.PHONY: help env demo test test-slow test-browser test-windows test-gpu bench docs lab notebooks lint clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

env: $(STAMP)  ## create .venv with the exact versions of constraints.txt

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) $(SETUP) env

demo: $(STAMP)  ## simulate both devices, run the notebooks, print the result
	@$(BIN)/python $(SETUP) demo

test: $(STAMP)  ## the tests, notebooks included; all but the slow ones and those of browser and Windows
	@$(BIN)/python $(SETUP) test

test-slow: $(STAMP)  ## the tests that `make test` leaves out: more of the same, for minutes
	PYTHONWARNDEFAULTENCODING=1 $(BIN)/python -m pytest -n 2 --durations 10 -m slow

# Where Chromium is not there and cannot be installed, .ci/chromium says so, and that is no failure.
test-browser: $(STAMP)  ## `make lab` in a headless Chromium (Debian's; installed if this is root)
	@if .ci/chromium; then $(BIN)/python -m pytest tests/browser; fi

# Where Wine is not there and cannot be installed, one line says so, and that is no failure.
test-windows: $(STAMP)  ## some of the tests under Windows' Python in Wine (Debian's; installed if this is root)
	$(BIN)/python scripts/windows.py

test-gpu: $(STAMP)  ## training on a GPU; its tests are skipped where there is none
	$(BIN)/python -m pytest tests/gpu

bench: $(STAMP)  ## every promised speed beside a peer; writes docs/performance.md (a quiet machine, 20 minutes)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/performance.py

docs: $(VENV)/.docs  ## the documents as a site: site/html/docs/index.html, to be read without a network
	$(BIN)/python -m sphinx -q -W --keep-going -c docs . site/html

$(VENV)/.docs: $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .[docs]
	@touch $@

lab: $(STAMP)  ## open JupyterLab on notebooks/ (root in a container: LAB_OPTIONS=--allow-root)
	$(BIN)/jupyter lab --notebook-dir=. $(LAB_OPTIONS) notebooks/01_data_normalization.ipynb

notebooks: $(STAMP)  ## run the committed notebooks again and keep their outputs
	$(BIN)/cyclegan run --in-place

lint: $(STAMP)  ## ruff over the library, the tests and the notebooks
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

clean:  ## remove the environment and what runs wrote (data/, checkpoints/, exported_models/, runs/ stay)
	rm -rf $(VENV) site .windows .pytest_cache .ruff_cache *.egg-info
