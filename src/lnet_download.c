/* lnet_download.c - module "rt.c.net": downloads and their counters. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "download.h"
#include "lazy_crypto.h"
#include "lnet.h"

#define SLOTS_MAX 256

struct download_op {
    struct rushes_op op;
    struct download d;
    struct download_pool *pool;
};

static struct download_op *op_of(struct download *d)
{
    return (struct download_op *)((char *)d - offsetof(struct download_op, d));
}

static void on_done(struct download *d)
{
    struct download_op *x = op_of(d);
    bool cancelled = atomic_load(&d->cancelled);
    rushes_op_done(&x->op, d->result   ? 0
                           : cancelled ? UV_ECANCELED
                                       : UV_ENOMEM);
    rushes_op_release(&x->op);
}

static void cancel(struct rushes_op *op)
{
    struct download_op *x = (struct download_op *)op;
    download_cancel(x->pool, &x->d);
}

static int push_file(lua_State *L, const struct download *d)
{
    const struct download_result *r = d->result;
    if (r->code) {
        rushes_push_error_code(L, r->code, r->transient, "%s", r->why);
        if (r->status) {
            lua_pushinteger(L, r->status);
            lua_setfield(L, -2, "status");
        }
        return 2;
    }
    lua_createtable(L, 0, 5);
    lua_pushstring(L, d->path);
    lua_setfield(L, -2, "path");
    lua_pushinteger(L, (lua_Integer)r->bytes);
    lua_setfield(L, -2, "bytes");
    lua_pushnumber(L, (lua_Number)r->mtime / 1e9); /* as fs.stat has it */
    lua_setfield(L, -2, "mtime");
    if (r->sha256[0]) {
        lua_pushstring(L, r->sha256);
        lua_setfield(L, -2, "sha256");
    }
    if (r->type[0]) {
        lua_pushstring(L, r->type);
        lua_setfield(L, -2, "type");
    }
    return 1;
}

static int push(lua_State *L, struct rushes_op *op)
{
    struct download *d = &((struct download_op *)op)->d;
    if (op->status < 0)
        return rushes_push_error(L, op->status, NULL);
    int n = push_file(L, d);
    download_fini(d); /* now, not when the garbage collector comes by */
    return n;
}

static void fini(struct rushes_op *op)
{
    download_fini(&((struct download_op *)op)->d);
}

static const struct rushes_op_class download_class = {"download", cancel, push,
                                                      fini};

/* ---- counters ---- */

static int l_counter_gc(lua_State *L)
{
    struct download_counter **box = lua_touserdata(L, 1);
    if (*box)
        download_counter_unref(*box);
    *box = NULL;
    return 0;
}

/* counter() -> counter, for one download */
int l_net_counter(lua_State *L)
{
    struct download_counter **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    if (luaL_newmetatable(L, NET_COUNTER)) {
        lua_pushcfunction(L, l_counter_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    *box = download_counter_new();
    return *box ? 1 : luaL_error(L, "not enough memory");
}

/* counted(counter) -> bytes, total | nil */
int l_net_counted(lua_State *L)
{
    struct download_counter **box = luaL_checkudata(L, 1, NET_COUNTER);
    unsigned long long total = atomic_load(&(*box)->total);
    lua_pushinteger(L, (lua_Integer)atomic_load(&(*box)->bytes));
    if (total == 0)
        return 1;
    lua_pushinteger(L, (lua_Integer)total);
    return 2;
}

/* ---- starting ---- */

static struct download_pool *pool_of(lua_State *L)
{
    struct net *n = net_of(L);
    if (!n->downloads)
        n->downloads = download_pool_new(n->loop);
    return n->downloads;
}

static const char *check_text(lua_State *L, int arg)
{
    size_t n;
    const char *s = luaL_checklstring(L, arg, &n);
    luaL_argcheck(L, n > 0 && strlen(s) == n, arg,
                  "must be a text without NUL bytes, and not empty");
    return s;
}

/* download(client, url, path, max_bytes, sha256, slots, counter, attempts)
 * -> op */
int l_net_download(lua_State *L)
{
    lua_settop(L, 8);
    struct http_client *c = net_check_client(L, 1);
    const char *url = check_text(L, 2), *path = check_text(L, 3);
    lua_Integer max = luaL_checkinteger(L, 4);
    lua_Integer slots = luaL_checkinteger(L, 6);
    luaL_argcheck(L, max > 0, 4, "max_bytes must be above 0");
    luaL_argcheck(L, slots > 0 && slots <= SLOTS_MAX, 6, "slots out of range");
    lua_Integer attempts = luaL_checkinteger(L, 8);
    luaL_argcheck(L, attempts > 0 && attempts <= 100, 8,
                  "attempts must be 1 to 100");
    struct download_counter **counter =
        lua_isnil(L, 7) ? NULL : luaL_checkudata(L, 7, NET_COUNTER);
    const char *why;
    if (lua_toboolean(L, 5) && crypto_load(&why) < 0)
        return rushes_push_error_code(L, "unsupported", 0, "%s", why);
    struct download_pool *pool = pool_of(L);
    if (!pool)
        return rushes_push_error_code(L, "no_memory", 0,
                                      "cannot start the download thread");
    struct download_op *x = rushes_op_new(L, &download_class, sizeof *x);
    x->pool = pool;
    x->d.client = http_client_ref(c);
    x->d.done = on_done;
    x->d.max_bytes = (uint64_t)max;
    x->d.hash = lua_toboolean(L, 5);
    x->d.slots = (unsigned)slots;
    x->d.attempts = (unsigned)attempts;
    if (counter) {
        atomic_fetch_add(&(*counter)->refs, 1);
        x->d.counter = *counter;
    }
    if (download_start(pool, &x->d, url, path) < 0) {
        rushes_op_done(&x->op, UV_ENOMEM);
        rushes_op_release(&x->op);
    }
    return 1;
}
