# Everything runs in .venv, which these targets set up for themselves. A stamp in .venv says what is installed, so that a
# second call starts at once; it is out of date as soon as pyproject.toml or constraints.txt is newer.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
SHELL := /bin/bash

BIN := .venv/bin
# A file is one worker's, so that what its tests share is made once; conftest.py has the longest files begin.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder
# Constraints by option, not by environment: older versions of pip would hold the build to them too, which needs the
# headers of an older jaxlib than the one it runs with (pyproject.toml names the build's versions exactly).
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help setup demo test test-full mutants native-test lint bench docs clean

help:
	@echo "make setup      .venv with what the library needs"
	@echo "make demo       the main job on a real series, with its report"
	@echo "make test       the test suite"
	@echo "make test-full  the large grid, the studies, the long runs and the edits as well"
	@echo "make mutants    edits that break the program, each noticed by the tests"
	@echo "make native-test  the compiled loop under the sanitizers"
	@echo "make lint       style, types, import contract"
	@echo "make bench      all benchmarks"
	@echo "make docs       every picture and the documentation, into site/"
	@echo "make clean      remove .venv, caches and what was built"

setup: .venv/.stamp-core

demo: .venv/.stamp-demo
	$(BIN)/ostinato demo

test: .venv/.stamp-test
	$(PYTEST)

test-full: .venv/.stamp-test
	OSTINATO_TEST_COMPILE=full $(BIN)/python benchmarks/full_suite.py
	$(MAKE) mutants

mutants: .venv/.stamp-test
	$(BIN)/python -m tests.mutants.run

# Random shapes and programs through the compiled loop under each sanitizer, and for arm64 where its compiler and an
# emulator are at hand; then what a program costs beside C++.
native-test:
	for sanitizer in address,undefined thread; do \
	    cmake -S native -B build/native-$$sanitizer -DOSTINATO_TESTS=ON -DOSTINATO_SANITIZE=$$sanitizer && \
	    cmake --build build/native-$$sanitizer --target fuzz && build/native-$$sanitizer/fuzz 300 || exit 1; \
	done
	if command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null; then \
	    cmake -S native -B build/native-arm64 -DOSTINATO_TESTS=ON -DCMAKE_SYSTEM_NAME=Linux \
	        -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ && \
	    cmake --build build/native-arm64 --target fuzz && \
	    qemu-aarch64 -L /usr/aarch64-linux-gnu build/native-arm64/fuzz 60; \
	else echo "arm64 is left out: its compiler or its emulator is not here"; fi
	cmake -S native -B build/native -DOSTINATO_TESTS=ON && cmake --build build/native
	for program in build/native/handwritten_*; do $$program || exit 1; done

lint: .venv/.stamp-test .venv/.stamp-lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo

bench: .venv/.stamp-core
	$(BIN)/ostinato bench

docs: .venv/.stamp-docs
	$(BIN)/python docs/make_pictures.py
	$(BIN)/mkdocs build --strict

clean:
	rm -rf .venv .cache .nox .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist site
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +

.venv/.stamp-venv:
	@for python in python3.11 python3.12 python3.13 python3 python; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	    then echo "Setting up .venv with $$($$python --version)"; $$python -m venv .venv && touch $@; exit; fi; \
	done; \
	echo "No Python 3.11, 3.12 or 3.13 with its venv module was found on PATH." >&2; \
	echo "Install one (on Debian and Ubuntu: python3.11 and python3.11-venv), then run make again." >&2; \
	exit 1

.venv/.stamp-core: .venv/.stamp-venv pyproject.toml constraints.txt
	$(INSTALL) --editable .
	@touch $@

# What is installed already is not built again: pip only adds what the extra asks for.
.venv/.stamp-%: .venv/.stamp-core
	$(INSTALL) 'ostinato[$*]'
	@touch $@
