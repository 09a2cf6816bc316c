/* ljson.h - what the files of module "rt.c.json" share. */
#ifndef LJSON_H
#define LJSON_H

#include <lua.h>

#define SAFE_DIGITS 15 /* a double holds every decimal of so many digits */

/* encode(value) -> text | nil, path, why                       [-0, +3, v] */
int l_json_encode(lua_State *L);

/* Add array_meta and object_meta to the module on the top.     [-0, +0, m] */
void json_write_open(lua_State *L);

#endif
