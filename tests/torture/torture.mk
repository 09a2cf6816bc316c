# `make torture`: the scripts of tests/torture with failing allocations, built
# with AddressSanitizer, TORTURE_SECONDS for each.

TORTURE_SECONDS ?= 30

torture:
	@$(MAKE) --no-print-directory $(ASAN) torture-run

# What scripts could not remove goes with the folder that they are given.
torture-run: $(BUILD)/torture
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; TMPDIR=$$tmp \
		LSAN_OPTIONS=suppressions=tests/torture/lsan.supp:print_suppressions=0 \
		ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 $(BUILD)/torture \
		$(TORTURE_SECONDS) tests/torture/empty.lua \
		$(filter-out %/empty.lua,$(sort $(wildcard tests/torture/*.lua)))

$(BUILD)/torture: tests/torture/torture.c $(OBJ) $(BUILD)/embed_index.o
	$(call say,LINK,$@)
	$(Q)$(COMPILE) -Dmain=rushes_main -Wno-missing-prototypes -c -o $(BUILD)/torture_main.o src/main.c
	$(Q)$(COMPILE) $(LDFLAGS) -Wl,--wrap=lua_newstate \
		-Wl,--wrap=luaL_loadfilex -o $@ $< \
		$(BUILD)/torture_main.o $(filter-out %/main.o,$(filter %.o,$^)) $(LDLIBS)

.PHONY: torture torture-run
