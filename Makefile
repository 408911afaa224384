# Two commands matter: `make demo` and `make test`. Both install what they need into .venv first.
PYTHON ?= python3
V := .venv
UV := $(V)/bin/uv
export GX_ANALYTICS_ENABLED = False
export DO_NOT_TRACK = 1
export DBT_SEND_ANONYMOUS_USAGE_STATS = false
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install superset-install superset-ldap demo test lint bench bench-api up docs openapi client lock clean

help:
	@echo "make demo   install, simulate a DISCOM, land it, build its week, compare with the truth"
	@echo "make test   all tests (the first needs nothing but Python 3.11)"
	@echo "make lint   ruff, mypy, import-linter"
	@echo "make bench  measure a day of up to 1,000,000 meters beside floors and peers, in 40 minutes: docs/benchmarks.md"
	@echo "make bench-api  load the API's GETs with 100 clients over 100,000 meters x 90 days, in 20 minutes: section API of docs/benchmarks.md"
	@echo "make superset-install   install Superset into .superset, an environment of its own (800 MB)"
	@echo "make superset-ldap      and what it needs to know people from a directory; compiled"
	@echo "make up     start all on this machine: PostgreSQL, API, Dagster, Superset; prints the addresses, Ctrl-C ends"
	@echo "make docs   write docs/reports.md and docs/api-errors.md anew from their YAML"
	@echo "make openapi  write docs/openapi.json anew from the API"
	@echo "make client   that, and the Python client in examples/ anew from it"
	@echo "make lock   compile requirements/*.txt anew from pyproject.toml"

$(V)/.installed: pyproject.toml requirements/uv.txt requirements/dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed, $(PYTHON) is older: set PYTHON="; exit 1; }
	@test -x $(V)/bin/python || $(PYTHON) -m venv $(V) || { echo "the venv module is missing: apt-get install python3-venv"; exit 1; }
	@$(V)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

install: $(V)/.installed

# Superset needs other versions of what Meterhouse uses, so it lives apart and is talked to over HTTP. Compiled, it starts in a third of the time.
S := .superset
$(S)/.installed: requirements/superset.txt | $(V)/.installed
	@test -x $(S)/bin/python || $(PYTHON) -m venv $(S)
	@$(UV) pip install --quiet --compile-bytecode --require-hashes --python $(S)/bin/python -r requirements/superset.txt
	@touch $@

superset-install: install $(S)/.installed

# People from a directory: python-ldap is compiled (apt-get install gcc python3-dev libldap2-dev libsasl2-dev).
superset-ldap: superset-install
	@$(UV) pip install --quiet --require-hashes --python $(S)/bin/python -r requirements/superset-ldap.txt

demo: install
	@$(V)/bin/meterhouse demo $(ARGS)

test: install
	@$(V)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

bench: install
	@$(V)/bin/meterhouse bench $(ARGS)

bench-api: install
	@$(V)/bin/meterhouse bench-api $(ARGS)

lint: install
	@$(V)/bin/ruff check .
	@$(V)/bin/ruff format --check .
	@$(V)/bin/mypy
	@$(V)/bin/lint-imports
	@$(V)/bin/meterhouse superset generate --check
	@$(V)/bin/meterhouse superset validate

up: install superset-install
	@$(V)/bin/meterhouse up

docs: install
	@$(V)/bin/python -m api.reports.docs
	@$(V)/bin/python -m api.problems

openapi: install
	@$(V)/bin/meterhouse api --openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

# In an environment of its own: the generator wants another typer than we do.
CLIENT := .venv-client
$(CLIENT)/.installed: requirements/client.txt $(V)/.installed
	@test -x $(CLIENT)/bin/python || $(PYTHON) -m venv $(CLIENT)
	@$(UV) pip install --quiet --python $(CLIENT)/bin/python --require-hashes -r requirements/client.txt
	@touch $@

client: openapi $(CLIENT)/.installed
	@PATH=$(CURDIR)/$(CLIENT)/bin:$$PATH $(CLIENT)/bin/openapi-python-client generate --path docs/openapi.json --config examples/python_client.yml --meta none \
		--output-path examples/python_client/meterhouse_client --overwrite

# --no-header and --no-emit-index-url: no host of a registry and no path of a machine stands in a committed file.
LOCK := $(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: install
	@$(LOCK) requirements/uv.in -o requirements/uv.txt
	@$(LOCK) requirements/client.in -o requirements/client.txt
	@$(LOCK) pyproject.toml -o requirements/base.txt
	@$(LOCK) --extra dev -c requirements/base.txt pyproject.toml -o requirements/dev.txt
	@$(LOCK) requirements/superset.in -o requirements/superset.txt
	@$(LOCK) -c requirements/superset.txt requirements/superset-ldap.in -o requirements/superset-ldap.txt

clean:
	@test ! -x $(V)/bin/meterhouse || $(V)/bin/meterhouse superset down
	@test ! -x $(V)/bin/meterhouse || $(V)/bin/meterhouse db stop
	rm -rf $(V) $(S) $(CLIENT) .meterhouse .mypy_cache .ruff_cache .pytest_cache .hypothesis
