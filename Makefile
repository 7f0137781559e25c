# Hail: set-up, run, test. Every target does the set-up it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait more than they work, so one more at a time than there are processors.
TEST_JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST = QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q
PYTEST_MANY = $(PYTEST) -n $(TEST_JOBS) --dist loadfile
APT_PACKAGES := libgl1 libegl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0 \
	libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxkbcommon-x11-0 libxcb-shape0 \
	fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji \
	portaudio19-dev gcc libc6-dev python3-dev libasound2-plugins pulseaudio pulseaudio-utils opus-tools \
	xvfb xauth xdotool openbox imagemagick dbus at-spi2-core python3-venv redis-server iproute2 nftables

.PHONY: help setup system run tour test test-long bench check format lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

system: ## install missing system packages (Debian, apt)
	@missing=""; \
	if command -v dpkg-query >/dev/null; then \
	  for package in $(APT_PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	  done; \
	fi; \
	if [ -n "$$missing" ]; then \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  echo "installing:$$missing"; \
	  $$sudo apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

setup: system $(VENV)/.complete ## everything that run and test need; quick when nothing changed

$(VENV)/.complete: pyproject.toml requirements.lock requirements-dev.lock
	@echo "setting up $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## a locator and two windows (without a screen: the tour)
	@$(BIN)/python -m tests.tour.run

tour: setup ## play the tour on a virtual screen; pictures and transcript in .run/tour
	@$(BIN)/python -m tests.tour

test: setup ## every test, at most 10 minutes
	@$(PYTEST_MANY) -m 'not long and not alone'
	@$(PYTEST) -m 'not long and alone'

test-long: APT_PACKAGES += espeak-ng
test-long: setup ## the long forms too
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@$(PYTEST_MANY) -m 'not alone'
	@$(PYTEST) -m alone

bench: APT_PACKAGES += syncthing-discosrv openssh-server openssh-client espeak-ng iproute2
bench: setup ## measure the real programs beside named references, and the window beside its goals
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@$(BIN)/python -m tests.bench locator --json .run/bench-locator.json
	@$(BIN)/python -m tests.bench messages --json .run/bench-messages.json
	@$(BIN)/python -m tests.bench groups --json .run/bench-groups.json
	@$(BIN)/python -m tests.bench files --json .run/bench-files.json
	@$(BIN)/python -m tests.bench voice --json .run/bench-voice.json
	@$(BIN)/python -m tests.bench window --json .run/bench-window.json

check: setup ## the gate: format, lint, types, walls, spelling
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@report=$$($(BIN)/lint-imports --no-cache) || { echo "$$report"; exit 1; }
	@$(BIN)/codespell

format: setup ## put the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup ## renew the lock files: versions and hashes, no addresses
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 --extra bench -c requirements-dev.lock pyproject.toml -o requirements-bench.lock

clean: ## forget the set-up and everything made
	rm -rf $(VENV) .run build *.egg-info
