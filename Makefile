# make report   everything: environment, 36 trainings, figures, article
# make test     every test          make check   linters and types
# make docs     the documentation as a website, in docs/_build (strict: a broken link fails)
# make rulegraph  draw docs/rulegraph.svg from the workflow (needs graphviz)
# make soak     twenty random kills over whole small builds, which must end in the same bytes
# make fuzz     thousands of configurations, folders of images and weights, right and wrong
# make benchmark  size and load time of the report's page; images per second against a script that
#               one would write first
# make calibration  error rates and power of the verdicts, on simulated studies
# make messages  collect what the report says in templates/languages/messages.pot, for translators
# make lock     write requirements.lock anew from pyproject.toml (needs uv)

PYTHON ?= python3.11
BIN := $(CURDIR)/.venv/bin
INSTALLED := .venv/installed
export PATH := $(BIN):$(PATH)

.PHONY: report publish test check docs rulegraph soak fuzz benchmark calibration messages lock system clean

report: system $(INSTALLED)
	snakemake --cores all --show-failed-logs
	@echo "The report lies in $(CURDIR)/results/report: open index.html"

publish: system $(INSTALLED)
	snakemake --cores all --show-failed-logs publish
	@echo "The site lies in $(CURDIR)/public"

# Two at a time: one of them does the builds, which are the most, the other all else.
test: system $(INSTALLED)
	pytest --numprocesses 2 --no-loadscope-reorder

check: $(INSTALLED)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint
	mypy

docs: $(INSTALLED)
	sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --fresh-env docs docs/_build
	@echo "The documentation is in $(CURDIR)/docs/_build: open index.html"

rulegraph: $(INSTALLED)
	python docs/rulegraph.py

soak: system $(INSTALLED)
	KILLS=20 pytest -s tests/workflow/test_kills.py

fuzz: $(INSTALLED)
	FUZZ=40 pytest -s tests/fuzz

benchmark: $(INSTALLED)
	python -m tests.benchmarks.page
	python tests/benchmarks/throughput.py

calibration: $(INSTALLED)
	python -m tests.calibration docs/calibration.md

messages: $(INSTALLED)
	pybabel --quiet extract --mapping-file pyproject.toml --omit-header --no-wrap \
	  --add-location file --sort-by-file --output-file templates/languages/messages.pot \
	  normreport templates

# Before the minutes that the environment takes: what only the system's administrator can install.
system:
	@$(PYTHON) -c "from normreport.plan.system import warn; warn()"

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lock:
	uv pip compile pyproject.toml --extra dev --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --output-file requirements.lock

clean:
	rm -rf results public logs benchmarks .snakemake
