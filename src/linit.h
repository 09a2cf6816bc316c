/* linit.h - every C module of the host: one luaopen_ each. */
#ifndef LINIT_H
#define LINIT_H

#include <lua.h>

/* Put all of them in package.preload.                       [-0, +0, m] */
void linit_preload(lua_State *L);

int luaopen_cjson(lua_State *L);
int luaopen_rt_db(lua_State *L);
int luaopen_rt_embed(lua_State *L);
int luaopen_rt_fs(lua_State *L);
int luaopen_rt_hash(lua_State *L);
int luaopen_rt_httpd(lua_State *L);
int luaopen_rt_json(lua_State *L);
int luaopen_rt_proc(lua_State *L);
int luaopen_rt_refs(lua_State *L);
int luaopen_rt_signal(lua_State *L);
int luaopen_rt_stdin(lua_State *L);
int luaopen_rt_sys(lua_State *L);
int luaopen_rt_net(lua_State *L);
int luaopen_rt_timer(lua_State *L);

#endif
