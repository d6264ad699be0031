# `make demo` and `make test` do all their own set-up: Python 3.11+, git and make are enough.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
WORKERS ?= 2
# Compiled once, not at every start, whatever the machine's own setting is.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test tools lint types format docs clean

install: $(READY)

demo: $(READY)
	@$(BIN)/python -m examples.demo

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

# Every migration tool itself beside dbproof; TOOLS="goose atlas" for some of them.
tools: $(READY)
	PYTHONPATH=.:tests $(BIN)/python -m tools $(TOOLS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)
	$(BIN)/python docs/generate.py

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dbproof needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@echo "setting up .venv (once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[embedded,test]'
	@touch $(READY)

clean:
	rm -rf .venv build dist dbproof-report
