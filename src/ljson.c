/* ljson.c - module "rt.c.json": beside lua-cjson, which reads every number as a
 * double: finds the numbers that a double may not hold, and tidies what cjson
 * made. Writing is in ljson_write.c. No operation here. */
#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linit.h"
#include "ljson.h"

/* So many powers of ten away from 1 a double still holds SAFE_DIGITS. */
#define SAFE_SCALE 290
/* Integers below 2^53 are exact as doubles. */
#define SAFE_INTEGER 9007199254740992.0

/* One number literal: its end, and whether a double may not hold it. */
static const char *skip_number(const char *p, const char *end, int *unsafe)
{
    const char *first = p;
    int digits = 0, zero = 1;
    long exponent = 0;
    if (p < end && *p == '-')
        p++;
    for (; p < end && (isdigit((unsigned char)*p) || *p == '.'); p++) {
        if (*p == '.')
            continue;
        zero &= *p == '0';
        digits += !zero;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        int negative = ++p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        for (; p < end && isdigit((unsigned char)*p); p++)
            if (exponent < 100000)
                exponent = exponent * 10 + (*p - '0');
        if (negative)
            exponent = -exponent;
    }
    /* the length bounds how far the point is from the digits */
    *unsafe = digits > SAFE_DIGITS || labs(exponent) + (p - first) > SAFE_SCALE;
    return p;
}

/* memchr looks at 32 bytes at a time, and few strings hold a backslash. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++;;) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *stop = quote ? quote : end;
        const char *slash = memchr(p, '\\', (size_t)(stop - p));
        if (!slash)
            return quote ? quote + 1 : end;
        if (end - slash < 2)
            return end;
        p = slash + 2;
    }
}

/* unsafe(text) -> {first, last, first, last, ...} | nothing     [-0, +1, m]
 * Positions of the number literals that a double may not hold exactly. */
static int l_unsafe(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *end = text + len;
    lua_Integer n = 0;
    for (const char *p = text; p < end;) {
        if (*p == '"') {
            p = skip_string(p, end);
        } else if (*p == '-' || isdigit((unsigned char)*p)) {
            const char *first = p;
            int unsafe;
            p = skip_number(p, end, &unsafe);
            if (!unsafe)
                continue;
            if (n == 0)
                lua_newtable(L);
            lua_pushinteger(L, first - text + 1);
            lua_rawseti(L, 2, ++n);
            lua_pushinteger(L, p - text);
            lua_rawseti(L, 2, ++n);
        } else {
            p++;
        }
    }
    return n > 0;
}

/* The number on the top becomes an integer if it is a whole one.
 * Returns whether it did. */
static int to_integer(lua_State *L)
{
    lua_Number x = lua_tonumber(L, -1);
    if (lua_isinteger(L, -1) || x != floor(x) || fabs(x) >= SAFE_INTEGER)
        return 0;
    lua_pop(L, 1);
    lua_pushinteger(L, (lua_Integer)x);
    return 1;
}

/* The table on the top: whole numbers become integers, nulls go. cjson has
 * limited the depth. Writing to keys that exist is allowed in a traversal. */
static void tidy_table(lua_State *L)
{
    luaL_checkstack(L, 5, "JSON is nested too deeply");
    int table = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) { /* table key value */
        int write = 0;
        if (lua_type(L, -1) == LUA_TNUMBER) {
            write = to_integer(L);
        } else if (lua_islightuserdata(L, -1)) {
            lua_pop(L, 1);
            lua_pushnil(L);
            write = 1;
        } else if (lua_istable(L, -1)) {
            tidy_table(L);
        }
        if (write) {
            lua_pushvalue(L, -2); /* table key value key */
            lua_insert(L, -2);
            lua_rawset(L, table);
        } else {
            lua_pop(L, 1);
        }
    }
}

/* tidy(decoded) -> value                                        [-0, +1, v] */
static int l_tidy(lua_State *L)
{
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TNUMBER)
        to_integer(L);
    else if (lua_islightuserdata(L, 1))
        return 0;
    else if (lua_istable(L, 1))
        tidy_table(L);
    return 1;
}

int luaopen_rt_json(lua_State *L)
{
    static const luaL_Reg lib[] = {{"unsafe", l_unsafe},
                                   {"tidy", l_tidy},
                                   {"encode", l_json_encode},
                                   {NULL, NULL}};
    luaL_newlib(L, lib);
    json_write_open(L);
    return 1;
}
