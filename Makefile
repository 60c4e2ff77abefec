# Two commands on a fresh machine: make demo, make test. Everything lives in .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet \
	--group build pyproject.toml

.PHONY: demo test test-slow check docs rooms lock wheels

# What the main job needs and nothing else: a good third of what developing needs.
demo: .venv/base
	$(BIN)/ballistics demo --out demo

# Bytecode is kept, whatever the shell says: else each worker and each process of a test compiles every module again.
test test-slow: export PYTHONDONTWRITEBYTECODE =
test: .venv/installed
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow"

# Kills by the hundred, every real scan, mutants by the thousand: what takes longer than the rest together; and every
# property again, with a hundred examples and more.
test-slow: export BALLISTICS_PROPERTIES = often
test-slow: .venv/installed
	$(BIN)/python -m pytest -n auto -m "slow or hypothesis"

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

# Offline; a warning is an error. The pages lie in docs/build/html.
docs: .venv/installed
	$(BIN)/python -m sphinx -q -W --keep-going -d docs/build/doctrees docs docs/build/html
	@echo "docs/build/html/index.html"

# A picture of the imports by room; prints what goes up, past a face or round in a circle.
rooms: .venv/installed
	$(BIN)/python tests/support/rooms.py docs/rooms.svg

.venv/base: locks/base.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) --no-compile --require-hashes -r locks/base.txt
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

.venv/installed: locks/development.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) --require-hashes -r locks/development.txt
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

# The smaller locks take their versions from the largest: what was tested is what is installed.
lock:
	$(LOCK) --all-extras --group docs --group test -o locks/development.txt
	$(LOCK) --all-extras -c locks/development.txt -o locks/all.txt
	$(LOCK) -c locks/development.txt -o locks/base.txt

# Whether every pin has a wheel for each Python and system; takes gigabytes of downloads, kept nowhere.
wheels: .venv/installed
	$(BIN)/python locks/wheels.py check locks/all.txt
