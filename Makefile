# rushes. Two lines do everything on a fresh Debian: `make deps demo` and
# `make deps test`. `make help` lists the rest; `make V=1` shows the commands.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CC = gcc
VERSION := 0.1.0
SHELL := /bin/bash

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

ifeq ($(V),1)
say = @:
Q =
else
say = @printf '%-6s %s\n' '$1' '$2'
Q = @
endif

# ---- what a newcomer types ---------------------------------------------

# `make deps demo` gets by without what only the tests need.
deps:
	@sh tools/deps.sh build run $(if $(filter demo,$(MAKECMDGOALS)),,test)

deps-dev:
	@sh tools/deps.sh build run test dev

# The rest of this file asks pkg-config at once, so on a fresh machine other
# goals beside `deps` are for a make of their own, after it.
DEPS := $(filter deps deps-dev,$(MAKECMDGOALS))
REST := $(filter-out deps deps-dev,$(MAKECMDGOALS))
ifneq ($(and $(DEPS),$(REST)),)
.NOTPARALLEL:
$(REST): $(DEPS)
	@$(MAKE) --no-print-directory $@
else

# ---- flags -------------------------------------------------------------

PKGS = lua5.4 libuv libcrypto libcurl libmicrohttpd sqlite3
WARN = -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Werror
HARDEN = -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-D_FORTIFY_SOURCE=2
OPT ?= -O2 -g
SANITIZE ?=
override CPPFLAGS += -D_GNU_SOURCE -DRUSHES_VERSION='"$(VERSION)"' -Iinclude \
	-Isrc $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
override CFLAGS += -std=c11 $(OPT) $(WARN) -fPIE -fvisibility=hidden
LIBDIR := $(shell pkg-config --variable=libdir lua5.4 2>/dev/null)
# Lua and cjson are linked in, Lua whole, so that native modules find its API;
# libcurl, libmicrohttpd and SQLite are loaded at first use (src/lazy.h).
LDLIBS = -Wl,--whole-archive $(LIBDIR)/liblua5.4.a -Wl,--no-whole-archive \
	$(LIBDIR)/liblua5.4-cjson.a -luv -lcrypto -lm -ldl -lpthread
override LDFLAGS += -pie -rdynamic -Wl,-z,relro,-z,now,-z,noexecstack \
	-Wl,--as-needed

COMPILE = $(CC) $(CPPFLAGS) $(CFLAGS) $(HARDEN) $(SANITIZE)
LINK = $(CC) $(LDFLAGS) $(SANITIZE)

# ---- the binary --------------------------------------------------------

SRC := $(sort $(wildcard src/*.c))
OBJ := $(SRC:src/%.c=$(BUILD)/%.o)
LUA := $(shell find lua -name '*.lua' -not -path 'lua/meta/*' | LC_ALL=C sort)
ARGPARSE := $(firstword $(wildcard /usr/share/lua/5.4/argparse.lua))

# lua/rushes/studio/show.lua is required as rushes.studio.show; the list is
# sorted by that name, because the binary looks names up by bisection.
MODULES := $(shell printf '%s\n' $(LUA) argparse=$(ARGPARSE) | sed -E \
	'/=/!{s,^lua/(.*)\.lua$$,\1=&,;h;s/=.*//;s,/init$$,,;s,/,.,g;G;s/\n[^=]*//;}' \
	| LC_ALL=C sort -t= -k1,1)

all: $(BUILD)/rushes

# What was built with other flags, or from another list of files, is stale:
# these stamps change only when their text does.
stamp = @mkdir -p $(@D); printf '%s\n' $(call quote,$1) | cmp -s - $@ || \
	printf '%s\n' $(call quote,$1) >$@
quote = '$(subst ','\'',$1)'

$(BUILD)/flags.stamp: FORCE
	$(call stamp,$(COMPILE) $(LINK) $(LDLIBS))

$(BUILD)/modules.stamp: FORCE
	$(call stamp,$(MODULES))

$(BUILD)/rushes: $(OBJ) $(BUILD)/embed_index.o
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(LDLIBS)

$(BUILD)/%.o: src/%.c $(BUILD)/flags.stamp
	$(call say,CC,$@)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/embed: tools/embed.c $(BUILD)/flags.stamp
	$(call say,CC,$@)
	$(Q)gcc $(CPPFLAGS) -std=c11 -O1 $(WARN) -o $@ $< $(LIBDIR)/liblua5.4.a -lm -ldl

$(BUILD)/embed_index.c $(BUILD)/embed.blob &: $(BUILD)/embed $(LUA) \
		$(ARGPARSE) $(BUILD)/modules.stamp
	$(call say,LUA,$(BUILD)/embed.blob)
	$(if $(ARGPARSE),,$(error argparse.lua is missing: run 'make deps'))
	$(Q)$(BUILD)/embed $(BUILD)/embed.blob $(BUILD)/embed_index.c $(MODULES)

$(BUILD)/embed_index.o: $(BUILD)/embed_index.c $(BUILD)/embed.blob
	$(call say,CC,$@)
	$(Q)gcc $(CPPFLAGS) -std=c11 -O0 -fPIE -c -o $@ $<

-include $(OBJ:.o=.d)

# ---- other goals -------------------------------------------------------

demo: all
	@cd scripts && ../$(BUILD)/rushes run --sim narrative.lua

install: all
	$(call say,INST,$(DESTDIR)$(PREFIX))
	@BUILD=$(BUILD) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) sh tools/install.sh

clean:
	rm -rf build

help:
	@sed -n 's/^#? //p' Makefile

#? make            build/rushes (V=1 shows commands; OPT="-O0 -g" to debug)
#? make deps       install the Debian packages that the rest needs (root or sudo)
#? make demo       three scenes on the built-in simulator: scripts/narrative.lua
#? make test       every suite: C, Lua, end to end, official clients (T=name: one)
#? make lint       layers, warnings, luacheck, clang-tidy, clang-format
#? make asan       the suites under AddressSanitizer and UBSan
#? make valgrind   the C and Lua suites under valgrind
#? make gcstress   the suites with a garbage collection at every operation
#? make torture    scripts with the n-th allocation failing, n = 1 ...
#? make crash-test kill it at 200 places and compare: docs/internals/crash-test.md
#? make crash      build/crash/rushes, which a test can let die anywhere
#? make fuzz       libFuzzer for FUZZ_SECONDS each (default 20)
#? make bench      see tests/bench
#? make elf        check that the binary is hardened and small
#? make install    to DESTDIR and PREFIX (default /usr/local)
#? make deps-dev   also the packages for lint, valgrind and fuzz
#? make clean      remove build/

# ---- tests -------------------------------------------------------------

include tests/tests.mk
-include tests/bench/bench.mk

FORCE:
endif
.PHONY: all deps deps-dev demo install clean help FORCE
