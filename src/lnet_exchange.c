/* lnet_exchange.c - module "rt.c.net": one exchange, and the same GET until
 * its answer changes. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "lnet.h"

/* Of a poll, in seconds. */
#define EVERY 5
#define DEADLINE 900

/* ---- a request in a table ---- */

struct request {
    struct http_spec_options spec;
    const char *headers[HTTP_HEADERS_MAX];
};

static int is_token(const char *s)
{
    size_t n = strspn(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return n > 0 && s[n] == '\0';
}

static int printable(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
            return 0;
    return 1;
}

/* The lines stay on the stack, so that they stay valid. */
static void check_headers(lua_State *L, int req, struct request *r)
{
    if (lua_getfield(L, req, "headers") == LUA_TNIL)
        return;
    if (!lua_istable(L, -1))
        luaL_error(L, "headers must be a table of names and values");
    int t = lua_gettop(L);
    luaL_checkstack(L, HTTP_HEADERS_MAX + 4, "too many headers");
    lua_pushnil(L);
    while (lua_next(L, t)) { /* ... name value */
        size_t n = 0;
        const char *value =
            lua_isstring(L, -1) ? lua_tolstring(L, -1, &n) : NULL;
        if (lua_type(L, -2) != LUA_TSTRING || !is_token(lua_tostring(L, -2)))
            luaL_error(L, "a header's name must be a word");
        if (!value || !printable(value, n))
            luaL_error(L, "header %s must be a text of one line",
                       lua_tostring(L, -2));
        if (r->spec.n_headers == HTTP_HEADERS_MAX)
            luaL_error(L, "more than %d headers", HTTP_HEADERS_MAX);
        /* libcurl reads "Name:" as "leave it out" */
        lua_pushfstring(L, n ? "%s: %s" : "%s;", lua_tostring(L, -2), value);
        r->headers[r->spec.n_headers++] = lua_tostring(L, -1);
        lua_insert(L, t); /* line ... name value */
        t++;
        lua_pop(L, 1);
    }
    r->spec.headers = r->headers;
}

static void check_url(lua_State *L, int req, struct request *r)
{
    size_t n = 0;
    lua_getfield(L, req, "path");
    lua_getfield(L, req, "url"); /* path url */
    if (lua_isnil(L, -2) == lua_isnil(L, -1))
        luaL_error(L, "a request needs either a path or a url");
    bool absolute = lua_isnil(L, -2);
    const char *url = lua_tolstring(L, absolute ? -1 : -2, &n);
    if (!url || strlen(url) != n || !printable(url, n) || strchr(url, ' '))
        luaL_error(L, "the %s of a request must be a text without spaces",
                   absolute ? "url" : "path");
    if (!absolute && url[0] != '/')
        luaL_error(L, "the path of a request must begin with \"/\"");
    r->spec.url = url;
    r->spec.flags |= absolute ? HTTP_ABSOLUTE : 0;
}

static void check_method(lua_State *L, int req, struct request *r)
{
    int type = lua_getfield(L, req, "method");
    if (type == LUA_TNIL)
        return; /* GET */
    const char *name = type == LUA_TSTRING ? lua_tostring(L, -1) : "";
    for (int i = 0; i < HTTP_METHODS; i++)
        if (strcmp(name, http_method_names[i]) == 0) {
            r->spec.method = i;
            return;
        }
    luaL_error(L,
               "\"%s\" is not a method; it must be GET, HEAD, POST, PUT, "
               "PATCH or DELETE",
               name);
}

static double opt_field(lua_State *L, int req, const char *name, double max)
{
    double v = 0;
    if (lua_getfield(L, req, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TNUMBER || !(lua_tonumber(L, -1) > 0) ||
            !(lua_tonumber(L, -1) <= max))
            luaL_error(L, "%s must be a number above 0 and at most %f", name,
                       max);
        v = lua_tonumber(L, -1);
    }
    lua_pop(L, 1);
    return v;
}

static bool field_is(lua_State *L, int req, const char *name, bool def)
{
    bool v =
        lua_getfield(L, req, name) == LUA_TNIL ? def : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

static bool is_safe(enum http_method m)
{
    return m == HTTP_GET || m == HTTP_HEAD;
}

/* Reads the table at `req`; what it points to is kept by the stack. Raises
 * what is the caller's bug. */
static void check_request(lua_State *L, int req, struct request *r)
{
    luaL_checktype(L, req, LUA_TTABLE);
    *r = (struct request){.spec.method = HTTP_GET};
    check_method(L, req, r);
    check_url(L, req, r);
    check_headers(L, req, r);
    double seconds = opt_field(L, req, "timeout", 86400);
    r->spec.timeout_ms =
        seconds > 0.001 ? (uint32_t)(seconds * 1000) : seconds > 0;
    r->spec.max_body = (size_t)opt_field(L, req, "max_body", 1e12);
    if (!field_is(L, req, "auth", true))
        r->spec.flags |= HTTP_NO_AUTH;
    if (is_safe(r->spec.method))
        r->spec.flags |= HTTP_FOLLOW | HTTP_REPEATABLE;
}

/* ---- one exchange ---- */

struct exchange_op {
    struct rushes_op op;
    struct http_job job;
    struct net_result *result;
};

static void on_exchange(struct http_job *job, const struct http_answer *a)
{
    struct exchange_op *x =
        (struct exchange_op *)((char *)job - offsetof(struct exchange_op, job));
    x->result = net_result_new(a, job->spec->flags & HTTP_REPEATABLE);
    http_job_fini(job);
    rushes_op_done(&x->op, x->result ? 0 : UV_ENOMEM);
    rushes_op_release(&x->op);
}

static void exchange_cancel(struct rushes_op *op)
{
    struct exchange_op *x = (struct exchange_op *)op;
    http_job_fini(&x->job);
    rushes_op_done(op, UV_ECANCELED);
    rushes_op_release(op);
}

static int exchange_push(lua_State *L, struct rushes_op *op)
{
    struct exchange_op *x = (struct exchange_op *)op;
    return net_push_result(L, op, &x->result);
}

static void exchange_fini(struct rushes_op *op)
{
    free(((struct exchange_op *)op)->result);
}

static const struct rushes_op_class exchange_class = {
    "request", exchange_cancel, exchange_push, exchange_fini};

/* The bytes or the body at `arg`, if any. */
static void check_data(lua_State *L, int arg, struct request *r)
{
    if (lua_type(L, arg) == LUA_TSTRING)
        r->spec.data = lua_tolstring(L, arg, &r->spec.data_len);
    else if (!lua_isnoneornil(L, arg))
        r->spec.body = net_check_body(L, arg);
}

static struct http_spec *spec_new(struct request *r)
{
    if (r->spec.body)
        body_ref(r->spec.body);
    return http_spec_new(&r->spec);
}

/* exchange(client, request, "submit" | "request", data, is_json) -> op */
int l_net_exchange(lua_State *L)
{
    static const char *const classes[] = {"submit", "request", NULL};
    struct request r;
    lua_settop(L, 5);
    struct http_client *c = net_check_client(L, 1);
    bool submit = luaL_checkoption(L, 3, NULL, classes) == 0;
    check_request(L, 2, &r);
    check_data(L, 4, &r);
    if (lua_toboolean(L, 5))
        r.spec.flags |= HTTP_JSON;
    if (submit)
        r.spec.flags &= ~(unsigned)(HTTP_REPEATABLE | HTTP_FOLLOW);
    struct exchange_op *x = rushes_op_new(L, &exchange_class, sizeof *x);
    struct http_spec *spec = spec_new(&r);
    if (!spec) {
        rushes_op_done(&x->op, UV_ENOMEM);
        rushes_op_release(&x->op);
        return 1;
    }
    http_job_init(&x->job, c, spec, submit ? HTTP_SUBMIT : HTTP_REQUEST);
    x->job.done = on_exchange;
    http_job_start(&x->job);
    return 1;
}

/* ---- polling ---- */

struct poll_op {
    struct rushes_op op;
    struct http_poll poll;
    struct net_result *result;
};

static void on_poll(struct http_poll *poll, const struct http_answer *a)
{
    struct poll_op *p =
        (struct poll_op *)((char *)poll - offsetof(struct poll_op, poll));
    p->result = net_result_new(a, true);
    if (!a->code)
        poll->seen = http_poll_digest(a->body, a->body_len);
    http_poll_stop(poll);
    rushes_op_done(&p->op, p->result ? 0 : UV_ENOMEM);
    rushes_op_release(&p->op);
}

static void poll_cancel(struct rushes_op *op)
{
    struct poll_op *p = (struct poll_op *)op;
    http_poll_stop(&p->poll);
    rushes_op_done(op, UV_ECANCELED);
    rushes_op_release(op);
}

static int poll_push(lua_State *L, struct rushes_op *op)
{
    struct poll_op *p = (struct poll_op *)op;
    int n = net_push_result(L, op, &p->result);
    if (n == 1) {
        lua_pushinteger(L, (lua_Integer)p->poll.seen);
        lua_setfield(L, -2, "digest");
    }
    return n;
}

static void poll_fini(struct rushes_op *op)
{
    free(((struct poll_op *)op)->result);
}

static const struct rushes_op_class poll_class = {"poll", poll_cancel,
                                                  poll_push, poll_fini};

static double seconds_of(lua_State *L, const char *name, double def)
{
    double v = def;
    if (lua_getfield(L, 3, name) != LUA_TNIL)
        v = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    if (!(v >= 0 && v <= 1e7))
        luaL_error(L, "%s must be 0 to 1e7 seconds", name);
    lua_pop(L, 1);
    return v;
}

static void check_known(lua_State *L)
{
    static const char *const names[] = {"first", "every", "deadline", "seen"};
    lua_pushnil(L);
    while (lua_next(L, 3)) {
        const char *name =
            lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        size_t i = 0, n = sizeof names / sizeof *names;
        while (i < n && strcmp(name, names[i]) != 0)
            i++;
        if (i == n)
            luaL_error(L,
                       "net.poll has no option \"%s\"; it has first, every, "
                       "deadline and seen",
                       name);
        lua_pop(L, 1);
    }
}

/* The options are read here and not in Lua, because what waits should need
 * as few slots of its coroutine's stack as can be. */
static void check_options(lua_State *L, struct http_poll_options *o)
{
    if (lua_isnil(L, 3)) {
        *o = (struct http_poll_options){EVERY, EVERY, DEADLINE, 0};
        return;
    }
    luaL_checktype(L, 3, LUA_TTABLE);
    check_known(L);
    o->every = seconds_of(L, "every", EVERY);
    o->first = seconds_of(L, "first", o->every);
    o->deadline = seconds_of(L, "deadline", DEADLINE);
    lua_getfield(L, 3, "seen");
    o->seen = (uint64_t)luaL_optinteger(L, -1, 0);
    lua_pop(L, 1);
}

/* poll(client, request, {first, every, deadline, seen} | nil) -> op */
int l_net_poll(lua_State *L)
{
    struct request r;
    struct http_poll_options o;
    lua_settop(L, 3);
    struct http_client *c = net_check_client(L, 1);
    check_options(L, &o);
    check_request(L, 2, &r);
    luaL_argcheck(L, r.spec.method == HTTP_GET, 2, "only a GET can be polled");
    struct poll_op *p = rushes_op_new(L, &poll_class, sizeof *p);
    struct http_spec *spec = spec_new(&r);
    if (!spec) {
        rushes_op_done(&p->op, UV_ENOMEM);
        rushes_op_release(&p->op);
        return 1;
    }
    p->poll.done = on_poll;
    http_poll_start(net_of(L)->polls, &p->poll, c, spec, &o);
    return 1;
}
