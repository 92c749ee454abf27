# make app    install what the app needs and serve it on http://localhost:8501
# make audit  ask PyPI whether a version that is in use has a known weakness (needs the internet)
# make test   install what the tests need, then lint, format check, type check and all tests

PYTHON ?= python3
# Tests at once. Three for two cores, since some of them wait for sound that is played.
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

# Some images forbid Python to keep what it compiled. Tests start hundreds of processes: each would compile torch anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: app test chromium types pytest format screenshots audit

app: $(VENV)/app.installed
	$(BIN)/streamlit run streamlit_app.py --server.address localhost --server.port 8501

test:
	$(MAKE) --no-print-directory --jobs 2 $(VENV)/test.installed chromium
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) --no-print-directory --jobs 2 types pytest

chromium: $(VENV)/created # which may use the same package manager
	tools/install-chromium

types:
	nice $(BIN)/mypy

pytest:
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder

format: $(VENV)/test.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What can't be looked up fails, rather than to pass for safe. PyPI knows no local versions, as 2.13.0+cpu: they are cut.
audit: $(VENV)/test.installed
	$(BIN)/python -m pip freeze | sed 's/+.*//' > $(VENV)/audited.txt
	$(BIN)/pip-audit --strict --disable-pip --no-deps --progress-spinner off --requirement $(VENV)/audited.txt

screenshots: $(VENV)/test.installed
	tools/install-chromium
	$(BIN)/python tools/screenshots.py

$(VENV)/app.installed: requirements.txt $(VENV)/created
	$(PIP) -r requirements.txt
	touch $@

# Of 19,000 modules, the tests import a fifth: those are compiled then.
$(VENV)/test.installed: requirements.txt requirements-test.txt $(VENV)/created
	$(PIP) --no-compile -r requirements-test.txt
	touch $@ $(VENV)/app.installed

$(VENV)/created:
	tools/make-venv $(PYTHON) $(VENV)
	touch $@
