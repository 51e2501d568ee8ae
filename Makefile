# What a developer runs. Needed: Python 3.11 or later, make, and for the connected tests Java 17 with Maven, or Docker.
# Everything else is installed into .venv, in the versions of requirements-dev.lock.

PYTHON ?= python3
BIN := .venv/bin
SECONDS_OF_DEMO ?= 30
ON_ALL_CORES := --numprocesses auto --dist worksteal
# Each process has a broker of its own; one that is named is everybody's, and is used by one process.
SIDE_BY_SIDE := $(if $(PARCELWATCH_TEST_BROKER),,--numprocesses 2 --dist loadfile)

.PHONY: help test unit connected demo bench check lint types layers format reference lock dist release-notes clean

help: ## These targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# Unit tests share the cores; those on a real Kafka wait most of the time, two processes of them with a broker each.
test: .venv/.ready ## All tests: unit, then those on a real Kafka
	@status=0; \
	$(BIN)/python -m pytest tests/unit $(ON_ALL_CORES) || status=$$?; \
	$(BIN)/python -m pytest tests/connected $(SIDE_BY_SIDE) || status=$$?; \
	exit $$status

unit: .venv/.ready ## Tests that need no broker
	@$(BIN)/python -m pytest tests/unit $(ON_ALL_CORES)

connected: .venv/.ready ## Tests on a real Kafka
	@$(BIN)/python -m pytest tests/connected $(SIDE_BY_SIDE)

demo: .venv/.ready ## Everything in one process for half a minute, nothing else needed
	@$(BIN)/parcelwatch demo --for $(SECONDS_OF_DEMO)

bench: .venv/.ready ## Everything of docs/performance.md anew, peers included; QUICK=1 in small
	@$(BIN)/python -m bench $(if $(QUICK),--quick)

check: lint types layers ## What is checked without running anything

lint: .venv/.ready ## Style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/.ready ## Static types
	@$(BIN)/mypy

layers: .venv/.ready ## Which package may import which
	@$(BIN)/lint-imports --no-logo

format: .venv/.ready ## Puts the code into form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

reference: .venv/.ready ## Writes what is made from the code: JSON Schemas, docs/alerts.md
	@$(BIN)/python -m schemas.generate
	@$(BIN)/python -m streams.alerts.reference

dist: target/lock/.ready ## The wheel and the source archive, into dist/
	@target/lock/bin/pip install --quiet --disable-pip-version-check 'build>=1.3,<2'
	@target/lock/bin/python -m build --outdir dist .

release-notes: ## What the changelog says of VERSION
	@awk '/^## \[/ {told = index($$0, "## [$(VERSION)]") == 1; next} told' CHANGELOG.md

# Hashes name files, so that an index can be chosen by whoever installs.
COMPILE := target/lock/bin/pip-compile --quiet --no-header --strip-extras --allow-unsafe --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
# Of an environment of its own: the one that is developed in cannot be made before it is locked what it is made of.
lock: target/lock/.ready ## Resolves the dependencies anew; UPGRADE=1 takes newer versions
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --output-file requirements.lock pyproject.toml
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --all-build-deps --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

	@$(COMPILE) $(if $(UPGRADE),--upgrade) --all-build-deps --only-build-deps --constraint requirements-dev.lock \
		--output-file requirements-build.lock pyproject.toml

sbom: target/sbom/.ready ## What an image holds, in target/sbom/parcelwatch.cdx.json (CycloneDX)
	@target/sbom/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-format JSON \
		--output-file target/sbom/parcelwatch.cdx.json requirements.lock

target/sbom/.ready:
	@$(PYTHON) -m venv target/sbom
	@target/sbom/bin/pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7.5,<8'
	@touch $@

target/lock/.ready:
	@$(PYTHON) -m venv target/lock
	@target/lock/bin/pip install --quiet --disable-pip-version-check 'pip-tools>=7.6,<8'
	@touch $@

clean: ## Removes what the other targets made
	rm -rf .venv target .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=...")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
