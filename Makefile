# What can be typed in this repository; `make` alone lists it.
#
# It runs on GNU make 3.81 (what macOS has) and later with any POSIX shell, and every path here is relative to this
# folder, because make cannot handle a target whose own path has a space in it.

SHELL = /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test engines test-engines screenshots lint format bench bench-pass lock image-steps clean anew

READY := .venv/.installed
RUN := .venv/bin
DATA ?= ../shared/data
BENCH ?= $(basename $(notdir $(wildcard benchmarks/[!_]*.py)))

help:  ## list what can be typed
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-17s %s\n", $$1, $$2}'
	@echo
	@echo 'The first of them makes .venv, from the newest Python 3.11, 3.12 or 3.13; PYTHON=/path/to/python names another.'
	@echo 'ARGS="…" is handed on by demo and test: make test ARGS="-k redline"'

demo: $(READY)  ## watch an invented newsroom for five passes, offline; SERVE=1 then shows it in a browser
	@$(RUN)/wirewatch demo $(if $(SERVE),--serve) $(ARGS)

test: $(READY)  ## run the tests, PostgreSQL included (it comes from a wheel)
	@$(RUN)/python -m pytest $(ARGS)

engines: $(READY)  ## build Prism and the fake of Pub/Sub, and fetch Flink, into build/engines
	@$(RUN)/python -m tests.engines.install

test-engines: engines  ## run the streaming job on them
	@WIREWATCH_ENGINES_REQUIRED=1 $(RUN)/python -m pytest tests/engines $(ARGS)

screenshots: $(READY)  ## take the pictures of docs/images, with Chromium
	@$(RUN)/python -m tests.browser.screenshots

lint: $(READY)  ## check style, types and who imports whom
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports --no-logo

format: $(READY)  ## lay the code out as `make lint` wants it
	@$(RUN)/ruff check --fix-only .
	@$(RUN)/ruff format .

# All tables are printed, also after one that missed its goal; the exit code says whether one did.
bench: $(READY)  ## print the benchmarks' tables; DATA=FOLDER has the pages and revisions, BENCH="times diff" picks some
	@test -d "$(DATA)" || { echo 'There is no folder "$(DATA)": name the one with the data, make bench DATA=FOLDER' >&2; exit 1; }
	@missed=; for benchmark in $(BENCH); do \
	    printf '\n%s\n\n' "benchmarks/$$benchmark.py"; \
	    $(RUN)/python -m "benchmarks.$$benchmark" "$(DATA)" || missed="$$missed $$benchmark"; \
	done; \
	test -z "$$missed" || { echo "Below a goal, or not run:$$missed" >&2; exit 1; }

bench-pass: $(READY)  ## measure whole passes, the short cut and the store beside the bare chain: a quarter of an hour
	@$(MAKE) bench BENCH="pass shortcut throughput ledger" DATA="$(DATA)"

lock: $(READY)  ## write requirements.lock and the image's anew after a change of pyproject.toml; ARGS=--upgrade takes new versions
	@$(RUN)/uv pip compile -q --universal --python-version 3.11 --group dev --generate-hashes \
	    --no-emit-index-url --no-annotate --no-header $(ARGS) pyproject.toml -o requirements.lock
	@$(RUN)/uv pip compile -q --universal --python-version 3.11 --group image --constraints requirements.lock \
	    --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o deploy/requirements.lock

image-steps: $(READY)  ## install in an empty folder what the Dockerfile installs, and run it; needs the package index
	@$(RUN)/python -m tests.deploy.image $(ARGS)

clean:  ## remove all that the above have made
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build wirewatch.egg-info demo
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): .venv/.locked pyproject.toml
	@$(RUN)/uv pip install -q --python .venv/bin/python --offline --no-deps --no-build-isolation -e .
	@touch $@

# uv knows none of pip's settings (a mirror, a company's certificates), so where it cannot install, pip has its turn.
# Everything is checked against the lock's hashes, uv itself included.
.venv/.locked: .venv/.made requirements.lock
	@echo 'Installing the packages of requirements.lock into .venv: half a minute the first time …'
	@sed -n '/^uv==/,/[^\]$$/p' requirements.lock > .venv/uv.txt
	@$(RUN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	@$(RUN)/uv pip sync -q --python .venv/bin/python --require-hashes requirements.lock \
	    || $(RUN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@touch $@

# .venv is made anew where its Python has gone, where this folder was moved (the scripts in it hold its whole path), and
# where PYTHON names another than it was made from.
WHICH := -c 'import sys; print(sys.version, sys.base_prefix)'
HAVE := $(shell { test "$$(pwd)" = "$$(cat .venv/.made)" && .venv/bin/python $(WHICH); } 2>/dev/null)
WANT := $(if $(PYTHON),$(shell { "$(PYTHON)" $(WHICH); } 2>/dev/null),$(HAVE))
ifneq ($(or $(HAVE),none),$(WANT))
.venv/.made: anew
endif

# Debian and Ubuntu leave `ensurepip`, which venv needs, to a package of its own.
PROBE := -c 'import sys, importlib.util as u; print("%d.%d" % sys.version_info[:2], all(map(u.find_spec, ["venv", "ensurepip"])))'
.venv/.made:
	@without=; seen=; \
	for python in $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3 python); do \
	    answer=$$("$$python" $(PROBE) 2>/dev/null) || continue; \
	    case $$answer in \
	        "3.11 True" | "3.12 True" | "3.13 True") \
	            echo "Making .venv with $$python ($${answer% *}) …"; \
	            "$$python" -m venv --clear .venv && pwd > $@ && exit 0; \
	            rm -rf .venv; exit 1 ;; \
	        "3.11 False" | "3.12 False" | "3.13 False") without=$${without:-$${answer% *}} ;; \
	        *) seen="$$seen $$python is $${answer% *}." ;; \
	    esac; \
	done; \
	if [ -n "$$without" ]; then \
	    echo "Python $$without is here without venv. On Debian and Ubuntu: sudo apt-get install python$$without-venv" >&2; \
	else \
	    echo "Wirewatch needs Python 3.11, 3.12 or 3.13; $(if $(PYTHON),$(PYTHON) is not one,there is none here).$$seen" >&2; \
	    echo "On Debian and Ubuntu: sudo apt-get install python3 python3-venv; on macOS: brew install python@3.13" >&2; \
	    echo "One that lies elsewhere: make PYTHON=/path/to/python3.13 …" >&2; \
	fi; \
	exit 1
