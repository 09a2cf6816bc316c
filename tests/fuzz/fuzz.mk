# libFuzzer, bounded: `make fuzz` runs each target for FUZZ_SECONDS. What it finds
# is left as build/fuzz/crash-*; run the target with that file to see it again.

FUZZ_SECONDS ?= 20
FUZZ = BUILD=build/fuzz CC=clang OPT="-O1 -g" HARDEN= \
	SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
FUZZ_LUA := json template provider journal
FUZZ_C := $(patsubst tests/fuzz/fuzz_%.c,%,$(filter-out %/fuzz_lua.c,\
	$(wildcard tests/fuzz/fuzz_*.c)))

fuzz:
	@command -v clang >/dev/null || { echo "clang is missing: make deps-dev"; exit 1; }
	@$(MAKE) --no-print-directory $(FUZZ) fuzz-run

fuzz-run: $(FUZZ_LUA:%=$(BUILD)/fuzz_%) $(FUZZ_C:%=$(BUILD)/fuzz_%)
	@BUILD=$(BUILD) SECONDS_EACH=$(FUZZ_SECONDS) \
		bash tests/fuzz/run.sh $(FUZZ_LUA) $(FUZZ_C)

$(FUZZ_LUA:%=$(BUILD)/fuzz_%): $(BUILD)/fuzz_%: tests/fuzz/fuzz_lua.c \
		$(filter-out $(BUILD)/main.o,$(OBJ)) $(BUILD)/embed_index.o
	$(call say,FUZZ,$@)
	$(Q)$(COMPILE) -fsanitize=fuzzer -DFUZZ_TARGET='"$*"' $(LDFLAGS) -o $@ \
		$(filter %.c %.o,$^) $(LDLIBS)

# /* needs: a.c b.c */ names the files of src/ that a target is about.
define fuzz_c
$(BUILD)/fuzz_$1: tests/fuzz/fuzz_$1.c $(patsubst %.c,$(BUILD)/%.o,\
		$(call needs,fuzz/fuzz_$1))
	$$(call say,FUZZ,$$@)
	$$(Q)$$(COMPILE) -fsanitize=fuzzer -o $$@ $$(filter %.c %.o,$$^) $$(LDFLAGS) $$(LDLIBS)
endef
$(foreach t,$(FUZZ_C),$(eval $(call fuzz_c,$(t))))

.PHONY: fuzz fuzz-run
