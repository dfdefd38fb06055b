# The commands of this project; `make help` lists them.

PYTHON ?= python3
VENV := .venv
SECONDS ?= 60
BIN := $(VENV)/bin

SIZE ?= 400000
CLIENTS ?= all

.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Create .venv and install everything, development tools included

run: $(VENV)/.installed-local ## Start the whole stack on this machine, send the example mails, stay up
	@$(BIN)/python -m local

test: install ## Run every test against real servers
	@$(BIN)/python -m pytest -n 4 --dist worksteal

check: install ## Format, lint, types, import directions, secrets, vulnerable packages, the cost of each step
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.secrets
	@$(BIN)/python -m tools.audit
	@$(BIN)/python -m bench.steps

fuzz: install ## Random templates against the template engine: make fuzz SECONDS=1200
	@$(BIN)/python -m tests.fuzz.handlebars --seconds $(SECONDS)

format: install ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-bench ## Measure beside the peers, about an hour; BENCH="--only ours,floor --mails 500"
	@$(BIN)/python -m bench $(BENCH)

steps: install ## Compare each step's CPU time with what is recorded, 20 seconds
	@$(BIN)/python -m bench.steps

soak: install ## Send a backlog of SIZE mails and check what is promised about it; 400000: ten minutes
	@$(BIN)/python -m bench.soak --mails $(SIZE)

browser: install ## Test the mail console in Debian's chromium (apt-get install chromium)
	@$(BIN)/python -m pytest -n 0 tests/browser

fuzz-documents: install ## Insert 20,000 hostile documents between good mails, some ten minutes; FUZZ_SEED=...
	@FUZZ_DOCUMENTS=20000 $(BIN)/python -m pytest -n 0 -s tests/integration/worker/test_hostile_documents.py

docs: install ## Build the documentation as a site, in site/; a broken link fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	@echo "site/index.html; with search: $(BIN)/python -m http.server --bind 127.0.0.1 --directory site"

clients: install ## Run the programs of examples/clients, each whose toolchain is on PATH; CLIENTS=node,java
	@CLIENTS=$(CLIENTS) $(BIN)/python -m pytest -n 0 tests/acceptance/test_clients.py

clean: ## Remove the local data (the mails of `make run`)
	rm -rf .local

.PHONY: help install run test browser check bench steps soak fuzz fuzz-documents format docs clients clean

# Asked first: on Debian, `python3 -m venv` without python3-venv fails and leaves half a .venv behind.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $(PYTHON) is older than 3.11. Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "make: $(PYTHON) has no venv. Install it: sudo apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-local: $(VENV)/bin/python requirements.txt requirements-local.txt constraints.txt
	@echo "Installing into $(VENV), once: about a minute"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-local.txt
	@touch $@

$(VENV)/.installed: $(VENV)/bin/python requirements.txt requirements-local.txt requirements-otel.txt requirements-docs.txt requirements-dev.txt constraints.txt
	@echo "Installing into $(VENV), once: about a minute"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.installed-local

$(VENV)/.installed-bench: $(VENV)/.installed requirements-bench.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
