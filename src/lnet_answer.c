/* lnet_answer.c - what an exchange ended with, kept between the loop's callback
 * and the task, then pushed. Answers leave C as a table whose headers are
 * parsed only when asked for (lua/rt/net.lua). */
#include <ctype.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "lnet.h"

static const char answer_key;

struct net_result {
    const char *code; /* NULL: an answer. Static text */
    double retry_after;
    size_t meta_len, body_len; /* meta: the URL, a line's end, the headers */
    int status;
    bool retryable, sent;
    char data[]; /* meta and body, or the sentence of a failure */
};

static struct net_result *result_of_failure(const struct http_answer *a)
{
    size_t n = strlen(a->why);
    struct net_result *r = malloc(sizeof *r + n);
    if (!r)
        return NULL;
    *r = (struct net_result){.code = a->code, .body_len = n};
    memcpy(r->data, a->why, n);
    return r;
}

static struct net_result *result_of_answer(const struct http_answer *a)
{
    size_t url = strcspn(a->url, "?#");
    struct net_result *r =
        malloc(sizeof *r + url + 1 + a->head_len + a->body_len);
    if (!r)
        return NULL;
    *r = (struct net_result){.meta_len = url + 1 + a->head_len,
                             .body_len = a->body_len};
    memcpy(r->data, a->url, url);
    r->data[url] = '\n';
    memcpy(r->data + url + 1, a->head, a->head_len);
    memcpy(r->data + r->meta_len, a->body, a->body_len);
    return r;
}

struct net_result *net_result_new(const struct http_answer *a, bool safe)
{
    struct net_result *r = a->code ? result_of_failure(a) : result_of_answer(a);
    if (!r)
        return NULL;
    r->status = a->status;
    r->sent = a->sent;
    r->retry_after = a->retry_after;
    r->retryable = a->transient && (safe || !a->sent);
    return r;
}

static int push_failure(lua_State *L, const struct net_result *r)
{
    lua_pushlstring(L, r->data, r->body_len);
    rushes_push_error_code(L, r->code, r->retryable, "%s",
                           lua_tostring(L, -1)); /* why nil err */
    lua_pushboolean(L, r->sent);
    lua_setfield(L, -2, "sent");
    if (r->status) {
        lua_pushinteger(L, r->status);
        lua_setfield(L, -2, "status");
    }
    if (r->retry_after >= 0) {
        lua_pushnumber(L, r->retry_after);
        lua_setfield(L, -2, "retry_after");
    }
    return 2;
}

static int push_answer(lua_State *L, const struct net_result *r)
{
    lua_createtable(L, 1, 5); /* json, too, and the digest of a poll */
    lua_pushlstring(L, r->data, r->meta_len);
    lua_rawseti(L, -2, 1);
    lua_pushlstring(L, r->data + r->meta_len, r->body_len);
    lua_setfield(L, -2, "body");
    lua_pushinteger(L, r->status);
    lua_setfield(L, -2, "status");
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "sent");
    if (r->retry_after >= 0) {
        lua_pushnumber(L, r->retry_after);
        lua_setfield(L, -2, "retry_after");
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &answer_key);
    lua_setmetatable(L, -2);
    return 1;
}

int net_push_result(lua_State *L, const struct rushes_op *op,
                    struct net_result **result)
{
    struct net_result *r = *result;
    if (op->status < 0)
        return rushes_push_error(L, op->status, NULL);
    int n = r->code ? push_failure(L, r) : push_answer(L, r);
    free(r);
    *result = NULL;
    return n;
}

/* answer_meta(metatable): what answers get. */
int l_net_answer_meta(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &answer_key);
    return 0;
}

/* ---- headers ---- */

/* The name and value on the top go to the table at 2; of a name that comes
 * again the values are joined. */
static void add_header(lua_State *L)
{
    lua_pushvalue(L, -2);
    if (lua_rawget(L, 2) == LUA_TNIL) { /* name value nil */
        lua_pop(L, 1);
    } else {
        lua_insert(L, -2);
        lua_pushliteral(L, ", ");
        lua_insert(L, -2);
        lua_concat(L, 3);
    }
    lua_rawset(L, 2);
}

static void push_lower(lua_State *L, const char *name, size_t n)
{
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, n);
    for (size_t i = 0; i < n; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    luaL_pushresultsize(&b, n);
}

/* One line without its end. What is no header is left out. */
static void read_header(lua_State *L, const char *line, const char *end)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    if (!colon || colon == line)
        return;
    const char *value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && strchr(" \t\r", end[-1]))
        end--;
    push_lower(L, line, (size_t)(colon - line));
    lua_pushlstring(L, value, (size_t)(end - value));
    add_header(L);
}

/* headers(meta) -> {name in lower case = value}
 * In C, because patterns took 100,000 instructions for a dozen lines. */
int l_net_headers(lua_State *L)
{
    size_t n;
    const char *line = luaL_checklstring(L, 1, &n), *end = line + n, *stop;
    lua_settop(L, 1);
    lua_createtable(L, 0, 16); /* as many as most answers have */
    /* the URL and the status line come first */
    for (int i = 0; (stop = memchr(line, '\n', (size_t)(end - line))); i++) {
        if (i > 1)
            read_header(L, line, stop);
        line = stop + 1;
    }
    return 1;
}
