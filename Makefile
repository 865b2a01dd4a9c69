# The commands of this repository. `make demo` and `make test` need nothing else first: on a fresh
# Debian 12 they install what they need (as root, or through sudo).

BUILD := build/release

.PHONY: help setup build programs unit test fuzz bench demo deb man lint clean

help:           ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup:          ## install Debian packages, fetch the lab's kernel (quick when done already)
	@scripts/setup

$(BUILD)/build.ninja: | setup
	@cmake --preset release

build: setup $(BUILD)/build.ninja  ## build everything into build/release
	@cmake --build $(BUILD)

programs: setup $(BUILD)/build.ninja
	@cmake --build $(BUILD) --target l4ward l4ward-exabgp l4wardctl

unit: build     ## unit tests: seconds, no virtual machine
	@ctest --test-dir $(BUILD) --output-on-failure -L unit -j2

test: setup $(BUILD)/build.ninja  ## every test: the lab on a real kernel, units under sanitizers
	@cmake --build $(BUILD) --target lab
	@scripts/test

fuzz: setup     ## fuzz every parser for FUZZ_SECONDS (60); findings are left in build/fuzz
	@scripts/fuzz

demo: programs  ## the three-tier site on a real kernel, told as a story
	@tests/lab/vm -- /usr/bin/python3 tests/lab/demo.py

bench: setup $(BUILD)/build.ninja  ## against Keepalived, ipvsadm and the floor, on a real kernel: minutes
	@cmake --build $(BUILD) --target l4ward l4ward-exabgp bench_measure bench_apply
	@bench/run

deb: setup      ## the Debian package, into build/deb, looked at by lintian
	@scripts/deb

man: setup $(BUILD)/build.ninja  ## the manual pages, into build/release/man
	@cmake --build $(BUILD) --target man

lint: build     ## format, clang-tidy, shellcheck, flake8, file sizes
	@scripts/lint

clean:          ## remove what was built
	@rm -rf build
