/* lhash.c - module "rt.c.hash": SHA-256 of strings at once and of files on a
 * pool thread; base64. */
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "linit.h"
#include "lwork.h"

/* Raises when libcrypto is not there: a broken installation. */
static void need_crypto(lua_State *L)
{
    const char *why = NULL;
    if (hash_load(&why) < 0)
        luaL_error(L, "%s", why ? why : "libcrypto cannot be loaded");
}

/* sha256(string) -> hex                                      [-0, +1, v] */
static int l_sha256(lua_State *L)
{
    size_t len;
    char hex[HASH_HEX];
    const char *s = luaL_checklstring(L, 1, &len);
    need_crypto(L);
    if (hash_sha256(s, len, hex) < 0)
        return luaL_error(L, "not enough memory");
    lua_pushlstring(L, hex, HASH_HEX - 1);
    return 1;
}

/* base64(string) -> string                                   [-0, +1, v] */
static int l_base64(lua_State *L)
{
    size_t len;
    const char *s = luaL_checklstring(L, 1, &len);
    need_crypto(L);
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, HASH_BASE64(len) + 1);
    hash_base64(s, len, out);
    luaL_pushresultsize(&b, HASH_BASE64(len));
    return 1;
}

/* unbase64(string) -> string | nil, err                      [-0, +2, v] */
static int l_unbase64(lua_State *L)
{
    size_t len;
    const char *s = luaL_checklstring(L, 1, &len);
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, len / 4 * 3 + 3);
    ptrdiff_t n = hash_unbase64(s, len, (unsigned char *)out);
    if (n >= 0) {
        luaL_pushresultsize(&b, (size_t)n);
        return 1;
    }
    lua_settop(L, 1); /* the buffer may have put its box there */
    return rushes_push_error_code(
        L, "invalid", 0,
        "this is not base64: it is wrong at character %I of %I (A-Z, a-z, 0-9, "
        "+ and / in groups of four, padded with =, and nothing else)",
        (lua_Integer)-n, (lua_Integer)len);
}

/* ---- files ---- */

struct hash_op {
    struct work_op work;
    char *path;
    char hex[HASH_HEX];
    uint64_t bytes;
};

static int run(struct work_op *w)
{
    struct hash_op *h = (struct hash_op *)w;
    return h->path ? hash_file(h->path, &w->stop, h->hex, &h->bytes) : -ENOMEM;
}

static int push(lua_State *L, struct rushes_op *op)
{
    struct hash_op *h = (struct hash_op *)op;
    if (op->status == -ECANCELED || !h->path)
        return rushes_push_error(L, op->status, NULL);
    if (op->status < 0)
        return rushes_push_error(L, op->status, "cannot read \"%s\": %s",
                                 h->path, uv_strerror(op->status));
    lua_pushlstring(L, h->hex, HASH_HEX - 1);
    lua_pushinteger(L, (lua_Integer)h->bytes);
    return 2;
}

static void fini(struct rushes_op *op)
{
    free(((struct hash_op *)op)->path);
}

/* sha256_file(path) -> op -> hex, bytes                      [-0, +1, v] */
static int l_sha256_file(lua_State *L)
{
    static const struct rushes_op_class cls = {"hash", work_cancel, push, fini};
    size_t len;
    const char *path = luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, strlen(path) == len, 1, "a path cannot hold a zero byte");
    need_crypto(L);
    struct hash_op *h = rushes_op_new(L, &cls, sizeof *h);
    h->path = strdup(path);
    work_start(&h->work, run);
    return 1;
}

int luaopen_rt_hash(lua_State *L)
{
    static const luaL_Reg lib[] = {
        {"sha256", l_sha256}, {"sha256_file", l_sha256_file},
        {"base64", l_base64}, {"unbase64", l_unbase64},
        {NULL, NULL},
    };
    luaL_newlib(L, lib);
    return 1;
}
