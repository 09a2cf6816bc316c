/* ldb_value.c - owns the way of Lua's values to SQLite's thread and back. */
#include <lauxlib.h>
#include <math.h>

#include "ldb.h"

#define VALUES_MAX 32766 /* places for values that SQLite allows */

int ldb_raise(lua_State *L)
{
    luaL_where(L, 2);
    lua_insert(L, -2);
    lua_concat(L, 2);
    return lua_error(L);
}

/* ---- statements as bytes ---- */

static void put(lua_State *L, struct db_buf *b, const struct db_value *v)
{
    if (db_put(b, v) < 0)
        luaL_error(L, "not enough memory");
}

static void put_count(lua_State *L, struct db_buf *b, lua_Integer n)
{
    if (db_put_count(b, (uint32_t)n) < 0)
        luaL_error(L, "not enough memory");
}

/* Raise about value `at` of the SQL text that was encoded last. */
static int bad_value(lua_State *L, int index, lua_Integer at)
{
    const char *what = lua_type(L, index) == LUA_TNUMBER
                           ? "not a number (NaN)"
                           : luaL_typename(L, index);
    lua_pushfstring(L,
                    "value %I of a statement is %s%s: a string, a number, a "
                    "boolean or nil can be stored",
                    at, what[0] == 'n' ? "" : "a ", what);
    return ldb_raise(L);
}

static void put_value(lua_State *L, struct db_buf *b, int index, lua_Integer at)
{
    struct db_value v = {.type = DB_INTEGER};
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        v.type = DB_NULL;
        break;
    case LUA_TBOOLEAN:
        v.i = lua_toboolean(L, index);
        break;
    case LUA_TSTRING:
        v.type = DB_TEXT;
        v.s = lua_tolstring(L, index, &v.n);
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) {
            v.i = lua_tointeger(L, index);
            break;
        }
        v.type = DB_REAL;
        v.d = lua_tonumber(L, index);
        if (!isnan(v.d)) /* SQLite would make NULL of it */
            break;
        /* fall through */
    default:
        bad_value(L, index, at);
    }
    put(L, b, &v);
}

static void put_sql(lua_State *L, struct db_buf *b, int index)
{
    struct db_value v = {.type = DB_TEXT};
    if (lua_type(L, index) != LUA_TSTRING) {
        lua_pushfstring(L,
                        "a statement begins with its SQL text, not with a %s",
                        luaL_typename(L, index));
        ldb_raise(L);
    }
    v.s = lua_tolstring(L, index, &v.n);
    put(L, b, &v);
}

/* How many values the statement on the top has: its n, or what is in it. */
static lua_Integer count_values(lua_State *L)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1) - 1;
    if (lua_getfield(L, -1, "n") != LUA_TNIL) {
        int is_integer;
        n = lua_tointegerx(L, -1, &is_integer);
        if (!is_integer)
            n = -1;
    }
    lua_pop(L, 1);
    if (n < 0 || n > VALUES_MAX) {
        lua_pushfstring(L,
                        "n of a statement is how many values it has, 0 to %d",
                        VALUES_MAX);
        ldb_raise(L);
    }
    return n;
}

/* The table on the top: {sql, value, ...}. */
static void put_statement(lua_State *L, struct db_buf *b)
{
    if (!lua_istable(L, -1)) {
        lua_pushfstring(L,
                        "a list of statements, each {sql, value, …}, is "
                        "wanted, not one with a %s in it",
                        luaL_typename(L, -1));
        ldb_raise(L);
    }
    lua_rawgeti(L, -1, 1);
    put_sql(L, b, -1);
    lua_pop(L, 1);
    lua_Integer n = count_values(L);
    put_count(L, b, n);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, i + 1);
        put_value(L, b, -1, i);
        lua_pop(L, 1);
    }
}

void ldb_put_statements(lua_State *L, struct db_buf *b)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
    if (n == 0) {
        lua_pushliteral(L, "a list of statements is wanted; this one is empty");
        ldb_raise(L);
    }
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, 2, i);
        put_statement(L, b);
        lua_pop(L, 1);
    }
}

void ldb_put_query(lua_State *L, struct db_buf *b, int top)
{
    put_sql(L, b, 2);
    put_count(L, b, top - 2);
    for (int i = 3; i <= top; i++)
        put_value(L, b, i, i - 2);
}

/* ---- rows ---- */

static void push_value(lua_State *L, const struct db_value *v)
{
    switch (v->type) {
    case DB_INTEGER:
        lua_pushinteger(L, v->i);
        break;
    case DB_REAL:
        lua_pushnumber(L, v->d);
        break;
    default:
        lua_pushlstring(L, v->s, v->n);
    }
}

/* The names of the columns are from stack index 1 + base. */
static const char *push_row(lua_State *L, const char *at, int base, int columns)
{
    struct db_value v;
    lua_createtable(L, 0, columns);
    for (int i = 1; i <= columns; i++) {
        at = db_get(at, &v);
        if (v.type == DB_NULL)
            continue;
        lua_pushvalue(L, base + i);
        push_value(L, &v);
        lua_rawset(L, -3);
    }
    return at;
}

void ldb_push_rows(lua_State *L, const struct db_buf *rows)
{
    uint32_t columns;
    struct db_value v;
    int base = lua_gettop(L);
    const char *at = db_get_count(rows->data, &columns);
    luaL_checkstack(L, (int)columns + 8, "too many columns");
    for (uint32_t i = 0; i < columns; i++) {
        at = db_get(at, &v);
        push_value(L, &v);
    }
    lua_newtable(L);
    for (lua_Integer n = 1; at < rows->data + rows->len; n++) {
        at = push_row(L, at, base, (int)columns);
        lua_rawseti(L, -2, n);
    }
    lua_insert(L, base + 1);
    lua_settop(L, base + 1);
}
