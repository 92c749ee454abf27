# make app    install what the app needs and serve it on http://localhost:8501
# make test   install what the tests need, then lint, format check, type check and all tests

PYTHON ?= python3
# Tests at once. Three for two cores, since some of them wait for sound that is played.
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.PHONY: app test types pytest format screenshots

app: $(VENV)/app.installed
	$(BIN)/streamlit run streamlit_app.py --server.address localhost --server.port 8501

test: $(VENV)/test.installed
	tools/install-chromium
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) --no-print-directory --jobs 2 types pytest

types:
	nice $(BIN)/mypy

pytest:
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder

format: $(VENV)/test.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: $(VENV)/test.installed
	tools/install-chromium
	$(BIN)/python tools/screenshots.py

$(VENV)/app.installed: requirements.txt $(VENV)/created
	$(PIP) -r requirements.txt
	touch $@

$(VENV)/test.installed: requirements.txt requirements-test.txt $(VENV)/created
	$(PIP) -r requirements-test.txt
	touch $@ $(VENV)/app.installed

$(VENV)/created:
	tools/make-venv $(PYTHON) $(VENV)
	touch $@
