# Two commands on a fresh machine: make demo, make test. Everything lives in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow check rooms lock

demo: .venv/installed
	$(BIN)/ballistics demo --out demo

test: .venv/installed
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow"

# Kills by the hundred, every real scan, mutants by the thousand: what takes longer than the rest together.
test-slow: .venv/installed
	$(BIN)/python -m pytest -n auto -m slow

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

# A picture of the imports by room; prints what goes up, past a face or round in a circle.
rooms: .venv/installed
	$(BIN)/python tests/support/rooms.py docs/rooms.svg

.venv/installed: constraints.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

lock:
	uv pip compile --universal --python-version 3.11 --all-extras --group build --generate-hashes \
		--no-annotate --no-header --quiet pyproject.toml -o constraints.txt
