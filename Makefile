# Two commands set up everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# torch comes first and alone: whatever depends on it then finds it there, CPU or CUDA build alike.
TORCH  := $(shell grep -E '^torch==' constraints.txt | cut -d' ' -f1)

.DEFAULT_GOAL := help
.PHONY: help env demo test test-slow test-browser lab notebooks lint clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

env: $(STAMP)  ## create .venv with the exact versions of constraints.txt

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11; run make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	@touch $@

demo: $(STAMP)  ## simulate both devices, run the notebooks, print the result
	$(BIN)/cyclegan simulate --output data/recordings
	$(BIN)/cyclegan run --name demo

test: $(STAMP)  ## the tests, notebooks included; all but the slow ones and the browser test
	$(BIN)/python -m pytest -n 2 --durations 10 -m "not slow"

test-slow: $(STAMP)  ## the tests that `make test` leaves out: more of the same, for minutes
	$(BIN)/python -m pytest -n 2 --durations 10 -m slow

# Where Chromium is not there and cannot be installed, .ci/chromium says so, and that is no failure.
test-browser: $(STAMP)  ## `make lab` in a headless Chromium (Debian's; installed if this is root)
	@if .ci/chromium; then $(BIN)/python -m pytest tests/browser; fi

lab: $(STAMP)  ## open JupyterLab on notebooks/ (root in a container: LAB_OPTIONS=--allow-root)
	$(BIN)/jupyter lab --notebook-dir=. $(LAB_OPTIONS) notebooks/01_data_normalization.ipynb

notebooks: $(STAMP)  ## run the committed notebooks again and keep their outputs
	$(BIN)/cyclegan run --in-place

lint: $(STAMP)  ## ruff over the library, the tests and the notebooks
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

clean:  ## remove the environment and what runs wrote (data/, checkpoints/, exported_models/, runs/ stay)
	rm -rf $(VENV) .pytest_cache .ruff_cache *.egg-info
