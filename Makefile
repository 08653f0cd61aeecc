# The two commands a newcomer needs are `make demo` and `make test`; `make` lists the others.
#
# Each target only calls what does the work, so nothing here must be known to do it by hand.

# A shell other than /bin/sh, because make then looks for commands in the PATH set here.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
# rustup puts cargo here, but into the PATH of login shells only.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
# The steps of a target build on each other; cargo uses all cores by itself.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup page build demo clean-demo test test-setup test-accuracy test-models test-page test-rust lint bench load growth int8 \
	accuracy chaos fuzz arm64 arm64-smoke rust

help: ## this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## install what Gatepost needs, from Debian, PyPI and npm, by pinned hash
	@setup/install.sh all

page: hub/ui/dist/index.html ## build the live page, if its sources changed

# Folders are listed too: their time changes when a file in them is removed.
page_sources := $(shell find hub/ui/src) $(addprefix hub/ui/,index.html package-lock.json svelte.config.js tsconfig.json vite.config.js)
hub/ui/dist/index.html: $(page_sources)
	@setup/install.sh debian page
	cd hub/ui && npm run build

build: setup rust page ## build both daemons and the demo's camera, optimised
	@echo "build: cargo build --release (about 10 minutes on two cores the first time)"
	cargo build --release --locked --workspace --bins

demo: build ## a camera, an edge, a hub and the live page on this machine; Ctrl-C ends it
	@demo/run.sh

clean-demo: ## delete what the demo keeps in var/demo
	@mkdir -p var && flock --nonblock var/demo.lock rm -rf var/demo || { echo "the demo is running: end it first" >&2; exit 1; }

test: setup lint test-setup test-accuracy test-models test-page test-rust ## every test

test-setup: setup
	setup/test.sh
	python3 -B -m unittest discover -s setup/arm64 -p '*_test.py'

test-accuracy: setup
	@setup/install.sh python-accuracy
	.fetched/python/bin/python -B -W ignore -m unittest discover -s accuracy -p '*_test.py'

test-models: setup
	.fetched/python/bin/python -B -m unittest discover -s models/convert
	.fetched/python/bin/python -B -m unittest discover -s models/quantise
	models/parity/run.sh

test-page: setup page
	cd hub/ui && npm run check && npm test

# The first run is of the whole workspace: it builds the daemons, which tests of one package start of another.
test-rust: setup rust page
	@setup/install.sh python-sensors python-api oidc-provider
	@echo "test: cargo test (about 30 minutes to build on two cores the first time)"
	cargo build --locked --manifest-path testbed/peers/onvif/Cargo.toml --target-dir target/peers
	cargo test --locked --workspace --no-fail-fast
	@echo "test: what speaks to the hub's database again, with PostgreSQL"
	GATEPOST_TEST_DATABASE=postgres cargo test --locked --workspace --lib --no-fail-fast -- store:: access:: retention:: incident::
	GATEPOST_TEST_DATABASE=postgres cargo test --locked --workspace --test hub --no-fail-fast -- --skip accessible
	GATEPOST_TEST_DATABASE=postgres cargo test --locked --workspace --test chaos

lint: setup rust page ## formatting, clippy and rustdoc, no warnings allowed; licences and origins of dependencies
	@setup/install.sh cargo-deny
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	setup/deny.sh

bench: build ## throughput, latency, memory, cameras per core, beside what an integrator writes today
	@setup/install.sh python-bench python-sensors
	cargo bench --locked --workspace --bench throughput
	cargo bench --locked --workspace --bench outbox
	cargo bench --locked --workspace --bench fusion
	cargo bench --locked --workspace --bench cameras
	cargo bench --locked --workspace --bench latency
	cargo bench --locked --workspace --bench contact
	cargo bench --locked --workspace --bench drain
	cargo bench --locked --workspace --bench load

load: setup rust page ## the hub under 10,000 edges, with its own broker and SQLite, and with mosquitto and PostgreSQL: LOAD_SECONDS (600) each
	cargo build --release --locked --workspace --bins
	cargo bench --locked --workspace --bench drain
	for of in "embedded sqlite" "mosquitto postgres"; do \
		set -- $$of; LOAD_BROKER=$$1 LOAD_DATABASE=$$2 LOAD_EDGES=$(or $(LOAD_EDGES),10000) LOAD_SECONDS=$(or $(LOAD_SECONDS),600) \
			cargo bench --locked --workspace --bench load || exit; done

growth: setup rust page ## how storing and asking fare as the database grows to GROWTH_EVENTS (1,000,000), of a district and of one camera, with both databases
	cargo build --release --locked --workspace --bins
	for of in "district sqlite" "district postgres" "one-camera sqlite" "one-camera postgres"; do \
		set -- $$of; echo "$$of"; GROWTH_OF=$$1 GROWTH_DATABASE=$$2 GROWTH_EVENTS=$(or $(GROWTH_EVENTS),1000000) \
			cargo bench --locked --workspace --bench growth || exit; done

int8: setup ## an INT8 model of the default detector, calibrated on the pedestrian clip, and what it costs in accuracy
	.fetched/python/bin/python -B models/quantise --clip .fetched/footage/vtest.avi models/centernet-512.toml models/centernet-320.toml

# The ground truth is not part of this repository; see accuracy/README.md.
accuracy: rust ## tracks, alarms and privacy against a ground truth: make accuracy GROUND_TRUTH=FILE
	@[ -f "$(GROUND_TRUTH)" ] || { echo "accuracy: name a ground truth of .fetched/footage/vtest.avi (PETS09-S2L1) in MOTChallenge's columns: make accuracy GROUND_TRUTH=FILE; more in accuracy/README.md" >&2; exit 1; }
	@setup/install.sh debian onnxruntime footage model python-accuracy
	cargo build --release --locked --workspace --bins
	.fetched/python/bin/python -B -W ignore accuracy/measure.py "$(GROUND_TRUTH)" $(MEASURE)

chaos: setup rust page ## break box, hub, disks and network at random for CHAOS_SECONDS (3600) and look for every event
	cargo build --locked --workspace --bins
	CHAOS_SECONDS=$(or $(CHAOS_SECONDS),3600) cargo test --locked --workspace --test chaos

fuzz: setup rust page ## feed made-up bytes to every parser of outside bytes for FUZZ_SECONDS (600) each
	@setup/install.sh cargo-fuzz
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) fuzz/run.sh $(FUZZ_TARGETS)

arm64: setup rust page ## cross-build both daemons for ARM64 (aarch64-unknown-linux-gnu)
	@setup/arm64/build.sh

arm64-smoke: arm64 ## run the ARM64 edge under qemu and compare its detections with this machine's
	@setup/arm64/smoke.sh

rust:
	@command -v cargo >/dev/null || { echo "cargo is missing: install a Rust toolchain, 1.95 or newer, and run make again" >&2; exit 1; }
