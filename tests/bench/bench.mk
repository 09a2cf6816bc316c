# bench.mk - the benchmark's own programs; included by the main Makefile.
#
#   make bench-tools    build them into $(BUILD)/bench
#   make bench-deps     install what the driver needs beside `make deps`
#   make bench          run everything side by side (BENCH="takes flat" picks
#                       sections, BENCH_ROUNDS=5 the rounds of each)

BENCH_DIR := tests/bench
BENCH_OUT = $(BUILD)/bench
BENCH_CC = $(CC) -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Werror \
	$(SANITIZE)
BENCH_SERVER := $(wildcard $(BENCH_DIR)/server*.c)
BENCH_FLOOR := $(wildcard $(BENCH_DIR)/floor*.c)
BENCH_SDK := $(BENCH_OUT)/sdk/node_modules/.package-lock.json

.PHONY: bench bench-tools bench-deps

bench-tools: $(BENCH_OUT)/server $(BENCH_OUT)/floor $(BENCH_OUT)/rawget \
             $(BENCH_OUT)/measure $(BENCH_OUT)/keep

$(BENCH_OUT):
	@mkdir -p $@

$(BENCH_OUT)/server: $(BENCH_SERVER) $(BENCH_DIR)/server.h | $(BENCH_OUT)
	$(call say,CC,$@)
	$(Q)$(BENCH_CC) -o $@ $(BENCH_SERVER) -luv

$(BENCH_OUT)/floor: $(BENCH_FLOOR) $(BENCH_DIR)/floor.h | $(BENCH_OUT)
	$(call say,CC,$@)
	$(Q)$(BENCH_CC) -o $@ $(BENCH_FLOOR) -luv -lcurl -lcrypto -lpthread

$(BENCH_OUT)/rawget: $(BENCH_DIR)/rawget.c | $(BENCH_OUT)
	$(call say,CC,$@)
	$(Q)$(BENCH_CC) -o $@ $< -lcrypto

$(BENCH_OUT)/measure $(BENCH_OUT)/keep: $(BENCH_OUT)/%: $(BENCH_DIR)/%.c | \
		$(BENCH_OUT)
	$(call say,CC,$@)
	$(Q)$(BENCH_CC) -o $@ $<

bench-deps:
	@sh tools/deps.sh build run test bench

# The official SDK, pinned; without npm the benchmark leaves it out.
$(BENCH_SDK): $(BENCH_DIR)/sdk/package.json \
		$(BENCH_DIR)/sdk/package-lock.json
	@mkdir -p $(BENCH_OUT)/sdk
	@cp $^ $(BENCH_OUT)/sdk
	$(call say,NPM,$@)
	$(Q)cd $(BENCH_OUT)/sdk && npm ci --no-audit --no-fund

$(BENCH_OUT)/sdk/sdk.mjs: $(BENCH_DIR)/sdk/sdk.mjs
	@mkdir -p $(@D)
	@cp $< $@

bench: all bench-tools $(BENCH_OUT)/sdk/sdk.mjs
	-@$(MAKE) --no-print-directory $(BENCH_SDK)
	@lua5.4 $(BENCH_DIR)/run.lua --build $(BUILD) \
		--rounds $(or $(BENCH_ROUNDS),3) $(BENCH)
