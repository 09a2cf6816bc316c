/* lfs_lock.c - a lock on a file as a value. It has no __gc: a lock that a
 * script forgets is held until the program ends. */
#include <lauxlib.h>

#include "fsx.h"
#include "lfs.h"
#include "rushes.h"

#define LOCK "rushes.lock"

/* lock:release(); again does nothing                         [-0, +0, v] */
static int l_release(lua_State *L)
{
    int *fd = luaL_checkudata(L, 1, LOCK);
    if (*fd >= 0)
        fsx_unlock(*fd);
    *fd = -1;
    return 0;
}

void lfs_lock_register(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"release", l_release},
        {"__close", l_release},
        {NULL, NULL},
    };
    luaL_newmetatable(L, LOCK);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int lfs_push_lock(lua_State *L, int *fd)
{
    int *lock = lua_newuserdatauv(L, sizeof *lock, 0);
    *lock = *fd;
    *fd = -1;
    luaL_setmetatable(L, LOCK);
    return 1;
}

int lfs_push_locked(lua_State *L, const char *path, const char *holder)
{
    rushes_push_error_code(L, "locked", 0,
                           "\"%s\" is locked: a program that still runs holds "
                           "it",
                           path);
    lua_pushstring(L, holder ? holder : "");
    lua_setfield(L, -2, "holder");
    return 2;
}
