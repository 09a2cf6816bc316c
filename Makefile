# rushes. Two commands do everything on a fresh Debian: make deps demo, make deps test.
# See `make help`.

BUILD ?= build
PREFIX ?= /usr/local
CC = gcc
VERSION := 0.1.0

# ---- flags -------------------------------------------------------------

PKGS = lua5.4 libuv libcrypto
WARN = -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
OPT ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -DRUSHES_VERSION='"$(VERSION)"' -Iinclude -Isrc \
	$(shell pkg-config --cflags $(PKGS) libcurl libmicrohttpd)
CFLAGS += -std=c11 $(OPT) $(WARN) -fvisibility=hidden
LIBDIR := $(shell pkg-config --variable=libdir lua5.4)
# Lua and cjson are linked in, Lua whole, so that native modules find its API;
# libcurl and libmicrohttpd are loaded at first use (src/lazy.h).
LDLIBS = -Wl,--whole-archive $(LIBDIR)/liblua5.4.a -Wl,--no-whole-archive \
	$(LIBDIR)/liblua5.4-cjson.a -luv -lcrypto -lm -ldl -lpthread
LDFLAGS += -pie -rdynamic -Wl,-z,relro,-z,now -Wl,--as-needed

# ---- the binary --------------------------------------------------------

SRC := $(sort $(wildcard src/*.c))
OBJ := $(SRC:src/%.c=$(BUILD)/%.o)
LUA := $(shell find lua -name '*.lua' -not -path 'lua/meta/*' | LC_ALL=C sort)
ARGPARSE := $(firstword $(wildcard /usr/share/lua/5.4/argparse.lua))

.DEFAULT_GOAL := all
all: $(BUILD)/rushes

$(BUILD)/rushes: $(OBJ) $(BUILD)/embed_index.o
	$(CC) $(LDFLAGS) $(SANITIZE) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: src/%.c | $(BUILD)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDEN) $(SANITIZE) -MMD -MP -c -o $@ $<

$(BUILD)/embed: tools/embed.c | $(BUILD)
	$(CC) $(CPPFLAGS) -std=c11 -O1 $(WARN) -o $@ $< $(LIBDIR)/liblua5.4.a -lm -ldl

# lua/rushes/studio/show.lua is required as rushes.studio.show; the list is
# sorted by that name, because the binary looks names up by bisection.
MODULES := $(shell printf '%s\n' $(LUA) argparse=$(ARGPARSE) | sed -E \
	'/=/!{s,^lua/(.*)\.lua$$,\1=&,;h;s/=.*//;s,/init$$,,;s,/,.,g;G;s/\n[^=]*//;}' | LC_ALL=C sort -t= -k1,1)

$(BUILD)/embed_index.c $(BUILD)/embed.blob &: $(BUILD)/embed $(LUA) $(ARGPARSE)
	$(BUILD)/embed $(BUILD)/embed.blob $(BUILD)/embed_index.c $(MODULES)

$(BUILD)/embed_index.o: $(BUILD)/embed_index.c $(BUILD)/embed.blob
	$(CC) $(CPPFLAGS) -std=c11 -O0 -fPIE -c -o $@ $<

$(BUILD):
	mkdir -p $@

-include $(OBJ:.o=.d)

# ---- tests -------------------------------------------------------------

LUA_TESTS := $(sort $(wildcard tests/lua/*_test.lua))

test-lua: $(BUILD)/rushes
	$(BUILD)/rushes run tests/run.lua $(LUA_TESTS)

clean:
	rm -rf $(BUILD)

.PHONY: all clean test-lua
