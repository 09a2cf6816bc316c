# The crash test: kill the program at its crash points, run it again, compare with the
# simulator. docs/internals/crash-test.md. SEED=2 draws other points.
SEED ?= 1
CRASH_TEST = RUSHES=$(CURDIR)/$(BUILD)/rushes RUSHES_CRASH=$(CURDIR)/build/crash/rushes \
	$(BUILD)/rushes run tests/crash.lua

crash-test: all crash
	@$(CRASH_TEST) 200 $(SEED)

# Every point that a run of the show passes.
crash-test-full: all crash
	@$(CRASH_TEST) all $(SEED)

.PHONY: crash-test crash-test-full
