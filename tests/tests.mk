# How the tests are built and run; included by the Makefile.

# ---- C engines: tests/c/test_X.c with src/X.c and what it `needs:` ------

C_TESTS := $(patsubst tests/c/%.c,$(BUILD)/tests/%,$(wildcard tests/c/test_*.c))

# /* needs: a.c b.c */ at the top of a test names further files of src/.
needs = $(shell sed -n 's,.*\bneeds: \(.*\) \*/.*,\1,p' tests/$1.c)
units = $(patsubst %.c,$(BUILD)/%.o,$(notdir \
	$(wildcard src/$(patsubst test_%,%,$1).c) $(call needs,c/$1)))

define c_test
$(BUILD)/tests/$1: tests/c/$1.c $(call units,$1) $(BUILD)/flags.stamp
	$$(call say,TEST,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(COMPILE) -MMD -MP $$(LDFLAGS) -o $$@ $$(filter %.c %.o,$$^) \
		-lcmocka $$(LDLIBS)
endef
$(foreach t,$(notdir $(C_TESTS)),$(eval $(call c_test,$(t))))
-include $(C_TESTS:=.d)

# ---- a native module, built as a third party would ---------------------

NATIVE := $(patsubst tests/native/%.c,$(BUILD)/native/%.so,\
	$(wildcard tests/native/*.c))

$(BUILD)/native/%.so: tests/native/%.c include/rushes.h $(BUILD)/flags.stamp
	$(call say,SO,$@)
	@mkdir -p $(@D)
	$(Q)gcc -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -fPIC -shared \
		-Iinclude $(shell pkg-config --cflags lua5.4 libuv) $(SANITIZE) \
		-o $@ $<

# ---- programs that a test runs against ---------------------------------

FIXTURES := $(patsubst tests/fixtures/%.c,$(BUILD)/fixtures/%,\
	$(wildcard tests/fixtures/*.c))

$(BUILD)/fixtures/%: tests/fixtures/%.c $(BUILD)/flags.stamp
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)gcc -std=c11 -D_GNU_SOURCE -O2 -g $(WARN) -o $@ $< -lpthread

# ---- running -----------------------------------------------------------

native: $(NATIVE)

test-build: all crash $(C_TESTS) $(NATIVE) $(FIXTURES)

# T=task runs only the suites whose name has "task" in it.
test: test-build
	@BUILD=$(BUILD) tests/all.sh '$(T)'

test-c: $(C_TESTS)
	@BUILD=$(BUILD) tests/all.sh --c '$(T)'

test-lua: all $(NATIVE) $(FIXTURES)
	@BUILD=$(BUILD) tests/all.sh --lua '$(T)'

ASAN = BUILD=build/asan OPT="-O1 -g -fno-omit-frame-pointer" HARDEN= \
	SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
GCSTRESS = BUILD=build/gcstress OPT="-O1 -g -DRUSHES_GC_STRESS" HARDEN= \
	SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined"

asan:
	@$(MAKE) --no-print-directory $(ASAN) test

gcstress:
	@RUSHES_SLOW=1 $(MAKE) --no-print-directory $(GCSTRESS) test-lua

valgrind:
	@$(MAKE) --no-print-directory BUILD=build/valgrind \
		OPT="-O1 -g -DRUSHES_PLAIN_MALLOC" \
		test-valgrind

# Not under valgrind: it dies with a child whose execve fails (lua/proc), is itself
# /proc/self/exe (lua/signal), and is too slow for what measures time.
test-valgrind: test-build
	@BUILD=$(BUILD) RUSHES_SLOW=1 RUSHES_WRAP="valgrind -q --error-exitcode=99 \
		--leak-check=full --errors-for-leak-kinds=definite \
		--suppressions=tests/valgrind.supp" \
		RUSHES_SKIP="lua/proc lua/signal lua/provider_random" \
		tests/all.sh --c --lua '$(T)'

# The program with places to die in (src/crash.h), for the crash test; the same one
# whatever the other programs are built with.
crash:
	@$(MAKE) --no-print-directory BUILD=build/crash SANITIZE= HARDEN= \
		OPT="-O1 -g -DRUSHES_CRASH_POINTS" all

elf: all
	@sh tools/elf.sh $(BUILD)/rushes

# The stubs that editors read; the test meta_test says when one is missing.
meta: all
	$(Q)$(BUILD)/rushes run tools/meta.lua lua/meta

lint: all
	@BUILD=$(BUILD) CPPFLAGS=$(call quote,$(CPPFLAGS)) bash tools/lint.sh

-include tests/fuzz/fuzz.mk
-include tests/torture/torture.mk
-include tests/crash/crash.mk

.PHONY: meta native test test-build test-c test-lua asan gcstress valgrind test-valgrind \
	crash elf lint
