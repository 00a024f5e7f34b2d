# Each target makes its own virtual environment: only make, Python 3.11 with venv and a package index are needed.
#   make demo        ingest the sample data, say what was found, serve it read-only
#   make test        every test                     make check   linter, types, house rules, docs up to date
#   make bench       ingest speed beside its peers  make bench-kill   200 kills at random moments
#   make bench-crash kills, failing writes, power cuts   make bench-hostile  every command on every hostile case
#   make bench-evidence  what verify finds of 50,000 changes, 200,000 flipped bits, and how often it alarms without cause
#   make bench-pages     100,000 mixed requests, 16 at once: case and folder as before, no 500, memory flat
#   make bench-costs  what originals, leaves and verify cost     make bench-roots  the same root on every Python here
#   make bench-analyses  the analyses beside theirs, at 200,000, 1 and 5 million events
#   make bench-collect   collecting live: 20 seeds of faults and kills, and the cost of a row
#   make wheelhouse  all wheels for an offline install, tried without an index
#   make pictures    the pictures of README and docs: the stories walked in a browser, pages of the sample case
#   make docs        write docs/commands.md         make constraints   pin the newest versions anew

PYTHON ?= python3
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made
BASE := $(VENV)/.base
DEV := $(VENV)/.dev
PARSER := .node/.made-12.4.1
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
NATIVE := $(wildcard fimforensics/native/*.[ch]) fimforensics/native/compiling.py
SAMPLES := sample_data/portal sample_data/rest sample_data/export sample_data/az
ABOUT := --case-number DEMO-1 --examiner "Sample Examiner" --note "The sample fleet, made by sample_data's generator"

.PHONY: demo test check bench bench-analyses bench-costs bench-evidence bench-kill bench-pages bench-roots wheelhouse docs pictures constraints clean bench-collect bench-hostile bench-crash

demo: $(BASE)
	rm -rf demo
	mkdir demo
	$(BIN)/fimforensics ingest demo/case.db $(SAMPLES) $(ABOUT)
	$(BIN)/fimforensics info demo/case.db
	$(BIN)/fimforensics findings demo/case.db --severity high
	@if [ -t 1 ]; then $(BIN)/fimforensics serve demo/case.db; else $(BIN)/fimforensics serve demo/case.db --once --port 0; fi

test: $(DEV) $(PARSER)
	$(BIN)/python -m pytest

check: $(DEV)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest tests/test_house.py tests/test_docs.py
	$(BIN)/python docs/make_reference.py --check

bench: $(DEV)
	$(BIN)/python benchmarks/run.py

bench-analyses: $(DEV)
	$(PIP_INSTALL) -e '.[bench]'
	$(BIN)/python benchmarks/analyses.py --sizes 200000 1000000 5000000

bench-evidence: $(DEV)
	$(BIN)/python benchmarks/evidence.py

bench-collect: $(DEV)
	$(BIN)/python benchmarks/collect.py

bench-pages: $(DEV)
	@set -eu; far=$$(mktemp -d); trap 'rm -rf "$$far"' EXIT; \
	$(BIN)/fimforensics ingest "$$far/case.db" $(SAMPLES) $(ABOUT) >/dev/null; \
	$(BIN)/python benchmarks/load.py "$$far/case.db" --requests 100000 --concurrency 16 --notes

bench-costs: $(DEV)
	$(BIN)/python benchmarks/costs.py

bench-roots: $(DEV)
	$(BIN)/python benchmarks/roots.py

bench-kill: $(DEV)
	$(BIN)/python benchmarks/kill.py

pictures: $(DEV)
	FIMFORENSICS_PICTURES=yes $(BIN)/python -m pytest -q tests/site/test_walks.py tests/site/test_pictures.py

bench-crash: $(DEV)
	$(BIN)/python benchmarks/kill.py --kills 1000
	$(BIN)/python benchmarks/crash.py

bench-hostile: $(DEV)
	FIMFORENSICS_HOSTILE=all $(BIN)/python -m pytest -q tests/evidence/test_hostile_cases.py

docs: $(BASE)
	$(BIN)/python docs/make_reference.py

# The trial hides every index and every other store of wheels from pip, and works far from the checkout.
wheelhouse: $(BASE)
	rm -rf wheelhouse
	$(BIN)/python -m pip wheel -qq --disable-pip-version-check -c constraints.txt --wheel-dir wheelhouse '.[parquet]'
	@set -eu; far=$$(mktemp -d); trap 'rm -rf "$$far"' EXIT; wheels="$(CURDIR)/wheelhouse"; cp -R sample_data "$$far/"; \
	$(BIN)/python -m venv "$$far/venv"; cd "$$far"; \
	env -u PIP_INDEX_URL -u PIP_EXTRA_INDEX_URL -u PIP_FIND_LINKS PIP_CONFIG_FILE=/dev/null \
	    venv/bin/python -m pip install -qq --disable-pip-version-check --no-index --find-links "$$wheels" 'fimforensics[parquet]'; \
	venv/bin/fimforensics --version; \
	venv/bin/fimforensics ingest case.db $(SAMPLES) $(ABOUT); \
	venv/bin/fimforensics info case.db; \
	echo "wheelhouse: $$(ls "$$wheels" | wc -l) wheels, tried without an index"

constraints:
	@set -eu; new=$$(mktemp -d); trap 'rm -rf "$$new"' EXIT; $(PYTHON) -m venv "$$new/venv"; \
	"$$new/venv/bin/python" -m pip install -qq --upgrade pip setuptools '.[parquet,dev,bench]'; \
	{ echo "# The exact versions that are tested: 'make constraints' installs the newest of everything afresh and writes them here."; \
	  "$$new/venv/bin/python" -m pip freeze --all --exclude fimforensics; } > "$$new/constraints.txt"; \
	cp "$$new/constraints.txt" constraints.txt

$(MADE):
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo \
	"$(PYTHON) is not Python 3.11 or newer with venv; install that (Debian: python3-venv) or name another: make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(BASE): $(MADE) pyproject.toml constraints.txt $(NATIVE)
	$(PIP_INSTALL) -e '.[parquet]'
	@touch $@

$(DEV): $(MADE) pyproject.toml constraints.txt $(NATIVE)
	$(PIP_INSTALL) -e '.[parquet,dev]'
	@touch $@ $(BASE)

# Microsoft's own KQL parser, a judge in the tests. Without npm, or without an index, its tests skip and say so (and fail in CI).
$(PARSER):
	@rm -rf .node && mkdir .node
	@{ command -v npm >/dev/null && npm install --prefix .node --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
	    --loglevel=error $(subst .node/.made-,@kusto/language-service-next@,$@) && touch $@; } || \
	    echo "no Microsoft KQL parser: the tests that ask it are skipped" >&2

clean:
	rm -rf $(VENV) .node build dist demo wheelhouse .pytest_cache .hypothesis .mypy_cache .ruff_cache
