# The same commands without make are in README.md.
#   make demo     install, and run the campaign in examples/demo.toml
#   make test     lint, and run every test
#   make lint     ruff, mypy, import layers
#   make fast     the fast tests alone
#   make docs     write the tables of docs/campaign-file.md anew
#   make long     campaigns that outlast faults, for minutes each; best on a quiet machine
#   make clean    remove environments and caches; a campaign's directory is never touched
# PYTHON=... chooses the interpreter, VENV=... the environment's directory.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo test lint fast slow long doctest docs clean

PYTHON ?=
VENV ?= .venv
EXTRAS ?= test,lint,tables,trajectories
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PYTEST := $(BIN)/python -m pytest

demo: $(VENV)/installed
	$(BIN)/glasscreep run examples/demo.toml

test: lint fast doctest slow

lint: $(VENV)/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tests/packaging/typecheck.py
	$(BIN)/lint-imports

# pytest exits with 5 when nothing was selected: right for a marker that no test carries.
fast: $(VENV)/installed-for-tests
	$(PYTEST) -q -n auto -m "not slow and not long"

doctest: $(VENV)/installed-for-tests
	$(PYTEST) -q --doctest-modules src/glasscreep || [ $$? -eq 5 ]

slow: $(VENV)/installed-for-tests
	$(PYTEST) -q -n auto -m slow --durations=10 || [ $$? -eq 5 ]

long: $(VENV)/installed-for-tests
	$(PYTEST) -v -n auto -m long

docs: $(VENV)/installed
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	    .import_linter_cache .coverage
	find analysis campaign slurm tasks tests src benchmarks -name __pycache__ -prune \
	    -exec rm -rf {} +

$(BIN)/python:
	@candidates="$(PYTHON)"; \
	for candidate in $${candidates:-python3.11 python3.12 python3.13 python3}; do \
	    if $$candidate -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	            >/dev/null 2>&1; then \
	        echo "Making $(VENV) with $$($$candidate --version) ($$(command -v $$candidate))"; \
	        $$candidate -m venv $(VENV); exit 0; \
	    fi; \
	done; \
	echo "No usable Python among: $${candidates:-python3.11 python3.12 python3.13 python3}." >&2; \
	echo "glasscreep needs Python 3.11, 3.12 or 3.13 with its venv module" >&2; \
	echo "(Debian, Ubuntu: apt-get install python3-venv). Then: make PYTHON=/path/to/python3" >&2; \
	exit 1

$(VENV)/installed: pyproject.toml | $(BIN)/python
	@echo "Installing glasscreep and what it needs into $(VENV) (about a minute)"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/installed-for-tests: pyproject.toml | $(BIN)/python
	@echo "Installing glasscreep, with what its tests need, into $(VENV) (about a minute)"
	@$(PIP) install --editable '.[$(EXTRAS)]'
	@touch $(VENV)/installed $@
