PYTHON ?= python3
VENV ?= .venv
PY = $(VENV)/bin/python
BUILD = build/kernel-$(shell $(PY) -c 'import sys; print(sys.implementation.cache_tag)')

.PHONY: kernel
kernel:
	@$(PY) -m cmake --version >/dev/null 2>&1 && CMAKE="$(VENV)/bin/cmake"; \
	PATH="$(abspath $(VENV))/bin:$$PATH" cmake -S . -B $(BUILD) -G Ninja -DPython_EXECUTABLE="$(abspath $(PY))" >/dev/null
	@PATH="$(abspath $(VENV))/bin:$$PATH" cmake --build $(BUILD)
	@PATH="$(abspath $(VENV))/bin:$$PATH" cmake --install $(BUILD) --prefix . >/dev/null
