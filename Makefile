# Every target sets up what it needs: a virtual environment in .venv, with the tool and its tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long mutants lint bench bench-gate wheel reference pictures docs clean

help:  ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(READY)  ## the virtual environment

$(READY): pyproject.toml lsq_sync/__init__.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "lsq-sync needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)

demo: $(READY)  ## the whole tool on a simulated CRM: no keys, no network
	$(BIN)/lsq-sync demo $(DEMO)

test: $(READY)  ## the tests
	$(BIN)/python -m pytest --numprocesses=auto

test-long: $(READY)  ## the tests, and the long sweeps
	LSQ_SYNC_LONG=1 $(BIN)/python -m pytest --numprocesses=auto

mutants: $(READY)  ## how many small mistakes in journal, state, classifier, limiter and redaction the tests notice
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,mutants]'
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/mutmut run
	$(BIN)/mutmut results

lint: $(READY)  ## format, lint, types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

bench: $(READY)  ## how fast it is, beside other tools; BENCH=--quick, --write or --million
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	$(BIN)/python -m benchmarks $(BENCH)

bench-gate: $(READY)  ## whether it has become slower
	$(BIN)/python -m benchmarks.gate

reference: $(READY)  ## docs/reference, from the commands and the schema of the settings
	$(BIN)/python -m tests.docs.reference

pictures: $(READY)  ## docs/img, recorded from real commands on the simulator
	$(BIN)/python -m tests.docs.record

docs: $(READY)  ## the documentation as a site: site/index.html
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

wheel: $(READY)  ## dist/*.whl
	$(BIN)/python -m build --wheel

clean:  ## everything that was made here
	rm -rf $(VENV) mutants dist build site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis lsq-sync-demo
