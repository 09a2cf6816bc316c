/* fuzz_lua.c - random bytes for Lua: FUZZ_TARGET.lua returns a function of one
 * string, and an error that it raises is a finding. Lines of Lua count as
 * coverage, so libFuzzer finds its way through them. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "linit.h"
#include "rt.h"

#define COUNTERS 65536
__attribute__((
    section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static lua_State *state;

static void on_line(lua_State *L, lua_Debug *ar)
{
    static const char *last;
    static uint32_t hash;
    lua_getinfo(L, "S", ar);
    if (ar->source != last) {
        last = ar->source;
        hash = 2166136261u;
        for (const char *p = last; *p; p++)
            hash = (hash ^ (uint8_t)*p) * 16777619u;
    }
    uint8_t *counter = &counters[(hash + (uint32_t)ar->currentline) % COUNTERS];
    if (*counter < 255)
        ++*counter;
}

/* As in main.c, but for the entry: the target is left on the stack. */
static int boot(lua_State *L)
{
    rt_open(L);
    luaL_openlibs(L);
    linit_preload(L);
    luaL_requiref(L, "rt.c.embed", luaopen_rt_embed, 0);
    lua_getfield(L, -1, "load");
    lua_pushliteral(L, "rt.boot");
    lua_call(L, 1, 1);
    lua_newtable(L);
    lua_call(L, 1, 0);
    if (luaL_dofile(L, "tests/fuzz/" FUZZ_TARGET ".lua"))
        return lua_error(L);
    return 1;
}

static void check(int status)
{
    if (status == LUA_OK)
        return;
    fprintf(stderr, "%s\n", luaL_tolstring(state, -1, NULL));
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!state) {
        state = luaL_newstate();
        lua_pushcfunction(state, boot);
        check(lua_pcall(state, 0, 1, 0));
        lua_sethook(state, on_line, LUA_MASKLINE, 0);
    }
    lua_pushvalue(state, 1);
    lua_pushlstring(state, (const char *)data, size);
    check(lua_pcall(state, 1, 0, 0));
    return 0;
}
