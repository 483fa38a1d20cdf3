# What one does with this project. `make help` lists it.

PREFIX ?= /usr/local
DESTDIR ?=
export DESTDIR

export PATH := $(CURDIR)/target/tools/bin:$(PATH)

# The library for CMake and pkg-config projects; cargo keeps its own files where plain `cargo build` has them.
configure = cmake -S . -B target/cmake -DCMAKE_BUILD_TYPE=Release -DNETWORK_CARGO_TARGET_DIR="$(CURDIR)/target"

.DEFAULT_GOAL := help
.PHONY: help demo test soak fuzz bench install sanitize tsan deny format lint

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: ## build, install under target/, run the examples as separate processes and check what they exchanged
	@.ci/setup demo
	@$(MAKE) --no-print-directory install PREFIX="$(CURDIR)/target/install" DESTDIR=
	examples-c/demo.sh target/install

test: ## set up the machine and run everything that must hold
	@.ci/setup test
	@.ci/test

soak: ## run the long forms of the tests, with thousands of connections (SOAK_MINUTES, 60, is all it may take)
	.ci/soak

fuzz: ## give random bytes to all that takes bytes, under libFuzzer (FUZZ_SECONDS, 60, for each of ten targets)
	@.ci/setup test
	tests/fuzz/run.sh

bench: ## measure the library beside other programs and judge the goals: target/bench/report.html (QUICK=1: two minutes)
	@.ci/setup bench
	cargo build --release --locked
	python3 benches/run.py $(if $(QUICK),--quick)

install: ## install to PREFIX (default /usr/local), within DESTDIR if set
	$(configure) -DCMAKE_INSTALL_PREFIX="$(PREFIX)"
	cmake --build target/cmake
	cmake --install target/cmake

sanitize: ## run the C++ tests and hazard programs, and the core, under AddressSanitizer
	@.ci/setup test
	.ci/sanitize

tsan: ## run the tests of the core that have the most threads under ThreadSanitizer
	@.ci/setup test
	.ci/tsan

deny: ## check the crates: licences, duplicates, advisories, notices
	@.ci/setup test
	python3 tests/supply/check.py

format: ## format the Rust, C and C++ files
	@.ci/setup test
	.ci/format

lint: ## check the formatting, and clippy
	@.ci/setup test
	.ci/lint
