# make demo    install, and see what dedup does with real text        make check   before a commit, about a minute
# make test    install what the tests need, and run them              make help    the rest
#
# VENV=DIR chooses the virtual environment, PYTHON=COMMAND the Python it is made with (3.11 or newer).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
PY = $(VENV)/bin/python
PIP = $(PY) -m pip --disable-pip-version-check -q

# The first of these that is Python 3.11 or newer.
NEW_ENOUGH = 'import sys; sys.exit(sys.version_info < (3, 11))'
FIND_PYTHON = for p in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
    if "$$p" -c $(NEW_ENOUGH) 2>/dev/null; then echo "$$p"; break; fi; done

SOURCES = pyproject.toml CMakeLists.txt $(shell find dedup -name '*.py' -o -name '*.hpp' -o -name '*.cpp' -o -name '*.bin' \
    -o -name '*.js' -o -name '*.css')
TAG = $$($(PY) -c 'import sys; print(sys.implementation.cache_tag)')
# cmake and ninja of the environment, if it has them.
WITH_VENV = PATH="$(abspath $(VENV))/bin:$$PATH"

NO_KERNEL = "The fast kernel could not be built; the plain Python twin is used (same results, much slower)." \
    "For the fast one: sudo apt-get install g++ python3-dev, then: rm -f $(VENV)/.installed, and make again."

# A worker takes tests that lie together, so that what a module sets up is made once.
WORKERS = -n auto --dist worksteal

.PHONY: help demo install dev test check lint types schema docs kernel test-sanitize test-soak bench clean
.PHONY: bench-peers benchmarks-page bench-spark scale-page

help:
	@sed -n '1,4s/^# \{0,1\}//p' Makefile
	@echo 'make kernel         build the compiled kernel into the checkout (seconds)'
	@echo 'make lint types     ruff; mypy --strict'
	@echo 'make test-sanitize  the kernel under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make test-soak      many more examples and the slowest tests'
	@echo 'make bench          speed, memory and recall'
	@echo 'make bench-peers    the same beside other tools, which it installs from the package index (SIZES, REPEATS, RESULT)'
	@echo 'make bench-spark    on Spark: beside one machine and a job written by hand; 2 GB takes 15 minutes (SPARK_SIZES, MASTER)'
	@echo 'make viewer         rebuild the viewer of report.html (Node.js; its bundle is committed)'
	@echo 'make schema         write docs/schema/ from the model'
	@echo 'make docs           the documentation as a site, in build/site/html'
	@echo 'make clean          remove what was built (not the virtual environment)'

$(VENV)/bin/python:
	@python=$$($(FIND_PYTHON)); scripts/system_packages venv "$${python:-python3}"; python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo 'Python 3.11 or newer is needed; say where it is: make PYTHON=...'; exit 1; fi; \
	echo "making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# A user's installation: the built package. Where `make dev` has installed the checkout itself, that is used.
HAS_KERNEL = $(PY) -P -c 'import dedup.kernel._kernel' 2>/dev/null
install: $(VENV)/.installed
	@$(HAS_KERNEL) || printf '%s\n' $(NO_KERNEL)
$(VENV)/.installed: $(VENV)/bin/python $(SOURCES) README.md
	@if [ ! -e $(VENV)/.dev ]; then echo "installing dedup (compiles the kernel: a minute or two)"; $(PIP) install .; fi
	@touch $@

# A developer's installation: the checkout itself, with what the tests and checks need.
dev: $(VENV)/.dev
$(VENV)/.dev: $(VENV)/bin/python pyproject.toml
	@scripts/system_packages kernel $(PY)
	@echo "installing what the tests need"
	@$(PIP) install -e '.[test]'
	@touch $@

# Licence files: many near-duplicates, and every machine has them. What `install` has said the scans need not say again.
demo: install
	@$(HAS_KERNEL) || export DEDUP_KERNEL=reference; \
	echo; echo "== dedup scan examples/news.txt"; echo; \
	$(VENV)/bin/dedup scan examples/news.txt; \
	echo; echo "== dedup scan: the licence files of the packages in $(VENV)"; echo; \
	dedup="$(abspath $(VENV))/bin/dedup"; cd $(VENV)/lib/python*/site-packages; \
	"$$dedup" scan *.dist-info --top 3 --include 'LICEN[CS]E*' --include 'COPYING*' --include 'NOTICE*'; \
	echo; echo "== now yours: $(VENV)/bin/dedup scan FILE-OR-FOLDER   (or first: . $(VENV)/bin/activate)"

kernel: $(VENV)/bin/python
	@mkdir -p build
	@build=build/kernel-$(TAG); $(WITH_VENV); export PATH; \
	{ cmake -S . -B $$build $$(command -v ninja >/dev/null && echo -G Ninja) -DPython_EXECUTABLE="$(abspath $(PY))" \
	  && cmake --build $$build --parallel && cmake --install $$build --prefix .; } >build/kernel.log 2>&1 \
	|| { grep -E 'error|Error' build/kernel.log | head -20; echo "see build/kernel.log"; exit 1; }; \
	grep -E 'warning:' build/kernel.log || true

.PHONY: kernel-if-possible
kernel-if-possible: $(VENV)/.dev
	@$(MAKE) --no-print-directory kernel >/dev/null 2>&1 || printf '%s\n' $(NO_KERNEL)

test: $(VENV)/.dev kernel-if-possible viewer-tools-if-possible
	@scripts/system_packages redis $(PY)
	@scripts/system_packages java $(PY)
	$(PY) -m pytest -q $(WORKERS) -m "not soak"

check: $(VENV)/.dev kernel-if-possible
	@$(MAKE) --no-print-directory lint types
	$(PY) -m pytest -q $(WORKERS) -m "not slow and not soak"

lint: $(VENV)/.dev
	$(PY) -m ruff check dedup tests scripts benchmarks

types: $(VENV)/.dev
	$(PY) -m mypy --strict dedup/

# docs/schema/ from the model.
schema: $(VENV)/.dev
	$(PY) scripts/make_schema.py

# The documentation as a site in build/site/html: no warning is let pass, no link and no anchor that leads nowhere.
docs: $(VENV)/.dev
	$(PY) scripts/make_site.py build/site/source
	$(PY) -m zensical build --strict --clean -f zensical.toml

# A copy of the package with a kernel that watches every access. The interpreter loads the sanitisers' libraries first, and
# no .pth file (-S), which would lead back to the checkout.
SANITIZED = build/sanitized
test-sanitize: $(VENV)/.dev
	@mkdir -p $(SANITIZED)/tree && rm -rf $(SANITIZED)/tree/dedup && cp -r dedup $(SANITIZED)/tree/ \
	    && rm -f $(SANITIZED)/tree/dedup/kernel/*.so
	@$(WITH_VENV); export PATH; cmake -S . -B $(SANITIZED)/build -G Ninja -DPython_EXECUTABLE="$(abspath $(PY))" \
	    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DDEDUP_SANITIZE=ON -DDEDUP_WERROR=ON >/dev/null \
	    && cmake --build $(SANITIZED)/build && cmake --install $(SANITIZED)/build --prefix $(SANITIZED)/tree >/dev/null
	LD_PRELOAD="$$(c++ -print-file-name=libasan.so) $$(c++ -print-file-name=libubsan.so) $$(c++ -print-file-name=libstdc++.so)" \
	ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
	DEDUP_KERNEL=native PYTHONMALLOC=malloc \
	PYTHONPATH="$(SANITIZED)/tree:$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("platlib"))')" \
	$(PY) -S -P -m pytest -q -o pythonpath= -p no:cacheprovider -p no:xdist \
	    tests/unit/test_kernel.py tests/unit/test_tokens.py tests/unit/test_split_lines.py \
	    tests/properties/test_hostile_arrays.py tests/properties/test_what_counts_is_found.py \
	    $(wildcard tests/properties/test_*equal*.py)

test-soak: $(VENV)/.dev kernel-if-possible
	@scripts/system_packages redis $(PY)
	@scripts/system_packages java $(PY)
	DEDUP_HYPOTHESIS=soak $(PY) -m pytest -q $(WORKERS)

# The viewer of report.html. Only who changes it needs Node.js: the bundle is committed, and tests hold it equal to its sources.
.PHONY: viewer viewer-tools-if-possible
viewer: viewer/node_modules/.installed
	cd viewer && npm test --silent && npm run build --silent

viewer/node_modules/.installed: viewer/package-lock.json
	cd viewer && npm ci --silent
	@touch $@

# What the tests of the viewer need: its tools, and a browser.
viewer-tools-if-possible: $(VENV)/.dev
	@scripts/system_packages browser $(PY)
	@if ! command -v npm >/dev/null; then echo 'Node.js is not there: the viewer is tested as it was built, not built again.'; \
	elif [ viewer/node_modules/.installed -ot viewer/package-lock.json ]; then \
	    $(MAKE) --no-print-directory viewer/node_modules/.installed >/dev/null 2>&1 \
	    || echo 'npm could not install the tools of the viewer: it is tested as it was built, not built again.'; fi

bench: $(VENV)/.dev kernel-if-possible
	$(PY) -m benchmarks

# Our tool beside its peers, which have an environment of their own. 2 GB (ours and daft, once): SIZES="20MB 200MB 2GB".
PEERS = build/peers-venv
SIZES ?= 20MB 200MB
REPEATS ?= 5
PAGES ?= 1000000
RESULT ?= build/bench/peers.json
bench-peers: $(VENV)/.dev kernel-if-possible $(PEERS)/.installed
	$(PY) -m benchmarks.peers --peers $(PEERS)/bin/python --sizes $(SIZES) --repeats $(REPEATS) --pages $(PAGES) --json $(RESULT)

# docs/benchmarks.md from the result that is committed.
benchmarks-page: $(VENV)/.dev
	$(PY) -m benchmarks.peers.page benchmarks/results/peers.json -o docs/benchmarks.md

# On Spark: what docs/scale.md shows, and the page.
SPARK_SIZES ?= 20MB 200MB 2GB
MASTER ?= local-cluster[2,1,4096]
SPARK_RESULT = benchmarks/results/spark.json
bench-spark: $(VENV)/.dev kernel-if-possible
	@scripts/system_packages java $(PY)
	$(PY) -m benchmarks.spark --bytes $(SPARK_SIZES) --master '$(MASTER)' -o $(SPARK_RESULT)
	$(PY) -m benchmarks.spark --bytes 200MB --master '$(MASTER)' --skew -o $(SPARK_RESULT)
	@$(MAKE) --no-print-directory scale-page

# docs/scale.md from the result that is committed.
scale-page: $(VENV)/.dev
	$(PY) -m benchmarks.spark.page $(SPARK_RESULT) -o docs/scale.md

$(PEERS)/.installed: benchmarks/peers/requirements.txt benchmarks/peers/install.py
	@mkdir -p build; $(PY) -m venv --clear $(PEERS)
	@echo "installing the peers into $(PEERS)"; $(PEERS)/bin/python benchmarks/peers/install.py $<
	@touch $@

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find dedup tests benchmarks scripts \( -name __pycache__ -o -name '*.so' \) -prune -exec rm -rf {} +
