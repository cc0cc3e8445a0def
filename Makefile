# The few commands of this project. All work on a machine with nothing but Python >= 3.11.
# Which Python makes the environments, such as: make demo PYTHON=python3.13. By default that of .venv, else python3.
PYTHON ?=
# More for `oracode up`, such as: make run ARGS="--web-port 8080"
ARGS ?=
# Tests wait for processes half of the time.
TESTERS ?= $(shell $(BIN)/python -c "import os; print(os.cpu_count() * 2)")
BIN := .venv/bin
PYTEST_OPTIONS = -n $(TESTERS) --dist loadfile --no-loadscope-reorder
MAKE_VENV = @GOAL='$(or $(firstword $(MAKECMDGOALS)),demo)' PYTHON='$(PYTHON)' sh deploy/local/make_venv.sh

.PHONY: demo run setup setup-dev setup-docs setup-sdk setup-contracts setup-audit setup-peers test coverage faults bench fuzz lint types imports docs audit sbom \
	release-check install-check failover-check image-check lock clean

demo: setup
	$(BIN)/oracode up --demo $(ARGS)

run: setup
	$(BIN)/oracode up $(ARGS)

setup:
	$(MAKE_VENV) .venv requirements.txt --project

# What the tests need besides. No environment needs another: `make -j3 setup-dev` makes them side by side.
setup-dev: setup setup-docs setup-sdk
	$(MAKE_VENV) .venv requirements.txt requirements-dev.txt --project

# Seam's own SDK pins svix < 2 and so needs an environment of its own; a test drives the sandbox with it.
setup-sdk:
	$(MAKE_VENV) .venv-sdk requirements-sdk.txt

# The site's generator is kept apart from what runs.
setup-docs:
	$(MAKE_VENV) .venv-docs requirements-docs.txt

# The auditors' own dependencies are kept apart from what they judge.
setup-audit:
	$(MAKE_VENV) .venv-audit requirements-audit.txt

# The parser that judges docs/asyncapi.yaml. Without Node, or its registry, that test is skipped, and says so.
setup-contracts: tests/contracts/node/node_modules/.installed

# What others would build, to be measured beside us; and matplotlib, which draws. Without Node its peer is left out, and
# the benchmark says so.
setup-peers: setup bench/peers/node/node_modules/.installed
	$(MAKE_VENV) .venv-peers bench/requirements-peers.txt

test: setup-dev setup-contracts lint types imports
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

# The same tests, and which lines they ran. Measuring takes more than twice the processor's time on Python 3.11.
coverage: setup-dev
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest $(PYTEST_OPTIONS)
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

# Minutes long: 500 bookings on 50 doors and thousands of webhooks, everything killed at random, a Seam that fails after
# the effect; once with Redis as the broker, once with RabbitMQ. Then the primary of several data servers is lost;
# as root also on three hosts that are apart for the network, with a clock that is wrong.
faults: setup-dev
	$(BIN)/python -m tests.faults.fault_run $(ARGS)
	$(BIN)/python -m tests.faults.fault_run --broker rabbitmq $(ARGS)
	$(BIN)/python -m tests.faults.failing_over
	$(BIN)/python -m tests.faults.three_hosts

# Hours of attacks where a test makes minutes: every fuzz test with FUZZ_TIMES as many examples.
FUZZ_TIMES ?= 50
fuzz: setup-dev
	FUZZ_TIMES=$(FUZZ_TIMES) $(BIN)/python -m pytest tests/receiver/test_fuzz.py tests/receiver/test_hostile_connections.py \
		tests/worker/test_seam_fuzz.py tests/worker/test_stream_fuzz.py tests/worker/test_stateful.py --hypothesis-show-statistics $(ARGS)

# Under 25 minutes, on a machine that does nothing else; ARGS="--quick", "--only receiver", "--profile".
bench: setup-dev setup-peers
	$(BIN)/python -m bench $(ARGS)

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/mypy

imports: setup-dev
	$(BIN)/lint-imports
	$(BIN)/deptry .

# The documentation as a site, in .site/html. Every link in it is checked, and nothing in it comes from elsewhere.
docs: setup setup-docs
	$(BIN)/python -m deploy.website $(ARGS)

# Known vulnerabilities of what is pinned. Asks the advisory service; where that gives no answer it fails and says so.
audit: setup-audit
	@.venv-audit/bin/python -m deploy.release.audit .venv-audit/bin/pip-audit requirements.txt requirements-dev.txt requirements-sdk.txt \
		requirements-docs.txt requirements-audit.txt

# What is deployed, as CycloneDX: from the pins, so it is the same on every machine and holds no path.
SBOM ?= sbom.json
sbom: setup-audit
	.venv-audit/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file $(SBOM)

# All that is checked before a release is tagged: one version everywhere; wheel, lock, SBOM and their hashes in dist/; and that they
# can be installed and run in an empty environment. ARGS="--tag v0.2.0" compares with a tag.
release-check: setup sbom
	$(BIN)/python -m deploy.release --sbom $(SBOM) $(ARGS)

# What docs/deploy.md says of systemd, done on a bare machine: namespaces over this one's disk, with a systemd of their own. Needs root,
# Debian or its kin, apt and pip. It changes nothing here, checks what is committed, and says what it doesn't check.
install-check: setup
	$(BIN)/python -m deploy.install_check

# The same for docs/failover.md: three bare machines, and the primary's dies while bookings come.
failover-check: setup
	$(BIN)/python -m deploy.install_check.failover

# The image, built for real by buildah, and its processes run. ARGS go to `buildah bud`. Needs root; says what it doesn't check.
image-check: setup
	$(BIN)/python -m deploy.install_check.image $(ARGS)

# Exact versions with hashes, from the lower bounds of pyproject.toml; they stay as they are where they fit.
# ARGS=--upgrade, or ARGS="--upgrade-package httpx", takes newer ones. Needs uv; names no registry.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links $(ARGS)
lock:
	@command -v uv > /dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	$(COMPILE) pyproject.toml --group build -o requirements.txt
	$(COMPILE) pyproject.toml --group build --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --group sdk -o requirements-sdk.txt
	$(COMPILE) --group audit -o requirements-audit.txt
	$(COMPILE) --group docs -o requirements-docs.txt
	$(COMPILE) bench/requirements-peers.in -c requirements.txt -o bench/requirements-peers.txt

clean:
	rm -rf .venv .venv-sdk .venv-docs .venv-audit .venv-peers bench/peers/node/node_modules tests/contracts/node/node_modules .bench .site dist sbom.json .oracode .coverage* \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis

bench/peers/node/node_modules/.installed: bench/peers/node/package-lock.json
	@if command -v npm > /dev/null; then cd bench/peers/node && npm ci --ignore-scripts --loglevel=error; \
	else echo "npm is missing: the Node peer will be SKIPPED"; mkdir -p bench/peers/node/node_modules; fi
	touch $@

tests/contracts/node/node_modules/.installed: tests/contracts/node/package-lock.json
	@if ! command -v npm > /dev/null; then echo "npm is missing: docs/asyncapi.yaml won't be judged by its parser"; \
	elif cd tests/contracts/node && npm ci --ignore-scripts --loglevel=error; then touch node_modules/.installed; \
	else echo "npm can't install the parser of docs/asyncapi.yaml (see above): it won't be judged"; rm -rf node_modules; fi
