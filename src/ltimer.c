/* ltimer.c - module "rt.c.timer": sleeping. Each operation owns one timer. */
#include <lauxlib.h>

#include "linit.h"
#include "rushes.h"

struct timer_op {
    struct rushes_op op;
    uv_timer_t handle;
};

static void on_closed(uv_handle_t *h)
{
    rushes_op_release(h->data); /* libuv's last use of the memory */
}

static void finish(struct timer_op *t, int status)
{
    rushes_op_done(&t->op, status);
    uv_close((uv_handle_t *)&t->handle, on_closed);
}

static void on_fire(uv_timer_t *h)
{
    finish(h->data, 0);
}

static void cancel(struct rushes_op *op)
{
    finish((struct timer_op *)op, UV_ECANCELED);
}

static int push(lua_State *L, struct rushes_op *op)
{
    if (op->status < 0)
        return rushes_push_error(L, op->status, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

static const struct rushes_op_class timer_class = {"timer", cancel, push, NULL};

/* sleep(seconds) -> op                                      [-1, +1, v] */
static int l_sleep(lua_State *L)
{
    lua_Number s = luaL_checknumber(L, 1);
    luaL_argcheck(L, s >= 0 && s <= 1e9, 1, "seconds must be 0 to 1e9");
    struct timer_op *t = rushes_op_new(L, &timer_class, sizeof *t);
    uv_loop_t *loop = rushes_op_loop(&t->op);
    t->handle.data = t;
    uv_update_time(loop); /* timers count from the cached time */
    uv_timer_init(loop, &t->handle);
    uv_timer_start(&t->handle, on_fire, (uint64_t)(s * 1000 + 0.999), 0);
    return 1;
}

int luaopen_rt_timer(lua_State *L)
{
    static const luaL_Reg lib[] = {{"sleep", l_sleep}, {NULL, NULL}};
    luaL_newlib(L, lib);
    return 1;
}
