# Two commands matter: `make run` tries it, `make test` proves it. Both install what they need and may be run again.
SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= 2
RUN_PACKAGES = libcurl4-openssl-dev libssl-dev libsqlite3-dev libsimdjson-dev libre2-dev libphonenumber-dev libpq-dev libnats-dev pkg-config ca-certificates
TEST_PACKAGES = $(RUN_PACKAGES) python3 python3-venv curl chromium chromium-driver request-tracker5 rt5-db-sqlite rt5-standalone \
	postgresql nats-server redis-server
PORT ?= 8080
SANDBOX_PORT ?= 8090
DATA ?= .data
# What the intake must reach of the null route. The aim is 0.5: see docs/performance.md.
INGEST_FLOOR ?= 0.35
# How often `make chaos` kills, stops and restarts; deaths at each crash point; seconds of servers that come and go; what each of a
# hundred customers says while nodes die.
REPEATS ?= 50
CRASHES ?= 25
OUTAGE ?= 600
LINES ?= 100
# Idle streams that `make soak` opens, and the KB of memory that each may take.
CLIENTS ?= 10000
STREAM_KB ?= 40
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: help run test chaos bench bench-floor soak lint lint-format format build packages test-packages

help: ## What there is to do
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

run: packages ## Build the release program and run it with demo brands and stand-ins (PORT, SANDBOX_PORT, DATA)
	swift build -c release -j $(JOBS) --product switchboard
	.build/release/switchboard demo --data $(DATA) --port $(PORT) --sandbox-port $(SANDBOX_PORT)

build: packages ## Build the debug program
	swift build -j $(JOBS)

test: test-packages .venv/ready ## Run every test suite on every store (RUNS: which of them)
	SWITCHBOARD_PYTHON=$(CURDIR)/.venv/bin/python JOBS=$(JOBS) Tests/run-suites.sh $(RUNS)

chaos: test-packages .venv/ready ## Kill, stop and restart nodes and servers, many times (REPEATS, CRASHES, OUTAGE, LINES, RUNS)
	SWITCHBOARD_PYTHON=$(CURDIR)/.venv/bin/python JOBS=$(JOBS) SUITE_LIMIT=86400 SWITCHBOARD_CHAOS_CRASHES=$(CRASHES) \
	SWITCHBOARD_CHAOS_REPEATS=$(REPEATS) SWITCHBOARD_CHAOS_SECONDS=$(OUTAGE) SWITCHBOARD_CHAOS_LINES=$(LINES) \
	Tests/run-suites.sh build $(or $(RUNS),crashes nodes)

bench: packages ## Measure intake and whole turns
	swift build -c release -j $(JOBS) --product switchboard
	.build/release/switchboard bench ingest
	.build/release/switchboard bench turn

soak: packages ## Hold CLIENTS idle streams of live updates and tell what each takes
	swift build -c release -j $(JOBS) --product switchboard
	.build/release/switchboard bench streams --clients $(CLIENTS) --at-most $(STREAM_KB)

lint: lint-format ## Check format, and that nothing warns
	WARNINGS_AS_ERRORS=1 swift build -j $(JOBS) --build-tests

lint-format:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests channels

bench-floor: packages
	swift build -c release -j $(JOBS) --product switchboard
	.build/release/switchboard bench ingest --rounds 7 --at-least $(INGEST_FLOOR)

format: ## Format in place
	swift format --in-place --recursive --parallel Package.swift Sources Tests channels

packages:
	@missing=$$(for p in $(RUN_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then echo "Installing:" $$missing; $(SUDO) apt-get update -qq && \
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

test-packages:
	@missing=$$(for p in $(TEST_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then echo "Installing:" $$missing; $(SUDO) apt-get update -qq && \
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

.venv/ready: Tests/EndToEnd/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r Tests/EndToEnd/requirements.txt
	touch .venv/ready
