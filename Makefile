# Two commands matter: `make demo` and `make test`. Each sets up all it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash -o pipefail
PYTHON ?= python3
BIN := .venv/bin
RUN := PYTHONPATH=.:proto/gen $(BIN)
STAMP := .venv/installed

.PHONY: help demo test test-long check format proto bench lock clean

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/ \t/'

$(STAMP): requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip --quiet --disable-pip-version-check install uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation-package aeo-status-exchange -e . || \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	touch $(STAMP)
