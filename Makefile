# make demo: the main job on real video files, offline once installed.
# make test: lint, format, import rules, types and tests of the core and of the light plugins.
# make docs: the documentation, in site-docs/; a dead link fails.
# make dist: wheels and sdists of the core and of its demo, in dist/, checked; installed and the demo run outside of here.
# make lock: the exact versions and hashes of what is installed, in locks/; make advisories: what is known against them.
# make fuzz: mutated files and replies in every parser of outside data, for FUZZ_SECONDS.
# make test-pages: the report and the leaderboard in a headless browser; needs Chromium.
# make test-engines: tests of the engines (vLLM, transformers, training, Ray) on the CPU, in an environment of their own.
PYTHON ?= python3
VENV ?= .venv
ENGINES_VENV ?= .venv-engines
FUZZ_SECONDS ?= 600
BIN := $(VENV)/bin
ENGINES_BIN := $(ENGINES_VENV)/bin
# What the extra s3harness[demo] brings.
DEMO_PLUGINS := kinematics synth
LIGHT_PLUGINS := $(DEMO_PLUGINS) formats openai privacy redundancy swift view
ENGINE_PLUGINS := $(DEMO_PLUGINS) openai vllm transformers trl ray
EDITABLE = $(foreach plugin,$(1),-e plugins/s3harness-$(plugin))

.PHONY: demo test docs dist lock advisories fuzz test-pages test-engines lint types unit clean

demo: $(VENV)/.core
	$(BIN)/s3harness demo

test: lint types unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/pytest -n auto tests $(wildcard $(LIGHT_PLUGINS:%=plugins/s3harness-%/tests))

# One arena, or the limit on memory would count what no thread has used.
fuzz: $(VENV)/.dev
	MALLOC_ARENA_MAX=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

dist: $(VENV)/.docs
	rm -rf dist
	$(BIN)/python -m build --quiet
	set -e; for plugin in $(DEMO_PLUGINS); do $(BIN)/python -m build --quiet --outdir dist plugins/s3harness-$$plugin; done
	$(BIN)/twine check --strict dist/*
	$(BIN)/cyclonedx-py requirements locks/s3harness.txt --pyproject pyproject.toml --output-file dist/s3harness.cdx.json
	@folder=$$(mktemp -d) && $(PYTHON) -m venv $$folder/env && $$folder/env/bin/python -m pip install --quiet --find-links dist "$$(echo dist/s3harness-*.whl)[demo]" \
	  && cd $$folder && env/bin/s3harness doctor && env/bin/s3harness demo && rm -rf $$folder

lock: $(VENV)/.docs
	PATH=$(abspath $(BIN)):$$PATH $(BIN)/python locks/lock.py

advisories: $(VENV)/.docs
	$(BIN)/python locks/advisories.py

test-pages: $(VENV)/.pages
	$(BIN)/pytest tests_pages

test-engines: $(ENGINES_VENV)/.ready
	$(ENGINES_BIN)/pytest -n 2 --dist loadfile $(wildcard $(ENGINE_PLUGINS:%=plugins/s3harness-%/tests_engine))

clean:
	rm -rf $(VENV) $(ENGINES_VENV) demo-data demo-run* dist site-docs .mypy_cache .ruff_cache .pytest_cache .hypothesis

%/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "s3harness needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $*
	$*/bin/python -m pip install --quiet uv || echo "uv is not to be had; pip takes a little longer"
	@touch $@

# uv installs in seconds; where it cannot, because of an index that only pip is told of, pip does.
INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(1) \
  || $(BIN)/python -m pip install --quiet $(1)

$(VENV)/.core: $(VENV)/.venv pyproject.toml $(DEMO_PLUGINS:%=plugins/s3harness-%/pyproject.toml)
	$(call INSTALL,-e '.[demo]' $(call EDITABLE,$(DEMO_PLUGINS)))
	@touch $@

$(VENV)/.dev: $(VENV)/.core $(wildcard $(LIGHT_PLUGINS:%=plugins/s3harness-%/pyproject.toml))
	$(call INSTALL,-e '.[dev]' $(call EDITABLE,$(LIGHT_PLUGINS)))
	@touch $@

$(VENV)/.docs: $(VENV)/.dev
	$(call INSTALL,-e '.[docs]')
	@touch $@

$(VENV)/.pages: $(VENV)/.dev
	$(call INSTALL,playwright axe-playwright-python)
	@touch $@

# A build of torch without CUDA comes from where pip is told to look for wheels, otherwise from PyTorch's own index.
TORCH_FROM := $(if $(PIP_FIND_LINKS),--find-links $(PIP_FIND_LINKS),--extra-index-url https://download.pytorch.org/whl/cpu --index-strategy unsafe-best-match)

$(ENGINES_VENV)/.ready: $(ENGINES_VENV)/.venv pyproject.toml plugins/engines.txt plugins/engines-overrides.txt plugins/torchvision_on_cpu.py $(wildcard plugins/*/pyproject.toml)
	$(ENGINES_BIN)/uv pip install --quiet --python $(ENGINES_BIN)/python $(TORCH_FROM) \
	  --override plugins/engines-overrides.txt -r plugins/engines.txt -e '.[dev]' $(call EDITABLE,$(ENGINE_PLUGINS))
	@cp plugins/torchvision_on_cpu.py "$$($(ENGINES_BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	@echo 'import torchvision_on_cpu' > "$$($(ENGINES_BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torchvision_on_cpu.pth"
	@touch $@
