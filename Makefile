# Témoin. `make help` lists what there is; everything sets up what it needs.
PYTHON  ?= $(shell command -v python3.11 || command -v python3)
VENV    ?= .venv
BIN     := $(VENV)/bin
HOST    ?= 127.0.0.1
PORT    ?= 8080
DATA    ?= data
WORKERS ?= 2
TESTS   ?= tests
WEB     := client_sdk/web
APP     := server/shell/static/manifest.json
VERIFIER := client_sdk/verifier/verify.html
# npm and node are those of the environment, whatever else the machine has.
NPM      = cd $(WEB) && PATH="$(abspath $(BIN)):$$PATH" npm
comma   := ,
# For what may wait whenever anybody else wants a processor.
IDLE    := $(shell chrt --idle 0 true 2>/dev/null && echo chrt --idle 0 || echo nice -n 19)
# Where there is room in memory, what tests keep lies there: at a disk, each vault of theirs waits at every commit.
MEMORY   = $(shell test "$$(df --output=avail -BG /dev/shm 2>/dev/null | tr -dc 0-9)" -ge 6 2>/dev/null \
	&& ! grep -q ' /dev/shm .*noexec' /proc/mounts && echo TMPDIR=/dev/shm)
# A machine may forbid Python to keep what it compiled; every process that a test starts would compile us again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run demo app checks read test test-web test-browsers lint type bench bench-web soak vectors docs-check screenshots clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.run: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) (once)…"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[web]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

$(WEB)/node_modules/.done: $(WEB)/package-lock.json $(VENV)/.run
	@$(NPM) ci --silent --no-audit --no-fund
	@touch $@

SOURCES = $(shell find $(WEB)/src $(WEB)/locales -type f) $(wildcard server/help/locales/*.json server/help/data/*.json \
	server/help/static/*.css crypto_core/sealing/*.json client_sdk/packs/*.json)

$(VERIFIER): $(WEB)/node_modules/.done $(WEB)/verifier.vite.config.ts $(SOURCES)
	@echo "Building the page that checks packs…"
	@$(NPM) run --silent build:verifier

# It is in the client as well, which puts it into the packs that it writes.
$(APP): $(VERIFIER) $(WEB)/vite.config.ts
	@echo "Building the web client…"
	@$(NPM) run --silent build

app: $(APP)  ## the web client, as the server serves it at /app, and the page that checks packs

run: $(VENV)/.run $(APP)  ## set everything up and serve a vault on http://127.0.0.1:8080, data in ./data
	@test -e $(DATA)/vault.json || $(BIN)/temoin-server init --data $(DATA)
	@exec $(BIN)/temoin-server run --data $(DATA) --host $(HOST) --port $(PORT) --workers $(WORKERS)

demo: $(VENV)/.run  ## the story in a terminal, in under a minute, on a throw-away vault
	@$(BIN)/python docs/demo/tell.py

test-web: $(WEB)/node_modules/.done $(VERIFIER)  ## the web client's types and tests
	@$(NPM) run --silent type
	@$(NPM) run --silent test

checks: lint type docs-check read $(APP)

# What a busy processor changes is measured first, by itself: after twenty minutes of work some machines are half as
# fast. The web client's tests take what those that measure time leave.
# 5: none of this kind, which some tests may say, and all of them never.
test: $(VENV)/.dev $(APP)  ## every check and every test (TESTS=path for some)
	@failed=; ran=; place=; \
	round() { $$place $(BIN)/python -m pytest "$$@" $(TESTS); case $$? in 0) ran=yes ;; 5) test "$(TESTS)" != tests || failed=yes ;; *) failed=yes ;; esac; }; \
	round -m 'alone and still and not soak'; \
	$(MAKE) --no-print-directory -j2 --output-sync=target checks || exit 1; \
	place='env $(MEMORY)'; \
	round -n 3 --dist worksteal -m 'not soak and not alone' -o tmp_path_retention_policy=failed -o tmp_path_retention_count=1; \
	place=; \
	$(IDLE) $(MAKE) --no-print-directory --output-sync=target test-web & \
	round -m 'alone and not still and not soak'; \
	wait $$! || failed=yes; \
	test -n "$$ran" -a -z "$$failed"

$(VENV)/.browsers: $(VENV)/.dev
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev,browsers]'
	@touch $@

test-browsers: $(VENV)/.browsers $(APP)  ## the pages and the vault in Firefox and in WebKitGTK
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/browser_others/pages.py tests/browser_others/app.py tests/browser_others/packs.py

screenshots: $(VENV)/.dev $(APP)  ## pictures of all pages in build/screenshots (PAGES=0,1,app/home for some)
	@PYTHONPATH=. $(BIN)/python tests/browser/screenshots.py $(subst $(comma), ,$(PAGES))

lint: $(VENV)/.dev  ## flake8
	@$(BIN)/python -m flake8 crypto_core schemas server client_sdk tests bench docs

type: $(VENV)/.dev  ## mypy, strict
	@$(BIN)/python -m mypy

bench: $(VENV)/.dev  ## measure, and print ratios against something real (apt-get install -y age curl)
	@$(BIN)/python -m bench

bench-web: $(VENV)/.dev $(APP)  ## the same in a real browser: sealing in the worker, login
	@$(NPM) run --silent bench
	@$(BIN)/python -m bench web

soak: $(VENV)/.dev $(APP)  ## the long rounds
	@export SOAK=20; $(NPM) run --silent test -- --testTimeout 600000 $$(grep -l 'runs(' tests/*.test.ts*)
	@$(BIN)/python -m pytest -m soak -o addopts='--strict-markers --strict-config --import-mode=importlib' -v

vectors: $(VENV)/.dev  ## make our own vectors anew; `git diff` stays empty
	@$(BIN)/python tests/vectors/make_sealing.py
	@$(BIN)/python tests/vectors/make_receipts.py

read: $(VENV)/.dev  ## every test can be read; those who run them side by side find it done
	@said=$$($(BIN)/python -m pytest --collect-only -qq $(TESTS) 2>&1) || test $$? = 5 || { echo "$$said"; false; }

docs-check: $(VENV)/.dev  ## what the documents say is so: the generated ones are as generated
	@$(BIN)/python docs/api/generate.py --check

clean:  ## remove what was built; the vault's data stays
	@rm -rf $(VENV) build server/shell/static client_sdk/verifier $(WEB)/node_modules .mypy_cache .pytest_cache .hypothesis *.egg-info
