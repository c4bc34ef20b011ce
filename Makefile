# Two commands: `make up` starts the whole cloud, `make test` runs every test.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
HYPERVISOR ?= libvirt
HOSTS ?=
STAMP := $(VENV)/.installed

export HYPERVISOR HOSTS PORT FLOWER_PORT REDIS_PORT API_WORKERS DATABASE_URL REDIS_URL NOVELLA_STATE_DIR

up: packages $(STAMP)  ## set everything up and start the cloud (HYPERVISOR=fake HOSTS=20 for fake hosts)
	@$(PY) -m host up

down: $(STAMP)  ## end everything; the state stays in var/
	@$(PY) -m host down

lab: packages $(STAMP)  ## a cloud of several real hosts on this machine (HOSTS=3); faults: python -m host lab cut|kill HOST
	@$(PY) -m host lab up

lab-down: $(STAMP)  ## end the lab and leave nothing of it but its state
	@$(PY) -m host lab down

status: $(STAMP)  ## each process: up since, memory; each host: guests
	@$(PY) -m host status

logs: $(STAMP)  ## follow the logs of all processes
	@$(PY) -m host logs

packages:  ## install the Debian packages that lack (root), or say which
	@host/packages.sh $(HYPERVISOR)

$(STAMP): requirements.txt host/venv.sh
	@host/venv.sh $(PYTHON) $(VENV) && touch $@

test: packages $(STAMP) lint  ## every test that CI runs
	@tests/run.sh

lint: $(STAMP)  ## ruff, mypy, import contracts
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --no-cache

tempest: $(STAMP)  ## Tempest against the running cloud (PHASE=1)
	@tests/tempest/run.sh --phase $(or $(PHASE),1)

chaos: packages $(STAMP)  ## every crash simulated by a seed, then a sample of them with real processes (SEED=3)
	@tests/chaos/run.sh

bench: $(STAMP)  ## benchmarks against a cloud of fake hosts of their own
	@$(PY) -m bench

schema: $(STAMP)  ## write the OpenAPI document to docs/openapi.json
	@$(PY) manage.py openapi > docs/openapi.json

help:  ## this text
	@grep -hE '^[a-z_-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: up down lab lab-down status logs packages test lint tempest chaos bench schema help
