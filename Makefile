# make env | demo | test | test-full | test-mutants | browser. Needs Python 3.11+, git and make.
PYTHON ?= python3
TORCH ?= torch==2.13.0
BIN := .venv/bin
# A process a core, of one thread each: most tests are too small to gain from threads.
FAST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not full" -n auto --maxprocesses 8 --dist worksteal
STAMP := .venv/.installed-$(shell echo '$(TORCH)' | tr -c 'A-Za-z0-9.\n' '_')

.PHONY: env demo test fast test-full test-mutants browser lint clean

env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"
	sed 's/^torch==.*/$(subst /,\/,$(TORCH))/' constraints.txt > .venv/constraints.txt
	$(BIN)/python -m pip install --quiet -c .venv/constraints.txt "$(TORCH)"
	$(BIN)/python -m pip install --quiet -c .venv/constraints.txt -e '.[datasets,examples,hub,media,medicine,onnx,peers,oracles,photographs,pretrained,speech,tensorboard,tiff,dev]'
	touch $@

demo: env
	$(BIN)/modaloom demo

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The type checker uses one core: the tests run beside it.
test: env
	$(MAKE) --jobs=2 lint fast

fast: env
	$(FAST)

test-full: test
	$(BIN)/python -m pytest -m full

test-mutants: env
	$(BIN)/python tests/mutants/run.py

# The report in a real browser. Installs Debian's chromium (as root) and playwright.
browser: env
	command -v chromium || { apt-get update && apt-get install -y --no-install-recommends chromium; }
	$(BIN)/python -m pip install --quiet -c .venv/constraints.txt -e '.[browser]'
	$(BIN)/python -m pytest tests/report/test_report_browser.py

clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache
