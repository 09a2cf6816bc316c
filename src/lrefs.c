/* lrefs.c - module "rt.c.refs": the reference registry. Files are measured on
 * a pool thread; the registry itself only on the loop's. */
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "linit.h"
#include "lwork.h"
#include "refs.h"

static const char refs_key; /* the metatable of registries */

/* Push nil, err for a refusal and free its sentence.         [-0, +2, m] */
static int push_refusal(lua_State *L, int status, char *why)
{
    if (!why)
        return rushes_push_error(L, status, NULL);
    lua_pushstring(L, why);
    free(why);
    if (status == -ENOTSUP)
        return rushes_push_error_code(L, "unsupported", 0, "%s",
                                      lua_tostring(L, -1));
    return rushes_push_error(L, status, "%s", lua_tostring(L, -1));
}

static void need_crypto(lua_State *L)
{
    const char *why = NULL;
    if (hash_load(&why) < 0)
        luaL_error(L, "%s", why ? why : "libcrypto cannot be loaded");
}

/* ---- measure, unchanged ---- */

struct file_op {
    struct work_op work;
    char *path, *kind;
    struct refs_rules rules;
    struct refs_file file;
    char *why;
};

static void fini(struct rushes_op *op)
{
    struct file_op *f = (struct file_op *)op;
    free(f->path);
    free(f->kind);
    free(f->file.warning);
    free(f->why);
}

static int push_fault(lua_State *L, struct file_op *f)
{
    char *why = f->why;
    f->why = NULL;
    return push_refusal(L, f->work.op.status, why);
}

static int run_measure(struct work_op *w)
{
    struct file_op *f = (struct file_op *)w;
    if (!f->path || !f->kind)
        return -ENOMEM;
    f->rules.kind = f->kind;
    return refs_measure(f->path, &f->rules, &w->stop, &f->file, &f->why);
}

static int push_measure(lua_State *L, struct rushes_op *op)
{
    struct file_op *f = (struct file_op *)op;
    if (op->status < 0)
        return push_fault(L, f);
    lua_createtable(L, 0, 8);
    lua_pushstring(L, f->path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, f->file.hash);
    lua_setfield(L, -2, "hash");
    lua_pushstring(L, f->file.info.type);
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, (lua_Integer)f->file.bytes);
    lua_setfield(L, -2, "bytes");
    lua_pushinteger(L, f->file.mtime);
    lua_setfield(L, -2, "mtime");
    if (f->file.info.width) {
        lua_pushinteger(L, f->file.info.width);
        lua_setfield(L, -2, "width");
        lua_pushinteger(L, f->file.info.height);
        lua_setfield(L, -2, "height");
    }
    lua_pushstring(L, f->file.warning); /* nil if there is none */
    return 2;
}

static const char *check_path(lua_State *L, int arg)
{
    size_t len;
    const char *path = luaL_checklstring(L, arg, &len);
    luaL_argcheck(L, strlen(path) == len, arg,
                  "a path cannot hold a zero byte");
    return path;
}

/* measure(path, kind, any_media, ratio_min, ratio_max)
 *   -> op -> {path, hash, type, bytes, mtime, width?, height?}, warning? */
static int l_measure(lua_State *L)
{
    static const struct rushes_op_class cls = {"refs.measure", work_cancel,
                                               push_measure, fini};
    const char *path = check_path(L, 1), *kind = luaL_checkstring(L, 2);
    int any_media = lua_toboolean(L, 3);
    double min = luaL_checknumber(L, 4), max = luaL_checknumber(L, 5);
    need_crypto(L);
    struct file_op *f = rushes_op_new(L, &cls, sizeof *f);
    f->rules = (struct refs_rules){
        .any_media = any_media, .ratio_min = min, .ratio_max = max};
    f->path = strdup(path);
    f->kind = strdup(kind);
    work_start(&f->work, run_measure);
    return 1;
}

static int run_unchanged(struct work_op *w)
{
    struct file_op *f = (struct file_op *)w;
    return f->path ? refs_unchanged(f->path, &f->file, &w->stop, &f->why)
                   : -ENOMEM;
}

static int push_unchanged(lua_State *L, struct rushes_op *op)
{
    if (op->status < 0)
        return push_fault(L, (struct file_op *)op);
    lua_pushboolean(L, 1);
    return 1;
}

/* The hash of an image; always 64 digits.                     [-0, +0, v] */
static void check_hash(lua_State *L, int arg, char hash[HASH_HEX])
{
    size_t len;
    const char *s = luaL_checklstring(L, arg, &len);
    luaL_argcheck(L, len == HASH_HEX - 1 && strlen(s) == len, arg,
                  "must be a SHA-256 digest");
    memcpy(hash, s, HASH_HEX);
}

/* unchanged(path, hash, bytes, mtime) -> op */
static int l_unchanged(lua_State *L)
{
    static const struct rushes_op_class cls = {"refs.unchanged", work_cancel,
                                               push_unchanged, fini};
    struct refs_file file = {0};
    const char *path = check_path(L, 1);
    check_hash(L, 2, file.hash);
    file.bytes = (uint64_t)luaL_checkinteger(L, 3);
    file.mtime = luaL_checkinteger(L, 4);
    need_crypto(L);
    struct file_op *f = rushes_op_new(L, &cls, sizeof *f);
    f->file = file;
    f->path = strdup(path);
    work_start(&f->work, run_unchanged);
    return 1;
}

/* ---- tags and URLs ---- */

static int push_checked(lua_State *L, int status, char *why)
{
    if (status < 0)
        return push_refusal(L, status, why);
    lua_pushboolean(L, 1);
    return 1;
}

/* check_tag(tag) -> true | nil, err                          [-0, +2, v] */
static int l_check_tag(lua_State *L)
{
    char *why = NULL;
    int status = refs_check_tag(luaL_checkstring(L, 1), &why);
    return push_checked(L, status, why);
}

/* check_url(url) -> true | nil, err                          [-0, +2, v] */
static int l_check_url(lua_State *L)
{
    char *why = NULL;
    int status = refs_check_url(luaL_checkstring(L, 1), &why);
    return push_checked(L, status, why);
}

/* make_tag(name) -> tag                                      [-0, +1, v] */
static int l_make_tag(lua_State *L)
{
    char tag[REFS_TAG_MAX + 1];
    refs_make_tag(luaL_checkstring(L, 1), tag);
    lua_pushstring(L, tag);
    return 1;
}

/* ---- the registry ---- */

static struct refs *check_refs(lua_State *L)
{
    struct refs **box = lua_touserdata(L, 1);
    if (box && lua_getmetatable(L, 1)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &refs_key);
        int same = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (same && *box)
            return *box;
    }
    luaL_typeerror(L, 1, "reference registry");
    return NULL;
}

static int l_gc(lua_State *L)
{
    struct refs **box = lua_touserdata(L, 1);
    refs_free(*box);
    *box = NULL;
    return 0;
}

/* open() -> registry                                         [-0, +1, v] */
static int l_open(lua_State *L)
{
    struct refs **box = lua_newuserdatauv(L, sizeof(struct refs *), 0);
    *box = NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &refs_key);
    lua_setmetatable(L, -2);
    *box = refs_new();
    return *box ? 1 : luaL_error(L, "not enough memory");
}

/* Seconds that also pass while the machine sleeps. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* version(registry, kind, name, hash) -> integer             [-0, +1, v] */
static int l_version(lua_State *L)
{
    char hash[HASH_HEX];
    struct refs *refs = check_refs(L);
    const char *kind = luaL_checkstring(L, 2), *name = luaL_checkstring(L, 3);
    check_hash(L, 4, hash);
    int version = refs_version(refs, kind, name, hash);
    if (version < 0)
        return luaL_error(L, "not enough memory");
    lua_pushinteger(L, version);
    return 1;
}

/* restore(registry, kind, name, version, hash) -> it fits what is known */
static int l_restore(lua_State *L)
{
    char hash[HASH_HEX];
    struct refs *refs = check_refs(L);
    const char *kind = luaL_checkstring(L, 2), *name = luaL_checkstring(L, 3);
    lua_Integer version = luaL_checkinteger(L, 4);
    luaL_argcheck(L, version >= 1 && version <= 1000000, 4,
                  "a version is 1 to 1000000");
    check_hash(L, 5, hash);
    int status = refs_restore(refs, kind, name, (int)version, hash);
    if (status == -ENOMEM)
        return luaL_error(L, "not enough memory");
    lua_pushboolean(L, status == 0);
    return 1;
}

/* uploaded(registry, hash, account, uri, seconds)            [-0, +0, v] */
static int l_uploaded(lua_State *L)
{
    char hash[HASH_HEX];
    struct refs *refs = check_refs(L);
    check_hash(L, 2, hash);
    const char *account = luaL_checkstring(L, 3), *uri = luaL_checkstring(L, 4);
    lua_Number seconds = luaL_checknumber(L, 5);
    luaL_argcheck(L, seconds >= 0, 5, "seconds must not be negative");
    if (refs_uploaded(refs, hash, account, uri, seconds, now()) < 0)
        return luaL_error(L, "not enough memory");
    return 0;
}

/* resolve(registry, path, hash, type, bytes, data_max, account | nil)
 *   -> "data" | "upload", uri | "needs_upload" | nil, err     [-0, +2, v] */
static int l_resolve(lua_State *L)
{
    struct refs_file file = {.bytes = (uint64_t)luaL_checkinteger(L, 5)};
    struct refs *refs = check_refs(L);
    const char *path = luaL_checkstring(L, 2), *uri = NULL;
    check_hash(L, 3, file.hash);
    file.info.type = luaL_checkstring(L, 4);
    file.info.kind =
        strncmp(file.info.type, "image/", 6) ? IMAGE_OTHER : IMAGE_PICTURE;
    lua_Integer data_max = luaL_checkinteger(L, 6);
    luaL_argcheck(L, data_max >= 0, 6, "must not be negative");
    char *why = NULL;
    switch (refs_resolve(refs, path, &file, (uint64_t)data_max,
                         luaL_optstring(L, 7, NULL), now(), &uri, &why)) {
    case REFS_DATA:
        lua_pushliteral(L, "data");
        return 1;
    case REFS_UPLOADED:
        lua_pushliteral(L, "upload");
        lua_pushstring(L, uri);
        return 2;
    case REFS_NEEDS_UPLOAD:
        lua_pushliteral(L, "needs_upload");
        return 1;
    default:
        return push_refusal(L, -EFBIG, why);
    }
}

int luaopen_rt_refs(lua_State *L)
{
    static const luaL_Reg lib[] = {
        {"measure", l_measure},
        {"unchanged", l_unchanged},
        {"check_tag", l_check_tag},
        {"check_url", l_check_url},
        {"make_tag", l_make_tag},
        {"open", l_open},
        {"version", l_version},
        {"restore", l_restore},
        {"uploaded", l_uploaded},
        {"resolve", l_resolve},
        {NULL, NULL},
    };
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, l_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, "rushes.refs");
    lua_setfield(L, -2, "__name");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &refs_key);
    luaL_newlib(L, lib);
    lua_pushnumber(L, REFS_RATIO_MIN);
    lua_setfield(L, -2, "ratio_min");
    lua_pushnumber(L, REFS_RATIO_MAX);
    lua_setfield(L, -2, "ratio_max");
    return 1;
}
