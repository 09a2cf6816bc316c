/* lstdin.c - module "rt.c.stdin": standard input, read without holding up the
 * loop. A reader owns one libuv stream (terminal, pipe) or the plain file
 * behind descriptor 0; each read is one operation. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linit.h"
#include "rushes.h"

#define READ_MAX 65536
#define READER "rt.Stdin"

struct read_op;

/* On the heap, behind the Lua box: libuv may hold it longer than Lua does. */
struct source {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tty_t tty;
        uv_pipe_t pipe;
    } u;
    int fd;             /* plain file: read by the thread pool; else -1 */
    struct read_op *op; /* the read in flight, at most one */
    int orphan;         /* closed while a thread was still reading */
};

struct read_op {
    struct rushes_op op;
    struct source *source; /* NULL once it has finished */
    uv_fs_t fs;
    size_t length;
    char data[READ_MAX];
};

static void finish(struct read_op *r, int status)
{
    r->source->op = NULL;
    r->source = NULL;
    rushes_op_done(&r->op, status);
    rushes_op_release(&r->op);
}

/* ---- streams ---- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct source *s = h->data;
    (void)suggested;
    *buf = s->op ? uv_buf_init(s->op->data, READ_MAX) : uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct source *s = stream->data;
    (void)buf;
    if (n == 0 || !s->op)
        return; /* nothing yet: go on waiting */
    uv_read_stop(stream);
    if (n > 0)
        s->op->length = (size_t)n;
    finish(s->op, n < 0 ? (int)n : 0);
}

/* ---- plain files ---- */

static void on_file_read(uv_fs_t *fs)
{
    struct read_op *r = fs->data;
    struct source *s = r->source;
    ssize_t n = fs->result;
    uv_fs_req_cleanup(fs);
    if (n > 0)
        r->length = (size_t)n;
    finish(r, n > 0 ? 0 : n == 0 ? UV_EOF : (int)n);
    if (s->orphan)
        free(s);
}

/* ---- the operation ---- */

static void cancel(struct rushes_op *op)
{
    struct read_op *r = (struct read_op *)op;
    if (r->source->fd >= 0) {
        uv_cancel((uv_req_t *)&r->fs); /* a read of a file soon ends anyway */
        return;
    }
    uv_read_stop(&r->source->u.stream);
    finish(r, UV_ECANCELED);
}

static int push(lua_State *L, struct rushes_op *op)
{
    struct read_op *r = (struct read_op *)op;
    if (op->status == UV_EOF)
        return lua_pushnil(L), 1;
    if (op->status < 0)
        return rushes_push_error(L, op->status,
                                 "cannot read the standard input: %s",
                                 uv_strerror(op->status));
    lua_pushlstring(L, r->data, r->length);
    return 1;
}

static const struct rushes_op_class read_class = {"stdin", cancel, push, NULL};

/* ---- the reader ---- */

static struct source *check_reader(lua_State *L)
{
    struct source **box = luaL_checkudata(L, 1, READER);
    luaL_argcheck(L, *box, 1, "the standard input is closed");
    return *box;
}

/* reader:read() -> op: bytes, or nil at the end            [-1, +1, v] */
static int l_read(lua_State *L)
{
    struct source *s = check_reader(L);
    if (s->op)
        return luaL_error(L, "a read of the standard input is in flight");
    struct read_op *r = rushes_op_new(L, &read_class, sizeof *r);
    r->source = s;
    r->fs.data = r;
    s->op = r;
    int status;
    if (s->fd >= 0) {
        uv_buf_t buf = uv_buf_init(r->data, READ_MAX);
        status = uv_fs_read(rushes_op_loop(&r->op), &r->fs, s->fd, &buf, 1, -1,
                            on_file_read);
    } else {
        status = uv_read_start(&s->u.stream, on_alloc, on_read);
    }
    if (status < 0)
        finish(r, status);
    return 1;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

static void close_file(struct source *s)
{
    if (s->op)
        s->orphan = 1; /* freed when the thread has finished */
    else
        free(s);
}

static void close_stream(struct source *s)
{
    if (s->op)
        cancel(&s->op->op);
    if (s->u.handle.type == UV_UNKNOWN_HANDLE)
        free(s); /* libuv refused to open it */
    else
        uv_close(&s->u.handle, on_closed);
}

/* reader:close(), also when collected. A read in flight ends. [-1, +0, -] */
static int l_close(lua_State *L)
{
    struct source **box = luaL_checkudata(L, 1, READER);
    struct source *s = *box;
    *box = NULL;
    if (s && s->fd >= 0)
        close_file(s);
    else if (s)
        close_stream(s);
    return 0;
}

static int open_stream(uv_loop_t *loop, struct source *s, uv_handle_type type)
{
    s->fd = -1;
    if (type == UV_TTY)
        return uv_tty_init(loop, &s->u.tty, STDIN_FILENO, 1);
    uv_pipe_init(loop, &s->u.pipe, 0);
    /* a copy, so that closing the stream leaves descriptor 0 as it was */
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return uv_translate_sys_error(errno);
    int status = uv_pipe_open(&s->u.pipe, fd);
    if (status < 0)
        close(fd);
    return status;
}

/* open() -> reader | nil, err                                [-0, +2, v] */
static int l_open(lua_State *L)
{
    struct source **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    luaL_setmetatable(L, READER);
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return luaL_error(L, "not enough memory");
    *box = s;
    s->u.handle.data = s;
    uv_handle_type type = uv_guess_handle(STDIN_FILENO);
    if (type == UV_FILE || type == UV_UNKNOWN_HANDLE)
        return s->fd = STDIN_FILENO, 1;
    int status = open_stream(rushes_loop(L), s, type);
    if (status < 0)
        return rushes_push_error(L, status,
                                 "cannot open the standard input: %s",
                                 uv_strerror(status));
    return 1;
}

int luaopen_rt_stdin(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"read", l_read}, {"close", l_close}, {NULL, NULL}};
    static const luaL_Reg lib[] = {{"open", l_open}, {NULL, NULL}};
    luaL_newmetatable(L, READER);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, l_close);
    lua_setfield(L, -2, "__close");
    luaL_newlib(L, lib);
    return 1;
}
