/* lnet.c - module "rt.c.net": secrets, clients and bodies as values. */
#include "lnet.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "body.h"
#include "download.h"
#include "lazy_crypto.h"
#include "linit.h"

#define MAX_LINES 256

static const char net_key;

/* ---- the network ---- */

static void close_net(void *arg)
{
    struct net *n = arg;
    if (n->downloads)
        download_pool_close(n->downloads);
    http_polls_close(n->polls);
    http_close(n->http);
    free(n);
}

struct net *net_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &net_key);
    struct net *n = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return n;
}

struct net *net_open(lua_State *L, const char **why)
{
    struct net *n = net_of(L);
    if (n)
        return n;
    *why = "not enough memory";
    n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->loop = rushes_loop(L);
    n->http = http_new(n->loop, why);
    n->polls = n->http ? http_polls_new(n->loop) : NULL;
    if (!n->polls) {
        if (n->http)
            http_close(n->http);
        free(n);
        return NULL;
    }
    lua_pushlightuserdata(L, n);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &net_key);
    rushes_on_close(L, close_net, n);
    return n;
}

static int no_network(lua_State *L, const char *why)
{
    return rushes_push_error_code(
        L, "unsupported", 0,
        "%s; install libcurl, on Debian the package libcurl4", why);
}

/* ---- boxes: a userdata that holds one pointer ---- */

static void **box_new(lua_State *L, const char *type)
{
    void **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL; /* safe for __gc before anything is owned */
    luaL_setmetatable(L, type);
    return box;
}

static void *box_check(lua_State *L, int arg, const char *type)
{
    return *(void **)luaL_checkudata(L, arg, type);
}

struct http_client *net_check_client(lua_State *L, int arg)
{
    return box_check(L, arg, NET_CLIENT);
}

struct body *net_check_body(lua_State *L, int arg)
{
    return box_check(L, arg, NET_BODY);
}

static int l_secret_gc(lua_State *L)
{
    void **box = lua_touserdata(L, 1);
    if (*box)
        http_secret_unref(*box);
    *box = NULL;
    return 0;
}

static int l_client_gc(lua_State *L)
{
    void **box = lua_touserdata(L, 1);
    if (*box)
        http_client_unref(*box);
    *box = NULL;
    return 0;
}

static int l_body_gc(lua_State *L)
{
    void **box = lua_touserdata(L, 1);
    if (*box)
        body_unref(*box);
    *box = NULL;
    return 0;
}

/* ---- options in a table at 1 ---- */

/* The string stays on the stack, so that it stays valid. */
static const char *opt_string(lua_State *L, const char *name)
{
    int type = lua_getfield(L, 1, name);
    if (type != LUA_TNIL && type != LUA_TSTRING)
        luaL_error(L, "%s must be a string, not a %s", name,
                   luaL_typename(L, -1));
    return lua_tostring(L, -1);
}

static double opt_number(lua_State *L, const char *name, double def, double min,
                         double max)
{
    double v = def;
    if (lua_getfield(L, 1, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TNUMBER)
            luaL_error(L, "%s must be a number, not a %s", name,
                       luaL_typename(L, -1));
        v = lua_tonumber(L, -1);
    }
    if (!(v >= min && v <= max))
        luaL_error(L, "%s must be %f to %f, not %f", name, min, max, v);
    lua_pop(L, 1);
    return v;
}

/* The list of strings t[name]; they stay on the stack. */
static size_t opt_strings(lua_State *L, const char *name,
                          const char *lines[MAX_LINES])
{
    if (lua_getfield(L, 1, name) == LUA_TNIL)
        return 0;
    luaL_argexpected(L, lua_istable(L, -1), 1, "list of strings");
    int list = lua_gettop(L);
    lua_Unsigned n = lua_rawlen(L, list);
    if (n > MAX_LINES)
        luaL_error(L, "%s has more than %d entries", name, MAX_LINES);
    luaL_checkstack(L, (int)n + 4, "too many headers");
    for (lua_Unsigned i = 0; i < n; i++) {
        if (lua_rawgeti(L, list, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(L, "%s must hold strings only", name);
        lines[i] = lua_tostring(L, -1);
    }
    return (size_t)n;
}

/* secret{env | value, header, scheme, origins} -> secret | nil, err */
static int l_secret(lua_State *L)
{
    const char *origins[MAX_LINES], *why = NULL;
    char text[256];
    int status;
    luaL_checktype(L, 1, LUA_TTABLE);
    struct http_secret_options o = {.origins = origins};
    o.env = opt_string(L, "env");
    o.value = opt_string(L, "value");
    o.header = opt_string(L, "header");
    o.scheme = opt_string(L, "scheme");
    o.n_origins = opt_strings(L, "origins", origins);
    luaL_argcheck(L, o.header && o.scheme, 1, "header and scheme are wanted");
    struct net *n = net_open(L, &why);
    if (!n)
        return no_network(L, why);
    void **box = box_new(L, NET_SECRET);
    *box = http_secret_new(n->http, &o, &status, text);
    if (*box)
        return 1;
    return rushes_push_error_code(L, status == UV_ENOENT ? "auth" : "invalid",
                                  0, "%s", text);
}

/* mark(secret, salt) -> hex                                  [-0, +1, v] */
static int l_mark(lua_State *L)
{
    size_t len;
    char mark[HTTP_MARK];
    const char *why = "libcrypto cannot be loaded";
    const struct http_secret *s = box_check(L, 1, NET_SECRET);
    const char *salt = luaL_checklstring(L, 2, &len);
    if (crypto_load(&why) < 0)
        return luaL_error(L, "%s", why);
    if (http_secret_mark(s, salt, len, mark) < 0)
        return luaL_error(L, "not enough memory");
    lua_pushstring(L, mark);
    return 1;
}

/* client{base, headers, secret, slots, timeout, max_body, insecure_http} */
static int l_client(lua_State *L)
{
    const char *headers[MAX_LINES], *why = NULL;
    char text[256];
    luaL_checktype(L, 1, LUA_TTABLE);
    struct http_client_options o = {.headers = headers};
    o.slots = (unsigned)opt_number(L, "slots", 32, 1, 1024);
    o.timeout_ms = (uint32_t)(opt_number(L, "timeout", HTTP_TIMEOUT_MS / 1000.0,
                                         0.001, 86400) *
                              1000);
    o.max_body = (size_t)opt_number(L, "max_body", 16 << 20, 0, 1e12);
    lua_getfield(L, 1, "insecure_http");
    o.insecure_http = lua_toboolean(L, -1);
    o.base = opt_string(L, "base");
    o.n_headers = opt_strings(L, "headers", headers);
    if (lua_getfield(L, 1, "secret") != LUA_TNIL)
        o.secret = box_check(L, -1, NET_SECRET);
    struct net *n = net_open(L, &why);
    if (!n)
        return no_network(L, why);
    void **box = box_new(L, NET_CLIENT);
    *box = http_client_new(n->http, &o, text);
    if (*box)
        return 1;
    return rushes_push_error_code(L, "invalid", 0, "%s", text);
}

/* ---- bodies ---- */

static void check_part(lua_State *L, struct body_part *p)
{
    if (lua_type(L, -1) == LUA_TSTRING) {
        p->kind = BODY_TEXT;
        p->text = lua_tolstring(L, -1, &p->len);
        return;
    }
    luaL_argexpected(L, lua_istable(L, -1), 1, "strings and files");
    lua_getfield(L, -1, "base64");
    p->kind = lua_toboolean(L, -1) ? BODY_BASE64 : BODY_FILE;
    lua_pop(L, 1);
    lua_getfield(L, -1, "path"); /* part path; the part keeps it alive */
    p->path = lua_tostring(L, -1);
    if (!p->path)
        luaL_error(L, "a part of a body needs a path");
    lua_pop(L, 1);
}

/* body{"text" | {path, base64}, ...} -> body | nil, err */
static int l_body(lua_State *L)
{
    int status;
    size_t which;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Unsigned n = lua_rawlen(L, 1);
    luaL_argcheck(L, n <= 10000, 1, "too many parts");
    struct body_part *parts =
        lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *parts, 0);
    for (lua_Unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        parts[i] = (struct body_part){0};
        check_part(L, &parts[i]);
        lua_pop(L, 1); /* the list keeps it alive */
    }
    void **box = box_new(L, NET_BODY);
    *box = body_new(parts, (size_t)n, &status, &which);
    if (*box)
        return 1;
    if (status == UV_ENOMEM)
        return luaL_error(L, "not enough memory");
    return rushes_push_error(L, status, "cannot read %s: %s", parts[which].path,
                             uv_strerror(status));
}

/* size(body) -> bytes that will be sent */
static int l_body_size(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)body_size(net_check_body(L, 1)));
    return 1;
}

static void set_count(lua_State *L, const char *name, uint64_t n)
{
    lua_pushinteger(L, (lua_Integer)n);
    lua_setfield(L, -2, name);
}

/* stats() -> {submits, polls, requests, downloads, connections} */
static int l_stats(lua_State *L)
{
    struct http_stats s = {0};
    uint64_t attempts = 0, connections = 0;
    struct net *n = net_of(L);
    if (n)
        http_stats(n->http, &s);
    if (n && n->downloads)
        download_stats(n->downloads, &attempts, &connections);
    lua_createtable(L, 0, 5);
    set_count(L, "submits", s.requests[HTTP_SUBMIT]);
    set_count(L, "polls", s.requests[HTTP_POLL]);
    set_count(L, "requests", s.requests[HTTP_REQUEST]);
    set_count(L, "downloads", attempts);
    set_count(L, "connections", s.connections + connections);
    return 1;
}

static void make_type(lua_State *L, const char *name, lua_CFunction gc)
{
    luaL_newmetatable(L, name);
    if (gc) {
        lua_pushcfunction(L, gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_pop(L, 1);
}

int luaopen_rt_net(lua_State *L)
{
    static const luaL_Reg lib[] = {
        {"secret", l_secret},
        {"mark", l_mark},
        {"client", l_client},
        {"body", l_body},
        {"body_size", l_body_size},
        {"stats", l_stats},
        {"exchange", l_net_exchange},
        {"poll", l_net_poll},
        {"answer_meta", l_net_answer_meta},
        {"headers", l_net_headers},
        {"download", l_net_download},
        {"counter", l_net_counter},
        {"counted", l_net_counted},
        {NULL, NULL},
    };
    make_type(L, NET_SECRET, l_secret_gc);
    make_type(L, NET_CLIENT, l_client_gc);
    make_type(L, NET_BODY, l_body_gc);
    luaL_newlib(L, lib);
    return 1;
}
