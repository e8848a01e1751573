# make demo: the main job on real video files, offline once installed.  make test: lint, format, types, tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types unit clean

demo: $(VENV)/.core
	$(BIN)/s3harness demo

test: lint types unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/pytest -n auto

clean:
	rm -rf $(VENV) demo-data demo-run .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "s3harness needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv || echo "uv is not to be had; pip takes a little longer"
	@touch $@

# uv installs in seconds; where it cannot, because of an index that only pip is told of, pip does.
INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -e $(1) \
  || $(BIN)/python -m pip install --quiet -e $(1)

$(VENV)/.core: $(VENV)/.venv pyproject.toml
	$(call INSTALL,.)
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(call INSTALL,'.[dev]')
	@touch $@
