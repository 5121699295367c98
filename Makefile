# Everything needs only Python >= 3.11, make and a package index. `make help` lists what there is.

PYTHON ?= python3
PYTEST_ARGS ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV := $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links
SOURCES := bot handlers tests bench
HOSTILE := tests/e2e/test_hostile.py $(addprefix tests/unit/test_,webhook.py events.py \
	gitea_sansio.py security.py logs.py render.py commands.py commander.py boxes.py)

.DEFAULT_GOAL := help
.PHONY: help demo install run test thorough fuzz faults bench lint format lock clean

help: ## Say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(BIN)/.installed ## Show the bot at work on a small forge of its own
	$(BIN)/mosaic-coordinator demo $(ARGS)

install: $(BIN)/.installed ## Install into .venv; the command is .venv/bin/mosaic-coordinator

run: $(BIN)/.installed ## Serve, with the settings of .env (see .env.example) and bot.toml
	@set -a; if [ -f .env ]; then . ./.env; fi; set +a; exec $(BIN)/mosaic-coordinator serve

test: $(BIN)/.dev ## Run every test; less than 95 % of branches covered is a failure
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-branch --cov-report=term --cov-fail-under=95 $(PYTEST_ARGS)

faults: $(BIN)/.dev ## Break everything at random, 200 times, on SQLite and PostgreSQL (ARGS="--runs 10")
	$(BIN)/python -m tests.faults.play $(ARGS)

thorough: $(BIN)/.dev ## Look for what breaks a rule among a thousand made-up cases for each
	$(BIN)/pytest -n auto -m hypothesis --hypothesis-profile=thorough $(PYTEST_ARGS)

fuzz: $(BIN)/.dev ## The same of what strangers may send, five thousand for each (EXAMPLES=20000)
	EXAMPLES=$(or $(EXAMPLES),5000) $(BIN)/pytest -n auto -m hypothesis \
		--hypothesis-profile=thorough $(HOSTILE) $(PYTEST_ARGS)

lint: $(BIN)/.dev ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(BIN)/.dev ## Put the style right where a program can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(BIN)/.dev ## Choose the newest dependencies that pyproject.toml allows
	$(COMPILE) --upgrade pyproject.toml --output-file requirements.lock
	$(COMPILE) --upgrade --constraint requirements.lock --extra dev pyproject.toml \
		--output-file requirements-dev.lock
	printf 'editables\nhatchling\n' | $(COMPILE) --upgrade --constraint requirements-dev.lock - \
		--output-file requirements-build.lock

bench: $(BIN)/.installed .venv-bench/.installed ## How quickly a delivery is answered, beside FastAPI
	$(BIN)/python bench/ack.py .venv-bench/bin/python $(ARGS)

clean: ## Remove what was made here, the environment too; data/ stays
	rm -rf .venv .venv-bench dist build .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is as new as what was installed: running twice does nothing the second time.

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "make: there is no $(PYTHON) here; install Python 3.11 or newer, or say which one:" \
		"make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1), but 3.11 or newer is needed; say which one:" \
		"make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "make: $(PYTHON) cannot make a virtual environment; on Debian and Ubuntu:" \
		"apt install python3-venv" >&2; exit 1; }

$(BIN)/.installed: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --no-deps --require-hashes --requirement requirements.lock \
		--requirement requirements-build.lock
	$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(BIN)/.dev: requirements-dev.lock $(BIN)/.installed
	$(PIP) install --quiet --no-deps --require-hashes --requirement requirements-dev.lock
	@touch $@

.venv-bench/.installed: bench/requirements.txt | $(BIN)/python
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip --disable-pip-version-check install --quiet --requirement $<
	@touch $@
