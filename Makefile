# make report       the environment, 60 trainings, the figures and the article
#                   PRESET=imagenet: with ImageNet weights; any name in workflow/presets
# make publish      the report as a website, in public
# make test         every test
# make coverage     every test, and the lines that no test runs (takes half as long again)
# make test-slurm   builds on a real Slurm of one node (as root, with slurm-wlm and munge)
# make check        linters, types and the import contract
# make docs         the documentation as a website, in docs/_build; a broken link fails
# make rulegraph    draw docs/rulegraph.svg from the workflow (needs graphviz)
# make soak         twenty random kills of whole small builds; each must end in the same bytes
# make fuzz         thousands of configurations, image folders, weight files and texts with braces
# make benchmark    speed, memory and growth, into docs/benchmarks.md (about 25 minutes)
# make calibration  error rates and power of the verdicts on simulated studies
# make messages     collect the report's sentences in templates/languages/messages.pot
# make lock         write requirements.lock from pyproject.toml (needs uv)

# A file in workflow/presets, without its suffix; none is config.yaml alone.
PRESET ?=
PRESETS := $(basename $(notdir $(wildcard workflow/presets/*.yaml)))
CONFIGFILE = $(if $(PRESET),$(if $(filter $(PRESET),$(PRESETS)),\
  --configfile workflow/presets/$(PRESET).yaml,\
  $(error PRESET: expected one of $(PRESETS), found $(PRESET))))

# The interpreters to try, in order. Name your own with `make report PYTHON=python3.13`.
PYTHON ?= python3.14 python3.13 python3.12 python3.11 python3
# requirements.lock is resolved for these versions. Debian packages ensurepip separately.
SUITABLE := import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
# Deferred: only a target that needs an interpreter looks for one.
INTERPRETER = $(or $(shell for python in $(PYTHON); do \
  if $$python -c "$(SUITABLE)" 2>/dev/null; then echo $$python; break; fi; done),$(error \
  No suitable Python found. Looked for Python 3.11 to 3.14 with venv and pip as: $(PYTHON). \
  Install one (Debian and Ubuntu: apt-get install python3 python3-venv) or name yours: \
  make PYTHON=/path/to/python))

BIN := $(CURDIR)/.venv/bin
INSTALLED := .venv/installed
NODE_INSTALLED := node_modules/installed
export PATH := $(BIN):$(PATH)

.PHONY: report publish test coverage test-slurm check docs rulegraph soak fuzz benchmark calibration \
  messages lock system clean

report: system $(INSTALLED)
	snakemake --cores all --show-failed-logs $(CONFIGFILE)
	@echo "The report lies in $(CURDIR)/results/report: open index.html"

publish: system $(INSTALLED)
	snakemake --cores all --show-failed-logs $(CONFIGFILE) -- publish
	@echo "The site lies in $(CURDIR)/public"

# Two workers: one runs the builds, which take half of the time, the other runs everything else.
WORKERS := --numprocesses 2 --no-loadscope-reorder

test: system $(INSTALLED)
	pytest $(WORKERS)

# Measuring the coverage slows Python down.
coverage: system $(INSTALLED)
	pytest $(WORKERS) --cov --cov-report=term:skip-covered

test-slurm: system $(INSTALLED)
	tests/slurm/start "$$(mktemp -d)"
	SLURM=yes pytest -s tests/slurm

check: $(INSTALLED) $(NODE_INSTALLED)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint
	codespell
	lint-imports --no-logo
	mypy
	npm run --silent check

docs: $(INSTALLED)
	sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --fresh-env docs docs/_build
	@echo "The documentation is in $(CURDIR)/docs/_build: open index.html"

rulegraph: $(INSTALLED)
	python docs/rulegraph.py

soak: system $(INSTALLED)
	KILLS=20 pytest -s tests/workflow/test_kills.py

fuzz: $(INSTALLED)
	FUZZ=40 pytest -s tests/fuzz tests/workflow/test_braces.py

benchmark: $(INSTALLED)
	python -m tests.benchmarks

calibration: $(INSTALLED)
	python -m tests.calibration docs/calibration.md

messages: $(INSTALLED)
	pybabel --quiet extract --mapping-file pyproject.toml --omit-header --no-wrap \
	  --add-location file --sort-by-file --output-file templates/languages/messages.pot \
	  normreport templates

# Warn about missing system libraries before the minutes that the installation takes.
system:
	@$(INTERPRETER) -c "from normreport.plan.system import warn; warn()"

.venv/bin/python:
	$(INTERPRETER) -m venv --clear .venv

# An interpreter that you name replaces an environment of another version.
ifeq ($(origin PYTHON),command line)
ifneq ($(shell $(PYTHON) --version 2>/dev/null),$(shell .venv/bin/python --version 2>/dev/null))
.PHONY: .venv/bin/python
endif
endif

$(INSTALLED): .venv/bin/python requirements.lock pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# package.json pins exact versions. Node and npm come with the environment, from a wheel.
$(NODE_INSTALLED): package.json $(INSTALLED)
	npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error
	touch $@

# One lock for Python 3.11 to 3.14, with the same versions for all of them.
lock:
	uv pip compile pyproject.toml --extra dev --generate-hashes --no-header --no-annotate \
	  --universal --fork-strategy fewest --python-version 3.11 --output-file requirements.lock

clean:
	rm -rf results public logs .snakemake
