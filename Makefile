# Every target is one call of run.py, which works without make too. Arguments: make run ARGS=--once
PYTHON ?= python3
.PHONY: run test check fix bench chaos judges conform-live lock

run:
	@$(PYTHON) run.py run $(ARGS)
test:
	@$(PYTHON) run.py test $(ARGS)
check:
	@$(PYTHON) run.py check $(ARGS)
fix:
	@$(PYTHON) run.py fix $(ARGS)
bench:
	@$(PYTHON) run.py bench $(ARGS)
chaos:
	@$(PYTHON) run.py chaos $(ARGS)
judges:
	@$(PYTHON) run.py judges $(ARGS)
conform-live:
	@$(PYTHON) run.py conform-live $(ARGS)
lock:
	@$(PYTHON) run.py lock $(ARGS)
