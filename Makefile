# Two commands do everything on a fresh machine: `make demo` and `make test`.
ENGINES := openssh-server openssh-client haproxy docker.io debootstrap docker-registry iproute2 redis-server
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test stories check bench campaign-kills campaign-checks scale lock reference screenshots browser engines clean

demo: $(READY)
	$(BIN)/python -m deployments.demo

PARALLEL := -n 2 --dist loadfile

# Where stories are: collecting all tests takes a while.
STORIES := tests/flows tests/deployments

test: engines check browser
	$(BIN)/pytest $(PARALLEL) -m "(story or browser) and not customers and not long" $(STORIES)
	$(BIN)/pytest -m "customers and not long" tests/flows

# Slow: the other stories; fleets, containers, deaths of executors, restores, freezes.
stories: engines browser $(READY)
	$(BIN)/pytest $(PARALLEL) -m "long and not customers"
	$(BIN)/pytest -m "long and customers"

# Fast: format, lint, types, the direction of imports, tests without the long stories.
check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(PARALLEL) -m "not story and not browser and not long" --doctest-modules domain \
	  blocks/hosts/agent tests

# The UI's tests need Chromium, which root can have from Debian.
browser:
	command -v chromium || [ "$$(id -u)" != 0 ] || \
	  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }

# The servers that tests deploy to, from Debian; none of them is started by being installed.
engines:
	[ "$$(id -u)" != 0 ] || dpkg -s $(ENGINES) >/dev/null 2>&1 || \
	  { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends $(ENGINES); }

# Slow: an executor killed at every single write of the ledger.
campaign-kills: engines $(READY)
	TRADEWIND_KILL_EVERY=1 $(BIN)/pytest -m customers tests/flows/test_kill_sweep.py

# Slow: several hundred simulated shops, with and without a guilty release, judged.
campaign-checks: $(READY)
	$(BIN)/python -m tests.campaigns.checks

# Slow: the demo on two servers and two workers; one of each is killed on the way.
scale: engines $(READY)
	$(BIN)/python -m tests.campaigns.scale

# docs/reference, made from the code; a test fails where it is out of date.
reference: $(READY)
	$(BIN)/python -m deployments.reference

# docs/pictures, taken of a sample shop on a real stack.
screenshots: browser $(READY)
	$(BIN)/python -m tests.screenshots

bench: $(READY) engines
	$(BIN)/python -m tests.bench

lock: $(READY)
	$(BIN)/uv pip compile --universal --python-version 3.11 --quiet --no-emit-index-url --generate-hashes \
	  --extra dev --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock

$(READY): requirements.lock pyproject.toml deployments/install.sh
	PYTHON=$(PYTHON) sh deployments/install.sh $(VENV)
	touch $@

clean:
	rm -rf $(VENV) .tradewind
