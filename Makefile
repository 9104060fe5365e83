# Every target sets up what it needs: Python 3.11+ and a package index will do.

PYTHON ?= python3
VENV ?= .venv
PIP_FLAGS ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--constraint constraints.txt $(PIP_FLAGS)
INSTALLED := $(VENV)/.installed
DEV := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check format figures bench clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "voxify3d needs Python 3.11 or newer: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The dev install holds the other: a checkout that has it needs no second one.
$(INSTALLED): $(BIN)/python pyproject.toml constraints.txt
	@echo "installing into $(VENV), once; torch is large"
	$(PIP) --editable .
	@touch $@

$(DEV): $(BIN)/python pyproject.toml constraints.txt
	@echo "installing into $(VENV), once; torch is large"
	$(PIP) --editable '.[dev]'
	@touch $(INSTALLED) $@

setup: $(DEV)  ## virtual environment, package, dev tools

demo: $(INSTALLED)  ## a sample character as voxel art, in demo/
	@mkdir -p demo
	$(BIN)/voxify3d sample demo/sample.glb --force
	$(BIN)/voxify3d convert demo/sample.glb demo/voxels.vox demo/voxels.glb \
		demo/voxels.png --force
	@echo
	@echo "demo/sample.glb  the mesh"
	@echo "demo/voxels.vox  for MagicaVoxel, Goxel, Blockbench"
	@echo "demo/voxels.glb  for Blender, Godot, Unity, the web"
	@echo "demo/voxels.png  both side by side: look at this one first"

test: $(DEV)  ## quick tests
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: $(DEV)  ## with slow ones
	$(BIN)/python -m pytest -n 2

check: $(DEV)  ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(DEV)  ## fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

figures: $(DEV)  ## make every picture of the docs again
	@for script in docs/figures/*.py; do \
		echo $$script; $(BIN)/python $$script || exit 1; done

bench: $(DEV)  ## speed and quality, into benchmarks/results
	@for script in $(wildcard benchmarks/quality.py benchmarks/speed.py); do \
		echo $$script; $(BIN)/python $$script || exit 1; done

clean:  ## remove what the targets above made
	rm -rf $(VENV) demo .pytest_cache .ruff_cache .hypothesis .import_linter_cache
