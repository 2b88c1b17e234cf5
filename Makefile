# The project's habits. `make` or `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test check conformance terraform model bench bench-client soak clean

help: ## list these targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '  %-13s %s\n' "$$name" "$$what"; done

setup: $(VENV)/.portside ## make .venv with the command .venv/bin/portside

setup-dev: $(VENV)/.development ## the same with everything that tests and checks need

run: setup ## start the registry on localhost:4510, with its data in .portside
	@exec $(BIN)/portside serve --data .portside

test: setup-dev ## pass every test; installs the real clients it needs from Debian's packages
	$(BIN)/python -m tests.clients.packages
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal

check: setup-dev ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

conformance: setup-dev ## run the OCI's own conformance suite; writes docs/reference/conformance.md
	$(BIN)/python -m tests.conformance_suite

terraform: setup-dev ## apply, plan and destroy with Terraform's real AWS provider; needs terraform on PATH
	$(BIN)/python -m tests.terraform

model: setup-dev ## generate the ECR API's types from botocore's model
	$(BIN)/python tools/model.py
	$(BIN)/python tools/query_model.py
	$(BIN)/python tools/iam_reference.py

soak: setup-dev ## thousands of clients at once, hundreds of deaths, nonsense; reports latencies, memory and refusals
	$(BIN)/python -m bench.soak
	$(BIN)/python -m tests.faults.killing 200
	$(BIN)/python -m tests.faults.sweeping 20
	$(BIN)/python -m tests.faults.nonsense 20000

bench: setup-dev ## server CPU per request beside other registries; reports, never fails
	$(BIN)/python -m bench
	$(BIN)/python -m bench.decisions

bench-client: setup-dev ## `portside push` beside docker, skopeo, crane and regctl
	$(BIN)/python -m bench.push_client

clean: ## remove what these targets made, but never the registry's data
	rm -rf $(VENV) .cache build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# ensurepip is a package of its own on Debian.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Portside needs Python 3.11 or newer; name one with PYTHON=." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh tools/install-venv.sh
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

$(VENV)/.portside: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.development: pyproject.toml requirements/development.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/development.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@ $(VENV)/.portside
