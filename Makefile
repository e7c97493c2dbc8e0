# Commands of the course. `make` alone lists them. Every path here is relative: the folder's name may hold spaces.
#   ARGS="..."          extra arguments for lab, site, test, demo, notebooks, claims, bench
#   TORCH=cpu           PyTorch's CPU build (about 0.2 GB instead of several GB on Linux)
#   PYTHON=python3.12   the Python to make .venv with

.DEFAULT_GOAL := help
.PHONY: help setup extras lab site test test-slow test-all demo notebooks claims bench lint format types javascript clean
.NOTPARALLEL:

TORCH ?=
PYTHON ?=
ARGS ?=
export TORCH PYTHON

RUN := .venv/bin/python
# loadscope keeps the cells of one notebook on one worker, in order.
PYTEST := $(RUN) -m pytest -n 2 --dist loadscope --durations=15

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: ## make .venv with everything at the tested versions (TORCH=cpu: small PyTorch)
	@sh tools/setup.sh

extras: setup ## add LunarLander, MuJoCo, TRL, and what `make bench` compares with
	$(RUN) -m pip install --quiet -c constraints.txt -e ".[bench,box2d,language,mujoco]"

lab: setup ## open the course in JupyterLab, in a folder of your own (ARGS="--no-browser --port=8899")
	.venv/bin/pgcourse lab $(ARGS)

site: setup node_modules ## build the published site into build/site (needs npm)
	$(RUN) -m pip install --quiet -c constraints.txt -e ".[site]"
	$(RUN) -m tools.site $(ARGS)

test: setup ## run the tests, notebooks included (about ten minutes on two cores)
	$(PYTEST) $(ARGS)

test-slow: setup ## run only the slow suites
	$(PYTEST) -m slow $(ARGS)

test-all: test test-slow ## run the tests, then the slow suites

demo: setup ## train an agent in seconds and see it act: build/demo/agent.gif
	.venv/bin/pgcourse demo --out build/demo $(ARGS)

notebooks: setup ## build notebooks/, exercises/ and solutions/ from course/
	$(RUN) -m tools.builder $(ARGS)

claims: setup ## measure the numbers that the lessons quote
	$(RUN) -m tools.claims $(ARGS)

bench: setup ## compare speed with other libraries
	$(RUN) -m tools.bench $(ARGS)

lint: setup ## check style and format
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: setup ## put the code in the project's format
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

types: setup ## check types
	$(RUN) -m mypy pgcourse

javascript: node_modules ## check types and style of what runs in the page (needs npm)
	npx --no-install tsc --project jsconfig.json
	npx --no-install eslint pgcourse site tools

node_modules: package.json package-lock.json
	npm ci --no-fund --no-audit
	@touch node_modules

clean: ## remove .venv and all else that these commands made, but nothing of yours: pgcourse-work/ stays
	rm -rf .venv node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov build dist
	find pgcourse tools tests -name __pycache__ -type d -prune -exec rm -rf {} +
