/* ljson_write.c - writes JSON: names sorted, numbers exact, arrays even when
 * they are empty. lua-cjson writes 14 digits, slashes escaped and no "[]". */
#include <lauxlib.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ljson.h"

/* Deeper tables than this are refused; it is also how a table that contains
 * itself is noticed. */
#define MAX_DEPTH 200

/* The text so far; a userdata, so that an error frees it. */
struct out {
    char *p;
    size_t len, size;
    const char *why; /* what cannot be written, once something cannot */
};

static const char out_key, array_key, object_key;

static int out_gc(lua_State *L)
{
    struct out *out = lua_touserdata(L, 1);
    free(out->p);
    out->p = NULL;
    return 0;
}

static char *out_room(lua_State *L, struct out *out, size_t n)
{
    if (out->size - out->len < n) {
        size_t size =
            out->size * 2 > out->len + n ? out->size * 2 : out->len + n + 256;
        char *p = realloc(out->p, size);
        if (!p)
            luaL_error(L, "not enough memory");
        out->p = p;
        out->size = size;
    }
    return out->p + out->len;
}

static void put(lua_State *L, struct out *out, const char *s, size_t n)
{
    memcpy(out_room(L, out, n), s, n);
    out->len += n;
}

/* Length of the UTF-8 sequence at s, 0 if it is none (overlong forms and
 * surrogates are none). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = *s >= 0xF0 ? 4 : *s >= 0xE0 ? 3 : *s >= 0xC2 ? 2 : 0;
    if (n == 0 || *s > 0xF4 || left < n)
        return 0;
    unsigned code = *s & (0x7F >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3F);
    }
    if (code < least[n] || code > 0x10FFFF || (code >> 11) == 0x1B)
        return 0;
    return n;
}

/* What a byte below 0x80 is written as: itself (0), \u00XX (1), \ and this. */
static char escape_of(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return c < 0x20 || c == 0x7F;
    }
}

static int refuse(lua_State *L, struct out *out, const char *why)
{
    out->why = why;
    lua_pushliteral(L, ""); /* the path, which grows on the way out */
    return 0;
}

/* The path on the top, longer by its first part (above it already), becomes
 * the one value above `table`: the stack must not grow on the way out. */
static int refuse_below(lua_State *L, int table)
{
    lua_copy(L, -1, table + 1);
    lua_settop(L, table + 1);
    return 0;
}

static void put_escape(lua_State *L, struct out *out, unsigned char c)
{
    char text[8] = {'\\', escape_of(c)};
    int n = 2;
    if (text[1] == 1)
        n = snprintf(text, sizeof text, "\\u%04x", c);
    put(L, out, text, (size_t)n);
}

/* Length of what can be written as it is: printable ASCII. Eight bytes at a
 * time: the high bit of a byte of `odd` says that it is something else. */
static size_t plain_length(const char *s, size_t len)
{
    const uint64_t ones = 0x0101010101010101u, high = ones << 7;
    size_t k = 0;
    for (; len - k >= 8; k += 8) {
        uint64_t w;
        memcpy(&w, s + k, 8);
        uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
        uint64_t odd = (w - ones * 0x20) | (w + ones) | w | (quote - ones) |
                       (slash - ones);
        if (odd & high)
            break;
    }
    for (; k < len && !(s[k] & 0x80) && escape_of((unsigned char)s[k]) == 0;)
        k++;
    return k;
}

static int write_string(lua_State *L, struct out *out, int i)
{
    size_t len, from = 0;
    const char *s = lua_tolstring(L, i, &len);
    put(L, out, "\"", 1);
    for (size_t k = 0; k < len;) {
        k += plain_length(s + k, len - k);
        if (k == len)
            break;
        unsigned char c = (unsigned char)s[k];
        if (c >= 0x80) {
            size_t n = utf8_length((const void *)(s + k), len - k);
            if (n == 0)
                return refuse(L, out, "is a string that is not UTF-8");
            k += n;
        } else {
            put(L, out, s + from, k - from);
            put_escape(L, out, c);
            from = ++k;
        }
    }
    put(L, out, s + from, len - from);
    put(L, out, "\"", 1);
    return 1;
}

static int write_number(lua_State *L, struct out *out, int i)
{
    char text[40];
    int n = 0;
    if (lua_isinteger(L, i)) {
        n = snprintf(text, sizeof text, LUA_INTEGER_FMT, lua_tointeger(L, i));
        put(L, out, text, (size_t)n);
        return 1;
    }
    lua_Number x = lua_tonumber(L, i);
    if (!isfinite(x))
        return refuse(L, out,
                      "is infinite or not a number, which JSON has not");
    for (int digits = SAFE_DIGITS; digits <= 17; digits++) {
        n = snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    put(L, out, text, (size_t)n);
    return 1;
}

static int write_value(lua_State *L, struct out *out, int depth);

/* The array or object on the top; 0: the path is on the stack instead. */
static int write_array(lua_State *L, struct out *out, int depth)
{
    lua_Integer count = 0, most = 0;
    for (lua_pushnil(L); lua_next(L, -2); count++) { /* table key value */
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1))
            return refuse(L, out, "is a list that also has other keys");
        lua_Integer key = lua_tointeger(L, -1);
        most = key < 1 ? LUA_MAXINTEGER : key > most ? key : most;
    }
    if (most != count)
        return refuse(L, out, "is a list with holes; json.null fills a hole");
    int table = lua_gettop(L);
    put(L, out, "[", 1);
    for (lua_Integer i = 1; i <= count; i++) {
        if (i > 1)
            put(L, out, ",", 1);
        lua_rawgeti(L, -1, i);
        if (!write_value(L, out, depth - 1)) {
            const char *rest = lua_tostring(L, -1);
            lua_pushfstring(L, "[%I]%s", (LUAI_UACINT)i, rest);
            return refuse_below(L, table);
        }
        lua_pop(L, 1);
    }
    put(L, out, "]", 1);
    return 1;
}

struct key {
    const char *s;
    size_t len;
    int index; /* on the Lua stack */
};

static int by_bytes(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int order = memcmp(x->s, y->s, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Push the keys of the table on the top; -1 if one is no string. */
static int push_keys(lua_State *L)
{
    int table = lua_gettop(L), n = 0;
    for (lua_pushnil(L); lua_next(L, table); n++) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            return -1;
        luaL_checkstack(L, 6, "too many fields for JSON");
        lua_pushvalue(L, -1);
    }
    return n;
}

static int write_field(lua_State *L, struct out *out, const struct key *key,
                       int table, int depth)
{
    if (!write_string(L, out, key->index))
        return 0;
    put(L, out, ":", 1);
    lua_pushvalue(L, key->index);
    lua_rawget(L, table);
    if (!write_value(L, out, depth - 1)) {
        const char *rest = lua_tostring(L, -1);
        lua_pushfstring(L, ".%s%s", key->s, rest);
        return refuse_below(L, table);
    }
    lua_pop(L, 1);
    return 1;
}

/* Names in the order of their bytes, so that equal values give equal texts. */
static int write_object(lua_State *L, struct out *out, int depth)
{
    struct key few[32], *keys = few;
    int table = lua_gettop(L), n = push_keys(L);
    if (n < 0)
        return refuse(L, out, "has a key that is no string");
    if (n > 32)
        keys = lua_newuserdatauv(L, (size_t)n * sizeof *keys, 0);
    for (int i = 0; i < n; i++) {
        keys[i].index = table + 1 + i;
        keys[i].s = lua_tolstring(L, keys[i].index, &keys[i].len);
    }
    qsort(keys, (size_t)n, sizeof *keys, by_bytes);
    put(L, out, "{", 1);
    for (int i = 0; i < n; i++) {
        if (i > 0)
            put(L, out, ",", 1);
        if (!write_field(L, out, &keys[i], table, depth))
            return 0;
    }
    put(L, out, "}", 1);
    lua_settop(L, table);
    return 1;
}

static int write_table(lua_State *L, struct out *out, int depth)
{
    if (depth == 0)
        return refuse(L, out, "is nested too deeply or contains itself");
    luaL_checkstack(L, 8, "too deep for JSON");
    int array = 0, object = 0;
    if (lua_getmetatable(L, -1)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
        lua_rawgetp(L, LUA_REGISTRYINDEX, &object_key);
        array = lua_rawequal(L, -3, -2);
        object = lua_rawequal(L, -3, -1);
        lua_pop(L, 3);
    }
    if (array || (!object && lua_rawlen(L, -1) > 0))
        return write_array(L, out, depth);
    return write_object(L, out, depth);
}

/* The value on the top, which stays there; 0: the path is there instead. */
static int write_value(lua_State *L, struct out *out, int depth)
{
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        put(L, out, lua_toboolean(L, -1) ? "true" : "false",
            lua_toboolean(L, -1) ? 4 : 5);
        return 1;
    case LUA_TSTRING:
        return write_string(L, out, -1);
    case LUA_TNUMBER:
        return write_number(L, out, -1);
    case LUA_TTABLE:
        return write_table(L, out, depth);
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, -1) == NULL) {
            put(L, out, "null", 4);
            return 1;
        }
        return refuse(L, out, "is a userdata");
    case LUA_TNIL:
        return refuse(L, out, "is nil");
    case LUA_TFUNCTION:
        return refuse(L, out, "is a function");
    default:
        return refuse(L, out, "is a userdata or coroutine");
    }
}

int l_json_encode(lua_State *L)
{
    lua_settop(L, 1);
    struct out *out = lua_newuserdatauv(L, sizeof *out, 0);
    memset(out, 0, sizeof *out);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &out_key);
    lua_setmetatable(L, -2); /* value out */
    lua_pushvalue(L, 1);
    if (write_value(L, out, MAX_DEPTH)) {
        lua_pushlstring(L, out->p, out->len);
        free(out->p);
        out->p = NULL;
        return 1;
    }
    lua_pushnil(L);
    lua_insert(L, -2); /* nil path */
    lua_pushstring(L, out->why);
    return 3;
}

static void new_meta(lua_State *L, const void *key, const char *name)
{
    lua_newtable(L);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void json_write_open(lua_State *L)
{
    new_meta(L, &out_key, "json.out");
    lua_pushcfunction(L, out_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    new_meta(L, &array_key, "json.array");
    lua_setfield(L, -2, "array_meta");
    new_meta(L, &object_key, "json.object");
    lua_setfield(L, -2, "object_meta");
}
