/* tidy.h - for clang-tidy: Lua does not say which functions never return. */
#include <lauxlib.h>

#define NEVER __attribute__((noreturn))
NEVER int luaL_error(lua_State *L, const char *fmt, ...);
NEVER int luaL_argerror(lua_State *L, int arg, const char *message);
NEVER int luaL_typeerror(lua_State *L, int arg, const char *name);
NEVER int lua_error(lua_State *L);
