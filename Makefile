# Campanile: `make demo` shows it, `make test` checks it. `make help` lists the rest.
SHELL := /bin/bash
export CARGO_TARGET_DIR ?= $(CURDIR)/target
BIN := $(CARGO_TARGET_DIR)/debug
# The built binaries find the demo campus here, wherever they are started.
export CAMPANILE_ROOT := $(CURDIR)
# And here interpreters of scripts and the plugins of the house.
export CAMPANILE_PLUGINS ?= $(CARGO_TARGET_DIR)/plugins

.PHONY: help demo test verify lint fuzz bench build setup campus

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## install what building and testing need (Debian packages by apt, cargo-nextest)
	@scripts/setup.sh

build: setup
	cargo build --workspace --bins --locked

demo: build ## open the demo school: the twin where there is a display, headless elsewhere
	scripts/guests.sh shipped || echo 'the plugins of the house were not built: the demonstration goes without them'
	$(BIN)/campanile demo

web: ## the twin for browsers, which the hub serves at / (some ten minutes, once)
	scripts/web.sh

# Programs and tests together: apart, cargo would build what both need twice, with other features.
test: export CAMPANILE_BUILD = --bins --tests
test: setup ## the fast suite: minutes, needs no network beyond the first install
	cargo build --workspace $(CAMPANILE_BUILD) --locked
	scripts/guests.sh
	cargo nextest run --workspace --locked --no-fail-fast
	cargo test --workspace --doc --locked --quiet

verify: test ## the whole suite: validators, kills, long runs
	@scripts/verify.sh

lint: ## formatting, clippy, licences and bans
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny check licenses bans sources

fuzz: ## hostile bytes for every reader, TIME seconds each (600); needs nightly Rust
	@scripts/fuzz.sh

bench: ## measure this machine: world, ingest, history (release build, no Bevy)
	cargo build --release -p campanile-cli --locked
	@for b in world ingest history; do $(CARGO_TARGET_DIR)/release/campanile bench $$b || exit 1; done

campus: ## remake the demo campus and its weather from their descriptions
	cargo run -p campanile-maker --locked -- campus scenes/shanghai-school/school.toml --out scenes/shanghai-school
	cargo run -p campanile-maker --locked -- weather scenes/shanghai-school/weather.toml --seed 2026 --out scenes/shanghai-school/weather.epw

