# make demo   read the sample pages and show the result
# make test   run the tests
# make lint   check style and formatting
# make bench  measure speed and accuracy (real pages from INKBEAM_DATA or ../shared/data, else the samples)
# make fuzz   decode and segment damaged files for a long time (INKBEAM_FUZZ_EXAMPLES=20000)
# make soak   memory of a long job against a short one
# make flink-demo  the samples on a Flink cluster that is started for it, and whether the rows are those of this machine
# make test-flink  the tests that need Java and Maven
# make prism  Beam's Prism runner, for its test (needs Go); say INKBEAM_PRISM=out/prism to the tests
# make clean  remove what the others made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo flink-demo test test-flink prism lint bench fuzz soak clean

demo: $(VENV)/.installed
	@$(BIN)/python samples/demo.py

flink-demo: $(VENV)/.installed
	@$(BIN)/python -m deploy.flink.demo

# Two processes, each with whole files of tests: most of a test's time goes by on one core.
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-flink: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m flink -rs

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

prism: $(VENV)/.installed
	GOBIN=$(CURDIR)/out go install \
		github.com/apache/beam/sdks/v2/go/cmd/prism@v$$($(BIN)/python -c 'import apache_beam; print(apache_beam.__version__)')

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

fuzz: $(VENV)/.installed-dev
	INKBEAM_FUZZ_EXAMPLES=$${INKBEAM_FUZZ_EXAMPLES:-20000} $(BIN)/python -m pytest tests/segmentation/test_fuzz.py

soak: $(VENV)/.installed
	$(BIN)/python -m benchmarks.soak

clean:
	rm -rf $(VENV) out build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install -qq --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed pyproject.toml
	$(BIN)/python -m pip install -qq --editable ".[dev]"
	@touch $@
