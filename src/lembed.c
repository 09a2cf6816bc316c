/* lembed.c - module "rt.c.embed": the Lua files inside the binary. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "embed.h"
#include "linit.h"

static int by_name(const void *key, const void *row)
{
    return strcmp(key, ((const struct embed_file *)row)->name);
}

/* load(name) -> chunk | nothing; raises if the chunk is broken. [-0, +1, v] */
static int l_load(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct embed_file *f =
        bsearch(name, embed_files, embed_count, sizeof *f, by_name);
    if (!f)
        return 0;
    if (luaL_loadbufferx(L, embed_blob + f->offset, f->size, name, "b"))
        return lua_error(L);
    return 1;
}

/* names() -> sorted list of what can be loaded               [-0, +1, m] */
static int l_names(lua_State *L)
{
    lua_createtable(L, (int)embed_count, 0);
    for (size_t i = 0; i < embed_count; i++) {
        lua_pushstring(L, embed_files[i].name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

int luaopen_rt_embed(lua_State *L)
{
    static const luaL_Reg lib[] = {
        {"load", l_load}, {"names", l_names}, {NULL, NULL}};
    luaL_newlib(L, lib);
    return 1;
}
