/* lfs.c - module "rt.c.fs": files and folders, each call on a pool thread,
 * and "something has changed in this folder". */
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fsx.h"
#include "lfs.h"
#include "linit.h"
#include "lwork.h"

struct fs_op;

struct kind {
    const char *verb; /* "cannot <verb> PATH" */
    int (*run)(struct fs_op *f);
    int (*push)(lua_State *L, struct fs_op *f); /* NULL: true */
};

struct fs_op {
    struct work_op work;
    const struct kind *kind;
    char *path, *to;
    char *data; /* to be written, or read, or a path made */
    size_t len, max;
    int flag;
    int fd; /* of a lock, until Lua has it; otherwise -1 */
    struct fsx_list list;
    struct fsx_stat st;
};

/* ---- errors: what was wrong with which path, and what to do ---- */

static const char *advice(const struct fs_op *f, int status)
{
    switch (status) {
    case -EACCES:
    case -EPERM:
        return "permission denied; check who owns it and its mode";
    case -EROFS:
        return "the file system is mounted read-only";
    case -ENOSPC:
    case -EDQUOT:
        return "the disk is full (or your quota is); free some space and try "
               "again, what was there before is untouched";
    case -EEXIST:
        return "a file of that name is in the way; remove it or choose another "
               "name";
    case -ENOTEMPTY:
        return "the folder is not empty; remove what is in it first, or pass "
               "recursive = true";
    case -EISDIR:
        return "it is a folder, not a file";
    case -ENOTDIR:
        return "a part of the path is a file, not a folder";
    case -ELOOP:
        return "it is a link that leads round in a circle, or that is not "
               "followed here";
    case -ENAMETOOLONG:
        return "the name is too long";
    case -E2BIG:
        return "there are more than a million names in it";
    case -EMFILE:
    case -ENFILE:
        return "too many files are open at once; raise the limit (ulimit -n)";
    case -ENOTSUP:
        return "this file system has no locks; put the file on another disk";
    case -ENOENT:
        return f->data || f->to
                   ? "there is no such file or folder; check the name, and "
                     "that its folder exists (fs.mkdir makes it)"
                   : "there is no such file or folder; check the name";
    default:
        return NULL;
    }
}

static int push_fault(lua_State *L, const struct fs_op *f)
{
    int status = f->work.op.status;
    char cwd[PATH_MAX];
    const char *text = advice(f, status);
    lua_pushfstring(L, "cannot %s \"%s\"", f->kind->verb, f->path);
    if (f->to)
        lua_pushfstring(L, " to \"%s\"", f->to);
    else
        lua_pushliteral(L, "");
    if (status == -EFBIG)
        lua_pushfstring(L,
                        "it is larger than the %I bytes that may be read at "
                        "once; pass a larger max",
                        (lua_Integer)f->max);
    else
        lua_pushstring(L, text ? text : uv_strerror(status));
    if (status == -ENOENT && f->path[0] != '/' && getcwd(cwd, sizeof cwd))
        lua_pushfstring(L, " (seen from %s)", cwd);
    else
        lua_pushliteral(L, ""); /* what, to, why, from */
    const char *what = lua_tostring(L, -4), *to = lua_tostring(L, -3),
               *why = lua_tostring(L, -2), *from = lua_tostring(L, -1);
    if (status == -ENOTEMPTY)
        return rushes_push_error_code(L, "exists", 0, "%s%s: %s%s", what, to,
                                      why, from);
    return rushes_push_error(L, status == -EDQUOT ? -ENOSPC : status,
                             "%s%s: %s%s", what, to, why, from);
}

/* ---- the operation ---- */

static int run(struct work_op *w)
{
    struct fs_op *f = (struct fs_op *)w;
    return f->path ? f->kind->run(f) : -ENOMEM;
}

static int push(lua_State *L, struct rushes_op *op)
{
    struct fs_op *f = (struct fs_op *)op;
    if (op->status == -ECANCELED || !f->path)
        return rushes_push_error(L, op->status, NULL);
    if (op->status == -EWOULDBLOCK)
        return lfs_push_locked(L, f->path, f->data);
    if (op->status < 0)
        return push_fault(L, f);
    if (f->kind->push)
        return f->kind->push(L, f);
    lua_pushboolean(L, 1);
    return 1;
}

static void fini(struct rushes_op *op)
{
    struct fs_op *f = (struct fs_op *)op;
    free(f->path);
    free(f->to);
    free(f->data);
    if (f->path && f->fd >= 0)
        fsx_unlock(f->fd);
    fsx_list_fini(&f->list);
}

static const struct rushes_op_class fs_class = {"fs", work_cancel, push, fini};

static const char *check_path(lua_State *L, int arg)
{
    size_t len;
    const char *path = luaL_checklstring(L, arg, &len);
    luaL_argcheck(L, len > 0, arg, "a path cannot be empty");
    luaL_argcheck(L, strlen(path) == len, arg,
                  "a path cannot hold a zero byte");
    return path;
}

/* Argument 1 is the path. Nothing may raise until start(). */
static struct fs_op *fs_new(lua_State *L, const struct kind *kind)
{
    const char *path = check_path(L, 1);
    struct fs_op *f = rushes_op_new(L, &fs_class, sizeof *f);
    f->kind = kind;
    f->fd = -1;
    f->path = strdup(path);
    return f;
}

static int start(struct fs_op *f)
{
    work_start(&f->work, run);
    return 1;
}

/* ---- one block for each kind ---- */

static int run_read(struct fs_op *f)
{
    return fsx_read(f->path, f->max, &f->work.stop, &f->data, &f->len);
}

static int push_data(lua_State *L, struct fs_op *f)
{
    lua_pushlstring(L, f->data, f->len);
    return 1;
}

/* read(path, max) -> op -> string */
static int l_read(lua_State *L)
{
    static const struct kind kind = {"read", run_read, push_data};
    lua_Integer max = luaL_checkinteger(L, 2);
    luaL_argcheck(L, max >= 0, 2, "max must not be negative");
    struct fs_op *f = fs_new(L, &kind);
    f->max = (size_t)max;
    return start(f);
}

static int run_write(struct fs_op *f)
{
    return f->data ? fsx_write(f->path, f->data, f->len) : -ENOMEM;
}

/* Argument 2 is what is to be written. */
static int start_data(lua_State *L, const struct kind *kind)
{
    size_t len;
    const char *data = luaL_checklstring(L, 2, &len);
    struct fs_op *f = fs_new(L, kind);
    f->len = len;
    f->data = malloc(len + 1);
    if (f->data)
        memcpy(f->data, data, len);
    return start(f);
}

/* write(path, string) -> op */
static int l_write(lua_State *L)
{
    static const struct kind kind = {"write", run_write, NULL};
    return start_data(L, &kind);
}

static int run_lock(struct fs_op *f)
{
    char *holder = NULL;
    if (!f->data)
        return -ENOMEM;
    int status = fsx_lock(f->path, f->data, f->len, &f->fd, &holder);
    if (status == -EWOULDBLOCK) {
        free(f->data);
        f->data = holder;
    }
    return status;
}

static int push_lock(lua_State *L, struct fs_op *f)
{
    return lfs_push_lock(L, &f->fd);
}

/* lock(path, text) -> op -> lock | nil, err */
static int l_lock(lua_State *L)
{
    static const struct kind kind = {"lock", run_lock, push_lock};
    return start_data(L, &kind);
}

static int run_mkdir(struct fs_op *f)
{
    return fsx_mkdir(f->path);
}

/* mkdir(path) -> op */
static int l_mkdir(lua_State *L)
{
    static const struct kind kind = {"make the folder", run_mkdir, NULL};
    return start(fs_new(L, &kind));
}

static void push_type(lua_State *L, char type)
{
    const char *name = type == 'f'   ? "file"
                       : type == 'd' ? "dir"
                       : type == 'l' ? "link"
                                     : "other";
    lua_pushstring(L, name);
    lua_setfield(L, -2, "type");
}

/* The fields of a stat into the table on the top.           [-0, +0, m] */
static void push_details(lua_State *L, const struct fsx_stat *st)
{
    push_type(L, st->type);
    lua_pushinteger(L, (lua_Integer)st->size);
    lua_setfield(L, -2, "size");
    lua_pushinteger(L, (lua_Integer)st->id);
    lua_setfield(L, -2, "id");
    lua_pushnumber(L, (lua_Number)st->mtime / 1e9);
    lua_setfield(L, -2, "mtime");
    lua_pushinteger(L, st->mode);
    lua_setfield(L, -2, "mode");
}

static int run_stat(struct fs_op *f)
{
    return fsx_stat(f->path, &f->st);
}

static int push_stat(lua_State *L, struct fs_op *f)
{
    lua_createtable(L, 0, 5);
    push_details(L, &f->st);
    return 1;
}

/* stat(path) -> op -> {type, size, id, mtime, mode} */
static int l_stat(lua_State *L)
{
    static const struct kind kind = {"look at", run_stat, push_stat};
    return start(fs_new(L, &kind));
}

static int run_list(struct fs_op *f)
{
    return fsx_list(f->path, f->flag, &f->list);
}

static int push_list(lua_State *L, struct fs_op *f)
{
    lua_createtable(L, (int)f->list.n, 0);
    for (size_t i = 0; i < f->list.n; i++) {
        const struct fsx_entry *e = &f->list.entries[i];
        lua_createtable(L, 0, f->flag ? 6 : 2); /* list entry */
        lua_pushstring(L, e->name);
        lua_setfield(L, -2, "name");
        if (f->flag)
            push_details(L, &e->st);
        else
            push_type(L, e->st.type);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* list(path, details) -> op -> {{name, type, ...}, ...} */
static int l_list(lua_State *L)
{
    static const struct kind kind = {"list the folder", run_list, push_list};
    int details = lua_toboolean(L, 2);
    struct fs_op *f = fs_new(L, &kind);
    f->flag = details;
    return start(f);
}

static int run_remove(struct fs_op *f)
{
    return fsx_remove(f->path, f->flag);
}

/* remove(path, recursive) -> op */
static int l_remove(lua_State *L)
{
    static const struct kind kind = {"remove", run_remove, NULL};
    int recursive = lua_toboolean(L, 2);
    struct fs_op *f = fs_new(L, &kind);
    f->flag = recursive;
    return start(f);
}

static int start_to(lua_State *L, const struct kind *kind)
{
    const char *to = check_path(L, 2);
    struct fs_op *f = fs_new(L, kind);
    f->to = strdup(to);
    return start(f);
}

static int run_rename(struct fs_op *f)
{
    return f->to ? fsx_rename(f->path, f->to, &f->work.stop) : -ENOMEM;
}

/* rename(from, to) -> op */
static int l_rename(lua_State *L)
{
    static const struct kind kind = {"rename", run_rename, NULL};
    return start_to(L, &kind);
}

static int run_copy(struct fs_op *f)
{
    return f->to ? fsx_copy(f->path, f->to, &f->work.stop) : -ENOMEM;
}

/* copy(from, to) -> op */
static int l_copy(lua_State *L)
{
    static const struct kind kind = {"copy", run_copy, NULL};
    return start_to(L, &kind);
}

static int run_tempdir(struct fs_op *f)
{
    int status = fsx_tempdir(f->path, &f->data);
    f->len = status < 0 ? 0 : strlen(f->data);
    return status;
}

/* tempdir(under) -> op -> path */
static int l_tempdir(lua_State *L)
{
    static const struct kind kind = {"make a temporary folder in", run_tempdir,
                                     push_data};
    return start(fs_new(L, &kind));
}

/* ---- change ---- */

/* Where the kernel cannot watch (its table is full, a strange file system),
 * the folder is looked at this often. */
#define LOOK_MS 1000

struct change_op {
    struct rushes_op op;
    uv_fs_event_t event;
    uv_timer_t timer;
    int closing; /* handles not yet closed */
};

static void on_change_closed(uv_handle_t *h)
{
    struct change_op *c = h->data;
    if (--c->closing == 0)
        rushes_op_release(&c->op);
}

static void change_finish(struct change_op *c, int status)
{
    rushes_op_done(&c->op, status);
    c->closing = 2;
    uv_close((uv_handle_t *)&c->event, on_change_closed);
    uv_close((uv_handle_t *)&c->timer, on_change_closed);
}

static void on_event(uv_fs_event_t *h, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status; /* whoever looks now will find what is wrong */
    struct change_op *c = h->data;
    if (!c->op.done)
        change_finish(c, 0);
}

static void on_time(uv_timer_t *h)
{
    change_finish(h->data, 0);
}

static void change_cancel(struct rushes_op *op)
{
    change_finish((struct change_op *)op, UV_ECANCELED);
}

static int change_push(lua_State *L, struct rushes_op *op)
{
    if (op->status < 0)
        return rushes_push_error(L, op->status, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

static const struct rushes_op_class change_class = {"fs.change", change_cancel,
                                                    change_push, NULL};

/* change(path, seconds) -> op: until something may have changed in the folder,
 * or so long; what it was is for the caller to find. */
static int l_change(lua_State *L)
{
    const char *path = check_path(L, 1);
    lua_Number s = luaL_checknumber(L, 2);
    luaL_argcheck(L, s >= 0 && s <= 1e6, 2, "seconds must be 0 to 1e6");
    struct change_op *c = rushes_op_new(L, &change_class, sizeof *c);
    uv_loop_t *loop = rushes_op_loop(&c->op);
    uint64_t ms = (uint64_t)(s * 1000 + 0.999);
    c->event.data = c->timer.data = c;
    uv_update_time(loop);
    uv_timer_init(loop, &c->timer);
    uv_fs_event_init(loop, &c->event);
    if (uv_fs_event_start(&c->event, on_event, path, 0) < 0 && ms > LOOK_MS)
        ms = LOOK_MS;
    uv_timer_start(&c->timer, on_time, ms, 0);
    return 1;
}

int luaopen_rt_fs(lua_State *L)
{
    static const luaL_Reg lib[] = {
        {"read", l_read},     {"write", l_write}, {"mkdir", l_mkdir},
        {"stat", l_stat},     {"list", l_list},   {"remove", l_remove},
        {"rename", l_rename}, {"copy", l_copy},   {"tempdir", l_tempdir},
        {"change", l_change}, {"lock", l_lock},   {NULL, NULL},
    };
    lfs_lock_register(L);
    luaL_newlib(L, lib);
    return 1;
}
