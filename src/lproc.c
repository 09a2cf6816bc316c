/* lproc.c - module "rt.c.proc": child processes as operations. rt.proc makes
 * the environment, and owns every child by a task that awaits its exit. */
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "linit.h"
#include "rushes.h"
#include "signames.h"

/* From SIGTERM to SIGKILL; ffmpeg needs a moment to close its file. */
#define GRACE_MS 3000

#define PIECE (64 * 1024)
#define WRITE_MAX (1u << 30)

extern char **environ;

static const char child_key; /* the metatable of boxes */

struct box {
    struct child *child;
};

static struct child *check_child(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);
    if (box && lua_getmetatable(L, 1)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &child_key);
        int same = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (same && box->child)
            return box->child;
    }
    luaL_typeerror(L, 1, "child process");
    return NULL;
}

static int l_gc(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);
    if (box->child)
        child_unref(box->child);
    box->child = NULL;
    return 0;
}

/* ---- spawn ---- */

static int is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int push_spawn_fault(lua_State *L, int status, const char *program,
                            const char *cwd)
{
    if (cwd && !is_folder(cwd))
        return rushes_push_error_code(
            L, "not_found", 0,
            "cannot run \"%s\" in \"%s\": there is no such folder", program,
            cwd);
    int has_path = strchr(program, '/') != NULL;
    if (status == UV_ENOENT && !has_path)
        return rushes_push_error(L, status,
                                 "%s is not installed or not on PATH; install "
                                 "it, or give its whole path",
                                 program);
    if (status == UV_ENOENT && access(program, F_OK) == 0)
        return rushes_push_error(L, status,
                                 "cannot run \"%s\": the program that its "
                                 "first line (#!) names does not exist",
                                 program);
    if (status == UV_ENOENT)
        return rushes_push_error(
            L, status, "cannot run \"%s\": there is no such file", program);
    if (status == UV_EACCES)
        return rushes_push_error(L, status,
                                 "cannot run \"%s\": it is not an executable "
                                 "file (chmod +x makes a script one)",
                                 program);
    if (status == UV_E2BIG)
        return rushes_push_error(L, status,
                                 "cannot run \"%s\": its arguments are too "
                                 "long; pass what is large through stdin",
                                 program);
    return rushes_push_error(L, status, "cannot run \"%s\": %s", program,
                             uv_strerror(status));
}

/* The strings of a list as a NULL-terminated vector, which is pushed; the
 * list must outlive it.                                      [-0, +1, v] */
static char **push_vector(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    size_t n = lua_rawlen(L, arg);
    char **v = lua_newuserdatauv(L, (n + 1) * sizeof *v, 0);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, arg, (lua_Integer)i + 1);
        size_t len;
        const char *s =
            lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
        if (!s || strlen(s) != len)
            luaL_argerror(L, arg, "must be strings without a zero byte");
        v[i] = (char *)(uintptr_t)s;
        lua_pop(L, 1); /* the list holds it */
    }
    v[n] = NULL;
    return v;
}

/* spawn(argv, env, cwd|nil, in, out, err) -> child | nil, err [-0, +2, v]
 * The last three are "null", "pipe" or "inherit". */
static int l_spawn(lua_State *L)
{
    static const char *const kinds[] = {"null", "pipe", "inherit", NULL};
    struct child_opts opts = {.cwd = luaL_optstring(L, 3, NULL)};
    for (int i = 0; i < 3; i++)
        opts.stdio[i] =
            (enum child_stdio)luaL_checkoption(L, 4 + i, NULL, kinds);
    opts.argv = push_vector(L, 1);
    luaL_argcheck(L, opts.argv[0] && opts.argv[0][0], 1, "no program named");
    opts.env = push_vector(L, 2);
    struct box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->child = NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &child_key);
    lua_setmetatable(L, -2); /* ... box */
    int status = child_spawn(rushes_loop(L), &opts, &box->child);
    return status < 0 ? push_spawn_fault(L, status, opts.argv[0], opts.cwd) : 1;
}

/* environ() -> {"NAME=value", ...} */
static int l_environ(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; environ[i]; i++) {
        lua_pushstring(L, environ[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ---- operations on a child ---- */

struct child_op {
    struct rushes_op op;
    struct child *child; /* a reference until done */
    int pipe;
    char *data; /* to write, or what was read */
    size_t len;
    int code, signal;
};

static void finish(struct child_op *o, int status)
{
    struct child *c = o->child;
    o->child = NULL;
    rushes_op_done(&o->op, status);
    rushes_op_release(&o->op);
    child_unref(c);
}

static void fini(struct rushes_op *op)
{
    free(((struct child_op *)op)->data);
}

static struct child_op *op_new(lua_State *L, struct child *c,
                               const struct rushes_op_class *cls)
{
    struct child_op *o = rushes_op_new(L, cls, sizeof *o);
    o->child = c;
    child_ref(c);
    return o;
}

static void take_exit(void *arg)
{
    struct child_op *o = arg;
    o->code = child_code(o->child);
    o->signal = child_signal(o->child);
    finish(o, 0);
}

static void exit_cancel(struct rushes_op *op)
{
    child_terminate(((struct child_op *)op)->child, GRACE_MS);
}

static int exit_push(lua_State *L, struct rushes_op *op)
{
    struct child_op *o = (struct child_op *)op;
    lua_pushinteger(L, o->signal ? 128 + o->signal : o->code);
    if (o->signal)
        lua_pushfstring(L, "%s",
                        signal_name(o->signal) ? signal_name(o->signal)
                                               : "unknown");
    else
        lua_pushnil(L);
    return 2;
}

/* exit(child) -> op -> code, signal's name | nil. Cancelling it ends the
 * child, and the operation is done when it is dead. Once for a child. */
static int l_exit(lua_State *L)
{
    static const struct rushes_op_class cls = {"proc.exit", exit_cancel,
                                               exit_push, fini};
    struct child *c = check_child(L);
    struct child_op *o = op_new(L, c, &cls);
    if (child_running(c))
        child_on_exit(c, take_exit, o);
    else
        take_exit(o);
    return 1;
}

static void on_read(void *arg, ssize_t n)
{
    struct child_op *o = arg;
    o->len = n > 0 ? (size_t)n : 0;
    finish(o, n < 0 ? (int)n : 0);
}

static void read_cancel(struct rushes_op *op)
{
    struct child_op *o = (struct child_op *)op;
    child_read_cancel(o->child, o->pipe);
}

static int read_push(lua_State *L, struct rushes_op *op)
{
    struct child_op *o = (struct child_op *)op;
    if (op->status < 0)
        return rushes_push_error(L, op->status,
                                 "cannot read from the program: %s",
                                 uv_strerror(op->status));
    if (o->len == 0)
        lua_pushnil(L);
    else
        lua_pushlstring(L, o->data, o->len);
    return 1;
}

/* read(child, 1 | 2) -> op -> string | nil at the end | nil, err */
static int l_read(lua_State *L)
{
    static const struct rushes_op_class cls = {"proc.read", read_cancel,
                                               read_push, fini};
    struct child *c = check_child(L);
    lua_Integer pipe = luaL_checkinteger(L, 2);
    luaL_argcheck(L, pipe == 1 || pipe == 2, 2, "must be 1 or 2");
    struct child_op *o = op_new(L, c, &cls);
    o->pipe = (int)pipe;
    o->data = malloc(PIECE);
    int status = o->data ? child_read(c, o->pipe, o->data, PIECE, on_read, o)
                         : UV_ENOMEM;
    if (status < 0)
        finish(o, status);
    return 1;
}

static void on_written(void *arg, int status)
{
    finish(arg, status);
}

static void write_cancel(struct rushes_op *op)
{
    child_break_input(((struct child_op *)op)->child);
}

static int write_push(lua_State *L, struct rushes_op *op)
{
    if (op->status == UV_EBADF)
        return rushes_push_error_code(L, "closed", 0,
                                      "the standard input of the program has "
                                      "been closed");
    if (op->status == UV_EPIPE || op->status == UV_ECANCELED ||
        op->status == UV_ECONNRESET)
        return rushes_push_error_code(L, "closed", 0,
                                      "the program does not read its standard "
                                      "input any more");
    if (op->status < 0)
        return rushes_push_error(L, op->status,
                                 "cannot write to the program: %s",
                                 uv_strerror(op->status));
    lua_pushboolean(L, 1);
    return 1;
}

/* write(child, string) -> op. Cancelling it closes the input. */
static int l_write(lua_State *L)
{
    static const struct rushes_op_class cls = {"proc.write", write_cancel,
                                               write_push, fini};
    struct child *c = check_child(L);
    size_t len;
    const char *s = luaL_checklstring(L, 2, &len);
    luaL_argcheck(L, len <= WRITE_MAX, 2, "more than 1 GiB at once");
    struct child_op *o = op_new(L, c, &cls);
    int status = UV_ENOMEM;
    o->data = malloc(len + 1);
    if (o->data) {
        memcpy(o->data, s, len);
        status = child_write(c, o->data, len, on_written, o);
    }
    if (status < 0)
        finish(o, status);
    return 1;
}

/* end_input(child) */
static int l_end_input(lua_State *L)
{
    child_end_input(check_child(L));
    return 0;
}

/* kill(child, name | number) -> it was still running         [-0, +1, v] */
static int l_kill(lua_State *L)
{
    struct child *c = check_child(L);
    int number = lua_isinteger(L, 2) ? (int)lua_tointeger(L, 2)
                                     : signal_number(luaL_checkstring(L, 2));
    luaL_argcheck(L, number >= 0 && number < 65, 2, "no such signal");
    lua_pushboolean(L, child_kill(c, number) == 0);
    return 1;
}

/* pid(child) -> integer */
static int l_pid(lua_State *L)
{
    lua_pushinteger(L, child_pid(check_child(L)));
    return 1;
}

static void on_close(void *arg)
{
    (void)arg;
    child_close_all();
}

int luaopen_rt_proc(lua_State *L)
{
    static const luaL_Reg lib[] = {
        {"spawn", l_spawn},         {"environ", l_environ}, {"exit", l_exit},
        {"read", l_read},           {"write", l_write},     {"kill", l_kill},
        {"end_input", l_end_input}, {"pid", l_pid},         {NULL, NULL},
    };
    rushes_on_close(L, on_close, NULL);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, l_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, "rushes.child");
    lua_setfield(L, -2, "__name");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &child_key);
    luaL_newlib(L, lib);
    return 1;
}
