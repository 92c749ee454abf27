# make app    install what the app needs and serve it on http://localhost:8501
# make test   install what the tests need, then lint, format check, type check and all tests

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.PHONY: app test format screenshots

app: $(VENV)/app.installed
	$(BIN)/streamlit run streamlit_app.py --server.address localhost --server.port 8501

test: $(VENV)/test.installed
	tools/install-chromium
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadgroup

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
