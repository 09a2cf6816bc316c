/* linit.c - the list of C modules. Nothing is opened before it is required. */
#include "linit.h"

#include <lauxlib.h>

#include "rt.h"

/* One a line, sorted, so that merges stay small. */
/* clang-format off */
static const luaL_Reg modules[] = {
    {"cjson", luaopen_cjson},
    {"rt.c.core", luaopen_rt_core},
    {"rt.c.db", luaopen_rt_db},
    {"rt.c.embed", luaopen_rt_embed},
    {"rt.c.fs", luaopen_rt_fs},
    {"rt.c.hash", luaopen_rt_hash},
    {"rt.c.httpd", luaopen_rt_httpd},
    {"rt.c.json", luaopen_rt_json},
    {"rt.c.net", luaopen_rt_net},
    {"rt.c.proc", luaopen_rt_proc},
    {"rt.c.refs", luaopen_rt_refs},
    {"rt.c.signal", luaopen_rt_signal},
    {"rt.c.stdin", luaopen_rt_stdin},
    {"rt.c.sys", luaopen_rt_sys},
    {"rt.c.timer", luaopen_rt_timer},
    {NULL, NULL},
};
/* clang-format on */

void linit_preload(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    luaL_setfuncs(L, modules, 0);
    lua_pop(L, 1);
}
