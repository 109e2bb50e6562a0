# Every target is one call of run.py, which works without make too. Arguments: make run ARGS=--once
PYTHON ?= python3
.PHONY: run test check fix bench lock

run test check fix bench lock:
	@$(PYTHON) run.py $@ $(ARGS)
