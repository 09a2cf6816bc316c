/* ldb.c - module "rt.c.db": connections to SQLite, and what is asked of them as
 * operations. Statements are encoded here, rows decoded; db.c does the rest. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "ldb.h"
#include "linit.h"
#include "rushes.h"

#define CONNECTION "rushes.db"
#define SCRATCH "rushes.db.scratch"
#define SCRATCH_KEPT 65536 /* bytes */

static const char module_key, scratch_key;

/* One for the process, made at the first use. */
struct module {
    struct db_thread *thread;
};

struct db_op {
    struct rushes_op op;
    struct db_job job;
    struct db *opened; /* by an open, until its box has it */
    char data[];
};

/* ---- the module ---- */

static void close_module(void *arg)
{
    struct module *m = arg;
    db_thread_close(m->thread);
    free(m);
}

static struct module *module_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key);
    struct module *m = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return m;
}

/* NULL with a sentence in *why. */
static struct module *module_open(lua_State *L, const char **why)
{
    struct module *m = module_of(L);
    if (m)
        return m;
    *why = "not enough memory";
    m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->thread = db_thread_new(rushes_loop(L), why);
    if (!m->thread) {
        free(m);
        return NULL;
    }
    rushes_on_close(L, close_module, m);
    lua_pushlightuserdata(L, m);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &module_key);
    return m;
}

/* ---- connections: a userdata with one pointer ---- */

static struct db **check_box(lua_State *L)
{
    return luaL_checkudata(L, 1, CONNECTION);
}

static struct db *check_open(lua_State *L)
{
    struct db **box = check_box(L);
    if (!*box || !db_usable(*box)) {
        lua_pushliteral(L, "this database is closed");
        ldb_raise(L);
    }
    return *box;
}

static int l_gc(lua_State *L)
{
    struct db **box = lua_touserdata(L, 1);
    if (*box)
        db_close(*box, NULL, NULL);
    *box = NULL;
    return 0;
}

/* ---- operations ---- */

static int push_failure(lua_State *L, const struct db_error *e)
{
    rushes_push_error_code(L, e->code, e->retryable, "%s", e->text);
    if (e->rc) {
        lua_pushinteger(L, e->rc);
        lua_setfield(L, -2, "sqlite");
    }
    return 2;
}

static void on_done(struct db_job *job)
{
    struct rushes_op *op = job->arg;
    rushes_op_done(op, job->cancelled ? UV_ECANCELED : 0);
    rushes_op_release(op);
}

static void cancel(struct rushes_op *op)
{
    db_cancel(&((struct db_op *)op)->job);
}

static void fini(struct rushes_op *op)
{
    struct db_op *o = (struct db_op *)op;
    db_job_fini(&o->job);
    if (o->opened)
        db_close(o->opened, NULL, NULL);
}

static int push_true(lua_State *L, struct rushes_op *op)
{
    struct db_op *o = (struct db_op *)op;
    if (op->status < 0)
        return rushes_push_error(L, op->status, NULL);
    if (o->job.error)
        return push_failure(L, o->job.error);
    lua_pushboolean(L, 1);
    return 1;
}

/* With a copy of what the buffer holds. */
static struct db_op *op_new(lua_State *L, const struct rushes_op_class *cls,
                            enum db_kind kind, const struct db_buf *b)
{
    size_t len = b ? b->len : 0;
    struct db_op *o = rushes_op_new(L, cls, sizeof *o + len);
    if (len > 0)
        memcpy(o->data, b->data, len);
    o->job.kind = kind;
    o->job.data = o->data;
    o->job.len = len;
    o->job.done = on_done;
    o->job.arg = o;
    return o;
}

/* Give the operation to the connection at index 1, which may have been closed
 * meanwhile: whatever allocates may run a finalizer. */
static int start(lua_State *L, struct db_op *o)
{
    struct db *db = *check_box(L);
    if (db && db_usable(db)) {
        db_submit(db, &o->job);
    } else {
        rushes_op_done(&o->op, UV_ECANCELED);
        rushes_op_release(&o->op);
    }
    return 1;
}

/* ---- open ---- */

static int push_opened(lua_State *L, struct rushes_op *op)
{
    struct db_op *o = (struct db_op *)op;
    if (op->status < 0)
        return rushes_push_error(L, op->status, NULL);
    if (o->job.error)
        return push_failure(L, o->job.error);
    struct db **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = o->opened;
    o->opened = NULL;
    luaL_setmetatable(L, CONNECTION);
    lua_pushboolean(L, db_tail_lost(*box));
    return 2; /* connection lost */
}

/* open(path, mode, busy) -> op -> connection, lost | nil, err [-0, +2, v] */
static int l_open(lua_State *L)
{
    static const struct rushes_op_class cls = {"db.open", cancel, push_opened,
                                               fini};
    static const char *const modes[] = {[DB_EXISTING] = "existing",
                                        [DB_CREATE] = "create",
                                        [DB_READONLY] = "readonly",
                                        NULL};
    size_t len;
    const char *why, *path = luaL_checklstring(L, 1, &len);
    enum db_mode mode = luaL_checkoption(L, 2, NULL, modes);
    lua_Number busy = luaL_checknumber(L, 3);
    luaL_argcheck(L, len > 0 && strlen(path) == len, 1,
                  "a path cannot be empty or hold a zero byte");
    luaL_argcheck(L, busy >= 0 && busy <= 3600, 3,
                  "busy must be 0 to 3600 seconds");
    struct module *m = module_open(L, &why);
    if (!m)
        return rushes_push_error_code(
            L, "unsupported", 0,
            "%s; install SQLite, on Debian the package libsqlite3-0", why);
    struct db_op *o = op_new(L, &cls, DB_OPEN, NULL);
    o->opened = db_new(m->thread, path, mode, (int)(busy * 1000));
    if (o->opened) {
        db_submit(o->opened, &o->job);
    } else {
        rushes_op_done(&o->op, UV_ENOMEM);
        rushes_op_release(&o->op);
    }
    return 1;
}

/* ---- encoding ---- */

/* The buffer that statements are encoded in is kept, but belongs to whoever
 * uses it: finalizers and metamethods may come in between, and write as well.
 */
static struct db_buf *scratch_push(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &scratch_key);
    struct db_buf *b = lua_touserdata(L, -1);
    if (b) {
        lua_pushboolean(L, 0); /* not nil: the place stays */
        lua_rawsetp(L, LUA_REGISTRYINDEX, &scratch_key);
    } else {
        lua_pop(L, 1);
        b = lua_newuserdatauv(L, sizeof *b, 0);
        *b = (struct db_buf){0};
        luaL_setmetatable(L, SCRATCH);
    }
    b->len = 0;
    return b;
}

static void scratch_free(struct db_buf *b)
{
    free(b->data);
    *b = (struct db_buf){0};
}

static int l_scratch_gc(lua_State *L)
{
    scratch_free(lua_touserdata(L, 1));
    return 0;
}

/* It is at the index. */
static void scratch_keep(lua_State *L, int index)
{
    struct db_buf *b = lua_touserdata(L, index);
    if (b->size > SCRATCH_KEPT)
        scratch_free(b);
    lua_pushvalue(L, index);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &scratch_key);
}

/* ---- writing ---- */

/* write(connection, statements) -> op -> true                [-0, +1, v] */
static int l_write(lua_State *L)
{
    static const struct rushes_op_class cls = {"db.write", cancel, push_true,
                                               fini};
    check_open(L);
    lua_settop(L, 2);
    struct db_buf *b = scratch_push(L);
    ldb_put_statements(L, b);
    struct db_op *o = op_new(L, &cls, DB_WRITE, b);
    scratch_keep(L, 3);
    return start(L, o);
}

/* What the caller gave is kept; that nothing can be written he should know. */
static int push_trouble(lua_State *L, struct db *db)
{
    union {
        struct db_error error;
        char bytes[1024];
    } e;
    if (db_trouble(db, &e.error, sizeof e))
        return push_failure(L, &e.error);
    lua_pushboolean(L, 1);
    return 1;
}

/* later(connection, statements) -> true | nil, err           [-0, +1, v] */
static int l_later(lua_State *L)
{
    check_open(L);
    lua_settop(L, 2);
    struct db_buf *b = scratch_push(L);
    ldb_put_statements(L, b);
    struct db *db = check_open(L); /* a metamethod may have closed it */
    struct db_job *job = calloc(1, sizeof *job + b->len);
    if (!job)
        return luaL_error(L, "not enough memory");
    job->kind = DB_LATER;
    job->len = b->len;
    job->data = memcpy(job + 1, b->data, b->len);
    db_submit(db, job);
    scratch_keep(L, 3);
    return push_trouble(L, db);
}

/* sync(connection) -> op -> true                             [-0, +1, v] */
static int l_sync(lua_State *L)
{
    static const struct rushes_op_class cls = {"db.sync", cancel, push_true,
                                               fini};
    check_open(L);
    return start(L, op_new(L, &cls, DB_SYNC, NULL));
}

/* guard(connection) -> op -> true                            [-0, +1, v] */
static int l_guard(lua_State *L)
{
    static const struct rushes_op_class cls = {"db.guard", cancel, push_true,
                                               fini};
    check_open(L);
    return start(L, op_new(L, &cls, DB_GUARD, NULL));
}

static void on_closed(struct db_job *closing)
{
    struct db_op *o = closing->arg;
    o->job.error = closing->error;
    closing->error = NULL;
    on_done(&o->job);
}

/* close(connection) -> op -> true; nothing if it is closed   [-0, +1, v] */
static int l_close(lua_State *L)
{
    static const struct rushes_op_class cls = {"db.close", NULL, push_true,
                                               fini};
    struct db **box = check_box(L);
    if (!*box || !db_usable(*box))
        return 0;
    struct db_op *o = op_new(L, &cls, DB_CLOSE, NULL);
    struct db *db = *box;
    if (!db) /* a finalizer has closed it meanwhile */
        return start(L, o);
    *box = NULL;
    db_close(db, on_closed, o);
    return 1;
}

/* ---- reading ---- */

static int push_rows(lua_State *L, struct rushes_op *op)
{
    struct db_op *o = (struct db_op *)op;
    const struct db_buf *rows = &o->job.rows;
    if (op->status < 0 || o->job.error)
        return push_true(L, op);
    if (rows->len == 0)
        return rushes_push_error(L, UV_ECANCELED, NULL);
    ldb_push_rows(L, rows);
    return 1;
}

/* rows(connection, sql, ...) -> op -> {{column = value}, …}  [-0, +1, v] */
static int l_rows(lua_State *L)
{
    static const struct rushes_op_class cls = {"db.rows", cancel, push_rows,
                                               fini};
    check_open(L);
    int top = lua_gettop(L);
    struct db_buf *b = scratch_push(L);
    ldb_put_query(L, b, top);
    struct db_op *o = op_new(L, &cls, DB_ROWS, b);
    scratch_keep(L, top + 1);
    return start(L, o);
}

/* stats(connection) -> {commits, writes, statements}         [-0, +1, v] */
static int l_stats(lua_State *L)
{
    struct db_stats s = db_stats(check_open(L));
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, (lua_Integer)s.commits);
    lua_setfield(L, -2, "commits");
    lua_pushinteger(L, (lua_Integer)s.writes);
    lua_setfield(L, -2, "writes");
    lua_pushinteger(L, (lua_Integer)s.statements);
    lua_setfield(L, -2, "statements");
    return 1;
}

int luaopen_rt_db(lua_State *L)
{
    static const luaL_Reg lib[] = {
        {"open", l_open},   {"write", l_write}, {"later", l_later},
        {"sync", l_sync},   {"rows", l_rows},   {"guard", l_guard},
        {"close", l_close}, {"stats", l_stats}, {NULL, NULL},
    };
    luaL_newmetatable(L, CONNECTION);
    lua_pushcfunction(L, l_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newmetatable(L, SCRATCH);
    lua_pushcfunction(L, l_scratch_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 2);
    lua_pushboolean(L, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &scratch_key);
    luaL_newlib(L, lib);
    return 1;
}
