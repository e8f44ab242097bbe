# One list of commands for people and CI. Nothing is needed but Python 3.11+, make and a package index.
PYTHON ?= # the path of what to install with; left out: python3, or a much quicker build of its version
BIN    := .venv/bin
CONSOLE := $(shell find services/console -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

export GLIBC_TUNABLES := glibc.malloc.perturb=255:glibc.malloc.tcache_max=256# as every service has it: decision 83

.DEFAULT_GOAL := help
.PHONY: help setup demo up down test parts whole lint bench browser

help:  ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.done services/console/dist/.done  ## install into .venv and build the console, where that is not done

demo: setup  ## the whole loop, told as a story; leaves the console running (EXIT=1: stops after the table)
	$(BIN)/python -m loadtests.demo $(if $(EXIT),--exit)

up: setup  ## start Kafka, Redis and every service on this machine
	$(BIN)/sluicegate up

down: setup  ## stop them; data stays in var/
	$(BIN)/sluicegate down

test: lint browser  ## everything that can fail: lint, types, imports, schemas, and all tests
	$(BIN)/python -m services.events.generate --check
	@$(MAKE) --no-print-directory -j 2 --output-sync=target parts whole

parts: setup  # tests of parts, three processes at a time: they mostly wait for servers
	$(BIN)/pytest -q -n 3 --durations=10 tests/unit tests/contract tests/integration

whole: setup browser  # tests of the whole stack, one after the other beside them
	$(BIN)/pytest -q --durations=10 tests/e2e

lint: setup  ## format, lint, types, who may import whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## measure what an item costs in each stage
	$(BIN)/python -m loadtests.bench

browser: setup  # Debian's Chromium, for the console's tests
	@$(BIN)/python -m infra.browser

.venv/.done: pyproject.toml constraints.txt
	@$(or $(PYTHON),python3) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later, please: make PYTHON=python3.11 …")'
	@# one that works is kept; over one of another Python venv would leave a mixture of both
	@test -z "$(PYTHON)" && $(BIN)/pip --version >/dev/null 2>&1 || { \
	    python="$(or $(PYTHON),$$(python3 infra/quickest_python.py))" && "$$python" -m venv --clear .venv; }
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev]'
	@touch $@

services/console/dist/.done: .venv/.done $(CONSOLE)
	@$(BIN)/python -m infra.console
	@mkdir -p $(@D) && touch $@
