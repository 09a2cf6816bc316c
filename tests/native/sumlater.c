/* sumlater.c - an example of a module built outside of rushes: it needs only
 * include/rushes.h, the headers of Lua and libuv, and nothing to link with.
 *
 *     local sumlater = require "sumlater"
 *     print(task.await(sumlater.sum { 1, 2, 3 }))   --> 6
 *
 * The sum is made on libuv's thread pool, so the program goes on meanwhile.
 * docs/extending.md walks through this file. */
#include <rushes.h>

#include <lauxlib.h>
#include <stdlib.h>

#define MAX_NUMBERS 10000000

struct sum_op {
    struct rushes_op op; /* first, so that pointers cast both ways */
    uv_work_t work;
    double *numbers; /* ours: freed in fini */
    size_t count;
    double sum; /* written by the worker, read once it has ended */
};

/* On a thread of the pool: no Lua, no rushes_ function. */
static void work(uv_work_t *w)
{
    struct sum_op *s = w->data;
    for (size_t i = 0; i < s->count; i++)
        s->sum += s->numbers[i];
}

/* On the loop's thread again; also after uv_cancel, with UV_ECANCELED. */
static void on_worked(uv_work_t *w, int status)
{
    struct sum_op *s = w->data;
    rushes_op_done(&s->op, status);
    rushes_op_release(&s->op); /* libuv does not touch the memory again */
}

/* Works while the job waits for a thread; one that runs is left to end. */
static void cancel(struct rushes_op *op)
{
    uv_cancel((uv_req_t *)&((struct sum_op *)op)->work);
}

static int push(lua_State *L, struct rushes_op *op)
{
    if (op->status < 0)
        return rushes_push_error(L, op->status, NULL);
    lua_pushnumber(L, ((struct sum_op *)op)->sum);
    return 1;
}

static void fini(struct rushes_op *op)
{
    free(((struct sum_op *)op)->numbers);
}

static const struct rushes_op_class sum_class = {"sum", cancel, push, fini};

/* sum(numbers) -> operation                                 [-0, +1, v] */
static int l_sum(lua_State *L)
{
    /* 1. check: what raises, raises while nothing is owned */
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 1);
    luaL_argcheck(L, count <= MAX_NUMBERS, 1, "more than 10,000,000 numbers");
    for (lua_Integer i = 1; i <= count; i++) {
        if (lua_geti(L, 1, i) != LUA_TNUMBER)
            return luaL_error(L, "number %I is a %s", (LUAI_UACINT)i,
                              luaL_typename(L, -1));
        lua_pop(L, 1);
    }
    /* 2. own: from here on the box on the stack owns the memory */
    struct sum_op *s = rushes_op_new(L, &sum_class, sizeof *s);
    s->count = (size_t)count;
    s->numbers = malloc((s->count + 1) * sizeof *s->numbers);
    for (lua_Integer i = 1; s->numbers && i <= count; i++) {
        lua_rawgeti(L, 1, i);
        s->numbers[i - 1] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    /* 3. start: nothing below raises; a start that fails is an end */
    s->work.data = s;
    int status = s->numbers ? uv_queue_work(rushes_op_loop(&s->op), &s->work,
                                            work, on_worked)
                            : UV_ENOMEM;
    if (status < 0) {
        rushes_op_done(&s->op, status);
        rushes_op_release(&s->op);
    }
    /* 4. the operation is on the stack */
    return 1;
}

__attribute__((visibility("default"))) int luaopen_sumlater(lua_State *L)
{
    static const luaL_Reg lib[] = {{"sum", l_sum}, {NULL, NULL}};
    luaL_newlib(L, lib);
    return 1;
}
