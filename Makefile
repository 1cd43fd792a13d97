# Two commands matter: `make demo` and `make test`. Each sets up all that it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash -o pipefail
PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := .:proto/gen
# Hundreds of commands are started: Python keeps what it compiled, whatever a machine is used to.
export PYTHONDONTWRITEBYTECODE :=
INSTALLED := .venv/installed

.PHONY: help demo network postgresql cometbft test test-long check format proto bench lock

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:[^#]*## */\t/'

$(INSTALLED): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip --quiet --disable-pip-version-check install uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	touch $(INSTALLED)

demo: $(INSTALLED) ## a whole network on the real figures: publish, look up, suspend, verify
	$(BIN)/aeo demo

network: cometbft ## four nodes and four CometBFT on this machine: publish at each, read at each (KEEP=--keep: runs on)
	$(BIN)/aeo demo --network $(KEEP)

check: $(INSTALLED) ## linter, formatter, strict types, proto lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/buf lint proto

postgresql: # the server that tests start: Debian's, installed where one may
	@ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || command -v initdb > /dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql; \
	  else echo "The tests start PostgreSQL: install it first (apt-get install postgresql)" >&2; exit 1; fi; }

cometbft: $(INSTALLED) # the engine that tests of networks start
	$(BIN)/aeo cometbft install

test: $(INSTALLED) ## everything that must hold
	$(MAKE) --jobs=3 --output-sync=target check postgresql cometbft
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

test-long: cometbft postgresql ## faults that take many minutes: fifty kills in a row, full and slow disks, wrong clocks
	$(BIN)/python -m pytest -m long

bench: $(INSTALLED) ## the figures of this machine
	$(BIN)/aeo bench

format: $(INSTALLED) ## rewrites the code in the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proto: $(INSTALLED) ## writes the generated Python anew
	proto/generate

lock: $(INSTALLED) ## pins every dependency with its hashes
	$(BIN)/uv pip compile --quiet --upgrade --all-extras --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --extra cometbft --constraint requirements.txt --generate-hashes --no-emit-index-url \
	  --no-header --python-version 3.11 pyproject.toml k8s/requirements.in -o k8s/requirements.txt
