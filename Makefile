# Pulang: every command sets itself up, so a fresh clone needs none but the one you want.
# Pass more words with ARGS, as in: make demo ARGS="--port 8080"   make test ARGS="-k routing -x"

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.runtime-ready
DEV := .venv/.dev-ready
PACKAGES := $(wildcard bot handlers console referrals storage simulator benchmarks)
WORKERS ?= 3
ARGS ?=

.PHONY: help setup demo test test-long drill bench lint format browser lock clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(RUNTIME) ## What a server needs to run, and nothing more

demo: $(RUNTIME) ## Live one referral on this machine: phones, pages and the desk in your browser
	@exec $(BIN)/python -m bot demo $(ARGS)

test: lint browser ## Everything a change must pass: lint, then all tests on both databases (< 10 min)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-long: lint browser ## The same tests with larger numbers
	PULANG_LONG=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

drill: $(DEV) ## Back up a running network, lose its machine, live again in a fresh folder: how long it takes
	$(BIN)/python -m pytest -q -s tests/contract/bot/test_backup_commands.py -k lives_again $(ARGS)

bench: $(DEV) ## Measure what must stay quick, as ratios within one run
	$(BIN)/python -m benchmarks $(ARGS)

lint: $(DEV) ## Style, format, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES) tests
	$(BIN)/lint-imports --no-cache

format: $(DEV) ## Put the code into shape
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

browser: $(DEV) # Find Chromium, or install it where that is allowed
	@tools/chromium.sh > /dev/null

lock: .venv/bin/python # Renew both lock files (docs/dependencies.md)
	@tools/lock.sh

clean: # Forget what was set up and cached; never touches data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- Set-up: a stamp each, renewed when its lock changes ------------------------------------------

.venv/bin/python:
	@tools/venv.sh $(PYTHON)

$(RUNTIME): requirements.lock | .venv/bin/python
	@echo "Setting up .venv from requirements.lock …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(DEV): requirements-dev.lock | .venv/bin/python
	@echo "Setting up .venv from requirements-dev.lock …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ $(RUNTIME)
