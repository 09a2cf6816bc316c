/* lhttpd.c - module "rt.c.httpd": a server, its requests and their answers. */
#include <lauxlib.h>
#include <string.h>

#include "httpd.h"
#include "linit.h"
#include "rushes.h"

#define SERVER "rushes.http_server"
#define REQUEST "rushes.http_request"

/* ---- operations: each waits for one event of the engine ---- */

struct wait_op {
    struct rushes_op op;
    struct httpd_waiter waiter;
    struct httpd *server; /* held; only for accept */
};

static void on_wake(struct httpd_waiter *w, int status)
{
    struct wait_op *o =
        (struct wait_op *)((char *)w - offsetof(struct wait_op, waiter));
    rushes_op_done(&o->op, status);
    rushes_op_release(&o->op);
}

static void cancel(struct rushes_op *op)
{
    struct wait_op *o = (struct wait_op *)op;
    httpd_forget(&o->waiter);
    on_wake(&o->waiter, UV_ECANCELED);
}

static void fini(struct rushes_op *op)
{
    struct wait_op *o = (struct wait_op *)op;
    if (o->server)
        httpd_drop(o->server);
}

static int push(lua_State *L, struct rushes_op *op)
{
    switch (op->status) {
    case 0:
        lua_pushboolean(L, 1);
        return 1;
    case UV_EALREADY:
        return luaL_error(L, "this request has been answered already");
    case UV_EBUSY:
        return luaL_error(L, "another task is waiting for the same thing");
    case UV_EINVAL:
        return rushes_push_error(L, op->status, "a header is not legal");
    case UV_EPIPE:
        return rushes_push_error(L, op->status,
                                 "the client went away before it had the "
                                 "whole answer");
    default:
        return rushes_push_error(L, op->status, NULL);
    }
}

static int push_request(lua_State *L, struct rushes_op *op);

static const struct rushes_op_class wait_class = {"httpd", cancel, push, NULL};
static const struct rushes_op_class accept_class = {"httpd.accept", cancel,
                                                    push_request, fini};

/* The life of a server is an operation that nobody awaits, so that the end of
 * the program stops it. */
static void cancel_life(struct rushes_op *op)
{
    httpd_cut(((struct wait_op *)op)->server); /* wakes it */
}

static const struct rushes_op_class life_class = {"httpd.server", cancel_life,
                                                  push, fini};

static struct wait_op *wait_new(lua_State *L, const struct rushes_op_class *c)
{
    struct wait_op *o = rushes_op_new(L, c, sizeof *o);
    o->waiter.wake = on_wake;
    return o;
}

/* A start that failed is an operation that ended with an error. */
static int started(struct wait_op *o, int status)
{
    if (status < 0)
        on_wake(&o->waiter, status);
    return 1;
}

/* ---- requests ---- */

struct request_box {
    struct httpd_exchange *x;
};

static struct httpd_exchange *check_request(lua_State *L)
{
    struct request_box *box = luaL_checkudata(L, 1, REQUEST);
    luaL_argcheck(L, box->x, 1, "the request is over");
    return box->x;
}

static void push_pairs(lua_State *L, const struct httpd_list *l)
{
    lua_createtable(L, 0, (int)l->n);
    for (size_t i = 0; i < l->n; i++) {
        const struct httpd_pair *p = &l->v[i];
        if (lua_getfield(L, -1, p->name) == LUA_TSTRING)
            lua_pushfstring(L, "%s, %s", lua_tostring(L, -1), p->value);
        else
            lua_pushstring(L, p->value);
        lua_setfield(L, -3, p->name);
        lua_pop(L, 1);
    }
}

/* Set `body` or `file`, and `size`, of the table on the top. */
static void set_content(lua_State *L, const struct httpd_content *c)
{
    if (c->path) {
        lua_pushstring(L, c->path);
        lua_setfield(L, -2, "file");
    } else {
        lua_pushlstring(L, c->data ? c->data : "", c->size);
        lua_setfield(L, -2, "body");
    }
    lua_pushinteger(L, (lua_Integer)c->size);
    lua_setfield(L, -2, "size");
}

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void push_parts(lua_State *L, const struct httpd_exchange *x)
{
    lua_createtable(L, (int)x->n_parts, 0);
    for (size_t i = 0; i < x->n_parts; i++) {
        const struct httpd_part *part = &x->parts[i];
        lua_createtable(L, 0, 5);
        set_string(L, "name", part->name);
        set_string(L, "filename", part->filename);
        set_string(L, "type", part->type);
        set_content(L, &part->content);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* -> {handle, method, path, query, headers, body | file, size, parts} */
static int push_request(lua_State *L, struct rushes_op *op)
{
    if (op->status == UV_EBUSY)
        return luaL_error(L, "another task is accepting requests already");
    struct wait_op *o = (struct wait_op *)op;
    struct request_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->x = NULL;
    luaL_setmetatable(L, REQUEST);
    if (op->status == 0)
        box->x = httpd_take(o->server);
    if (!box->x)
        return rushes_push_error(L, op->status < 0 ? op->status : UV_EOF,
                                 "the server has been closed");
    const struct httpd_exchange *x = box->x;
    lua_createtable(L, 0, 9); /* box request */
    lua_insert(L, -2);
    lua_setfield(L, -2, "handle");
    set_string(L, "method", x->method);
    set_string(L, "path", x->path);
    push_pairs(L, &x->query);
    lua_setfield(L, -2, "query");
    push_pairs(L, &x->headers);
    lua_setfield(L, -2, "headers");
    set_content(L, &x->body);
    if (x->n_parts) {
        push_parts(L, x);
        lua_setfield(L, -2, "parts");
    }
    return 1;
}

/* The flat list {name, value, ...} at `index`; the strings stay the list's. */
static void read_headers(lua_State *L, int index, struct httpd_reply *r)
{
    luaL_checktype(L, index, LUA_TTABLE);
    size_t n = (size_t)luaL_len(L, index) / 2;
    struct httpd_pair *v = lua_newuserdatauv(L, (n + 1) * sizeof *v, 0);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, index, (lua_Integer)(2 * i + 1));
        lua_rawgeti(L, index, (lua_Integer)(2 * i + 2));
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
            luaL_argerror(L, index, "headers must be strings");
        v[i].name = (char *)(uintptr_t)lua_tostring(L, -2);
        v[i].value = (char *)(uintptr_t)lua_tostring(L, -1);
        lua_pop(L, 2);
    }
    r->headers = v;
    r->n_headers = n;
}

static unsigned check_status(lua_State *L)
{
    lua_Integer status = luaL_checkinteger(L, 2);
    luaL_argcheck(L, status >= 200 && status <= 599, 2,
                  "status must be 200 to 599");
    return (unsigned)status;
}

/* respond(request, status, headers, body, path, rate, truncate) -> op of true
 *                                                          [-0, +1, v] */
static int l_respond(lua_State *L)
{
    struct httpd_exchange *x = check_request(L);
    struct httpd_reply r = {.status = check_status(L)};
    r.bytes = luaL_optlstring(L, 4, "", &r.size);
    r.path = luaL_optstring(L, 5, NULL);
    lua_Number rate = luaL_optnumber(L, 6, 0);
    luaL_argcheck(L, rate >= 0 && rate < 1e12, 6, "rate out of range");
    r.rate = (uint64_t)rate;
    r.truncate = luaL_optinteger(L, 7, -1);
    read_headers(L, 3, &r);
    struct wait_op *o = wait_new(L, &wait_class);
    return started(o, httpd_respond(x, &r, &o->waiter));
}

/* stream(request, status, headers) -> true | nil, err       [-0, +1, v] */
static int l_stream(lua_State *L)
{
    struct httpd_exchange *x = check_request(L);
    struct httpd_reply r = {.status = check_status(L)};
    read_headers(L, 3, &r);
    int status = httpd_stream(x, &r);
    if (status == UV_EALREADY)
        return luaL_error(L, "this request has been answered already");
    if (status < 0)
        return rushes_push_error(L, status, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

static int l_write(lua_State *L)
{
    struct httpd_exchange *x = check_request(L);
    size_t size;
    const char *s = luaL_checklstring(L, 2, &size);
    luaL_argcheck(L, size > 0, 2, "nothing to write");
    struct wait_op *o = wait_new(L, &wait_class);
    return started(o, httpd_write(x, s, size, &o->waiter));
}

static int l_finish(lua_State *L)
{
    struct httpd_exchange *x = check_request(L);
    struct wait_op *o = wait_new(L, &wait_class);
    return started(o, httpd_finish(x, &o->waiter));
}

/* abort(request, reset): cut the connection; without reset by a plain close */
static int l_abort(lua_State *L)
{
    httpd_abort(check_request(L), lua_toboolean(L, 2));
    return 0;
}

/* release(request): it is over for us; its files go. Also the finaliser. */
static int l_request_gc(lua_State *L)
{
    struct request_box *box = luaL_checkudata(L, 1, REQUEST);
    if (box->x)
        httpd_release(box->x);
    box->x = NULL;
    return 0;
}

/* ---- servers ---- */

struct server_box {
    struct httpd *s;
};

static struct httpd *check_server(lua_State *L)
{
    struct server_box *box = luaL_checkudata(L, 1, SERVER);
    luaL_argcheck(L, box->s, 1, "the server is not open");
    return box->s;
}

/* listen(host, port, max_body, max_memory, spool, idle, connections)
 *     -> server | nil, err                                  [-0, +1, v] */
static int l_listen(lua_State *L)
{
    struct httpd_options o = {
        .host = luaL_checkstring(L, 1),
        .port = (int)luaL_checkinteger(L, 2),
        .max_body = (size_t)luaL_checkinteger(L, 3),
        .max_memory = (size_t)luaL_checkinteger(L, 4),
        .spool = luaL_checkstring(L, 5),
        .idle = (unsigned)luaL_checkinteger(L, 6),
        .connections = (unsigned)luaL_checkinteger(L, 7),
    };
    luaL_argcheck(L, o.port >= 0 && o.port <= 65535, 2,
                  "port must be 0 to 65535");
    struct server_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->s = NULL;
    luaL_setmetatable(L, SERVER);
    struct wait_op *life = wait_new(L, &life_class);
    lua_pop(L, 1); /* anchored until the server stops */
    const char *why = "not enough memory";
    int status = httpd_listen(&box->s, rushes_loop(L), &o, &why);
    if (status < 0) {
        on_wake(&life->waiter, status);
        return rushes_push_error(L, status, "cannot listen on %s port %d: %s",
                                 o.host, o.port, why);
    }
    httpd_hold(box->s);
    life->server = box->s;
    httpd_wait_end(box->s, &life->waiter);
    return 1;
}

static int l_port(lua_State *L)
{
    lua_pushinteger(L, httpd_port(check_server(L)));
    return 1;
}

/* accept(server) -> op of a request table; err "closed"     [-0, +1, v] */
static int l_accept(lua_State *L)
{
    struct httpd *s = check_server(L);
    struct wait_op *o = wait_new(L, &accept_class);
    httpd_hold(s);
    o->server = s;
    httpd_wait_request(s, &o->waiter);
    return 1;
}

/* close(server) -> op of true, when every request is answered */
static int l_close(lua_State *L)
{
    struct httpd *s = check_server(L);
    struct wait_op *o = wait_new(L, &wait_class);
    httpd_close(s, &o->waiter);
    return 1;
}

static int l_cut(lua_State *L)
{
    httpd_cut(check_server(L));
    return 0;
}

static int l_server_gc(lua_State *L)
{
    struct server_box *box = luaL_checkudata(L, 1, SERVER);
    if (box->s) {
        httpd_cut(box->s);
        httpd_drop(box->s);
    }
    box->s = NULL;
    return 0;
}

static void make_meta(lua_State *L, const char *name, const luaL_Reg *methods,
                      lua_CFunction gc)
{
    luaL_newmetatable(L, name);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

int luaopen_rt_httpd(lua_State *L)
{
    static const luaL_Reg lib[] = {{"listen", l_listen}, {NULL, NULL}};
    static const luaL_Reg server[] = {
        {"accept", l_accept}, {"close", l_close}, {"cut", l_cut},
        {"port", l_port},     {NULL, NULL},
    };
    static const luaL_Reg request[] = {
        {"respond", l_respond}, {"stream", l_stream},
        {"write", l_write},     {"release", l_request_gc},
        {"finish", l_finish},   {"abort", l_abort},
        {NULL, NULL},
    };
    make_meta(L, SERVER, server, l_server_gc);
    make_meta(L, REQUEST, request, l_request_gc);
    luaL_newlib(L, lib);
    return 1;
}
