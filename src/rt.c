/* rt.c - owns the loop, the operations and the queue of finished ones.
 *
 * Lua drives: core.poll() turns the loop once, core.pop() hands over what has
 * finished. Callbacks only append to the queue, so no Lua error can unwind
 * through libuv, and no coroutine is resumed from inside a callback. */
#include "rt.h"

#include <lauxlib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "coro.h"
#include "gc.h"

struct closer {
    struct closer *next;
    void (*fn)(void *);
    void *arg;
};

struct rushes_rt {
    lua_Alloc alloc; /* Lua's; operations come from it too: they are many, */
    void *memory;    /* and between other blocks they would leave holes */
    uv_loop_t loop;
    uv_async_t wake; /* unreferenced: ends a blocking poll after Ctrl-C */
    struct rushes_op *head, **tail;
    struct closer *closers;
    size_t in_flight;
    /* What is in flight, by slot from 1: an operation, or an odd number that
     * holds the next free slot. The anchor table has the same slots. */
    uintptr_t *slots;
    int n_slots, free_slot;
    unsigned char closing, polling; /* polling: libuv runs */
    struct coro coro;
};

/* Registry keys. */
static const char rt_key, anchor_key, op_key;

struct box {
    struct rushes_op *op;
};

/* The pointer is in front of every state; coroutines inherit it. */
struct rushes_rt *rt_of(lua_State *L)
{
    return *(struct rushes_rt **)lua_getextraspace(L);
}

uv_loop_t *rushes_loop(lua_State *L)
{
    return &rt_of(L)->loop;
}

uv_loop_t *rushes_op_loop(const struct rushes_op *op)
{
    return &op->rt->loop;
}

/* ---- operations ---- */

/* `make gcstress` collects at every step, to find what is not anchored. */
static void stress(lua_State *L)
{
#ifdef RUSHES_GC_STRESS
    lua_gc(L, LUA_GCSTEP, 100); /* KB: a whole cycle of a small heap */
#else
    (void)L;
#endif
}

/* Make sure that there is a free slot. */
static int slot_reserve(struct rushes_rt *rt)
{
    if (rt->free_slot)
        return 0;
    int n = rt->n_slots ? rt->n_slots * 2 : 64;
    uintptr_t *slots = realloc(rt->slots, (size_t)(n + 1) * sizeof *slots);
    if (!slots)
        return UV_ENOMEM;
    for (int i = n; i > rt->n_slots; i--) {
        slots[i] = (uintptr_t)rt->free_slot << 1 | 1;
        rt->free_slot = i;
    }
    rt->slots = slots;
    rt->n_slots = n;
    return 0;
}

static void slot_take(struct rushes_rt *rt, struct rushes_op *op)
{
    op->slot = rt->free_slot;
    rt->free_slot = (int)(rt->slots[op->slot] >> 1);
    rt->slots[op->slot] = (uintptr_t)op;
}

/* So many slots are kept in any case. */
#define SLOTS_KEPT 4096

static void slot_give(struct rushes_rt *rt, struct rushes_op *op)
{
    rt->slots[op->slot] = (uintptr_t)rt->free_slot << 1 | 1;
    rt->free_slot = op->slot;
    op->slot = 0;
}

/* After a peak, make room again: the collector goes over every anchor. */
static void slots_shrink(lua_State *L, struct rushes_rt *rt)
{
    int n = (int)rt->in_flight * 2 + 64, used = 0;
    lua_createtable(L, n, 0); /* room for all: nothing below raises */
    uintptr_t *slots = malloc((size_t)(n + 1) * sizeof *slots);
    if (!slots) {
        lua_pop(L, 1);
        return;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &anchor_key); /* new old */
    for (int i = 1; i <= rt->n_slots; i++) {
        if (rt->slots[i] & 1)
            continue;
        slots[++used] = rt->slots[i];
        ((struct rushes_op *)slots[used])->slot = used;
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -3, used);
    }
    rt->free_slot = 0;
    for (int i = n; i > used; i--) {
        slots[i] = (uintptr_t)rt->free_slot << 1 | 1;
        rt->free_slot = i;
    }
    free(rt->slots);
    rt->slots = slots;
    rt->n_slots = n;
    lua_pop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &anchor_key);
}

void *rushes_op_new(lua_State *L, const struct rushes_op_class *cls,
                    size_t size)
{
    struct rushes_rt *rt = rt_of(L);
    if (rt->closing)
        luaL_error(L, "cannot start '%s': the program is ending", cls->name);
    stress(L);
    struct box *box = lua_newuserdatauv(L, sizeof *box, 0); /* box */
    box->op = NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &op_key);
    lua_setmetatable(L, -2);
    struct rushes_op *op = rt->alloc(rt->memory, NULL, 0, size);
    if (!op || slot_reserve(rt) < 0) {
        if (op)
            rt->alloc(rt->memory, op, size, 0);
        return luaL_error(L, "not enough memory"), NULL;
    }
    memset(op, 0, size);
    op->size = (unsigned)size;
    op->cls = cls;
    op->rt = rt;
    op->refs = 1;
    box->op = op;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &anchor_key); /* box anchors */
    lua_pushvalue(L, -2);
    /* may raise: the box still owns the operation alone */
    lua_rawseti(L, -2, rt->free_slot);
    lua_pop(L, 1); /* box */
    slot_take(rt, op);
    op->refs = 2;
    rt->in_flight++;
    return op;
}

void rushes_op_done(struct rushes_op *op, int status)
{
    struct rushes_rt *rt = op->rt;
    if (op->done)
        abort(); /* an engine that finishes twice would corrupt the queue */
    op->done = 1;
    op->status = status;
    op->next = NULL;
    *rt->tail = op;
    rt->tail = &op->next;
    if (rt->polling) /* a timer may have ended it, before libuv goes to sleep */
        uv_stop(&rt->loop);
}

void rushes_op_release(struct rushes_op *op)
{
    if (--op->refs > 0)
        return;
    if (op->cls->fini)
        op->cls->fini(op);
    op->rt->alloc(op->rt->memory, op, op->size, 0);
}

static struct rushes_op *op_check(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);
    if (box && lua_getmetatable(L, 1)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &op_key);
        int same = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (same && box->op)
            return box->op;
    }
    luaL_typeerror(L, 1, "operation");
    return NULL;
}

static int l_op_done(lua_State *L)
{
    lua_pushboolean(L, op_check(L)->done);
    return 1;
}

/* bind(value): what pop() gives when the operation is done; nil: the operation
 * itself again. */
static int l_op_bind(lua_State *L)
{
    struct rushes_op *op = op_check(L);
    lua_settop(L, 2);
    if (op->slot == 0)
        return 0;
    int unbind = lua_isnil(L, 2);
    if (op->bound && !unbind)
        return luaL_error(L, "another task waits for this '%s' already",
                          op->cls->name);
    op->bound = !unbind;
    if (unbind)
        lua_settop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &anchor_key);
    lua_insert(L, -2);
    lua_rawseti(L, -2, op->slot); /* the slot is there: allocates nothing */
    return 0;
}

static void ask_to_end(struct rushes_op *op)
{
    if (op->done || op->asked || !op->cls->cancel)
        return;
    op->asked = 1;
    op->cls->cancel(op);
}

static int l_op_cancel(lua_State *L)
{
    ask_to_end(op_check(L));
    return 0;
}

/* What the box of an operation holds whose results were taken: its memory is
 * not left to the garbage collector, which does not see how much it is. */
static const struct rushes_op_class spent_class = {.name = "operation"};
static struct rushes_op spent = {.cls = &spent_class, .done = 1, .taken = 1};

static int l_op_result(lua_State *L)
{
    struct rushes_op *op = op_check(L);
    if (!op->done)
        return luaL_error(L, "'%s' has not finished", op->cls->name);
    if (op->taken)
        return luaL_error(L, "the result of '%s' was already taken",
                          op->cls->name);
    op->taken = 1;
    int n = op->cls->push(L, op);
    if (op->refs == 1 && op->slot == 0) { /* the box is all that holds it */
        ((struct box *)lua_touserdata(L, 1))->op = &spent;
        rushes_op_release(op);
    }
    return n;
}

static int l_op_tostring(lua_State *L)
{
    struct rushes_op *op = op_check(L);
    lua_pushfstring(L, "operation: %s (%s)", op->cls->name,
                    op->done ? "done" : "in flight");
    return 1;
}

static int l_op_gc(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);
    struct rushes_op *op = box->op;
    box->op = NULL;
    if (op && op != &spent)
        rushes_op_release(op);
    return 0;
}

/* ---- the queue and the loop ---- */

/* pop() -> what is bound to the next finished operation, or the operation
 * itself | nothing                                          [-0, +1, -] */
static int l_pop(lua_State *L)
{
    struct rushes_rt *rt = rt_of(L);
    struct rushes_op *op = rt->head;
    if (!op)
        return 0;
    stress(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &anchor_key); /* anchors */
    lua_rawgeti(L, -1, op->slot);                   /* anchors value */
    lua_pushnil(L);
    lua_rawseti(L, -3, op->slot);
    rt->head = op->next;
    if (!rt->head)
        rt->tail = &rt->head;
    rt->in_flight--;
    slot_give(rt, op);
    return 1;
}

/* poll(block) -> something is still in flight               [-0, +1, -] */
static int l_poll(lua_State *L)
{
    struct rushes_rt *rt = rt_of(L);
    int block = lua_toboolean(L, 1) && !rt->head;
    if (rt->coro.turns++ % 64 == 0)
        gc_tune(L);
    rt->polling = 1;
    if (rt->in_flight > 0)
        uv_run(&rt->loop, block ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    rt->polling = 0;
    if (rt->n_slots > SLOTS_KEPT && rt->in_flight < (size_t)rt->n_slots / 16)
        slots_shrink(L, rt);
    lua_pushboolean(L, rt->in_flight > 0);
    return 1;
}

/* pending() -> how many operations are in flight             [-0, +1, -] */
static int l_pending(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)rt_of(L)->in_flight);
    return 1;
}

static void on_wake(uv_async_t *h)
{
    (void)h;
}

void rt_wake(struct rushes_rt *rt)
{
    if (!rt->closing)
        uv_async_send(&rt->wake);
}

int rt_interrupt(struct rushes_rt *rt, int sig)
{
    int stuck = coro_interrupt(&rt->coro, sig);
    rt_wake(rt);
    return stuck;
}

struct coro *rt_coro(lua_State *L)
{
    return &rt_of(L)->coro;
}

/* where(level) -> "file:line" of a function on the caller's stack. */
static int l_where(lua_State *L)
{
    lua_Debug ar;
    int level = (int)luaL_optinteger(L, 1, 1);
    if (lua_getstack(L, level, &ar) && lua_getinfo(L, "Sl", &ar) &&
        ar.currentline > 0)
        lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
    else
        lua_pushliteral(L, "?");
    return 1;
}

/* now() -> seconds on a clock that never goes back           [-0, +1, -] */
static int l_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)uv_hrtime() / 1e9);
    return 1;
}

/* time() -> seconds since 1970, with a fraction              [-0, +1, -] */
static int l_time(lua_State *L)
{
    uv_timeval64_t tv;
    uv_gettimeofday(&tv);
    lua_pushnumber(L, (lua_Number)tv.tv_sec + (lua_Number)tv.tv_usec / 1e6);
    return 1;
}

/* error_meta() -> the metatable of error objects            [-0, +1, m] */
static int l_error_meta(lua_State *L)
{
    rt_push_error_meta(L);
    return 1;
}

/* ---- opening and closing ---- */

static void make_op_meta(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"done", l_op_done},     {"bind", l_op_bind}, {"cancel", l_op_cancel},
        {"result", l_op_result}, {NULL, NULL},
    };
    lua_createtable(L, 0, 4);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_op_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, l_op_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, "rushes.operation");
    lua_setfield(L, -2, "__name");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &op_key);
}

void rt_open(lua_State *L)
{
    struct rushes_rt *rt = lua_newuserdatauv(L, sizeof *rt, 0);
    memset(rt, 0, sizeof *rt);
    rt->tail = &rt->head;
    rt->alloc = lua_getallocf(L, &rt->memory);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &rt_key);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &anchor_key);
    make_op_meta(L);
    /* the loop last: nothing would close it if one of the above raised */
    if (uv_loop_init(&rt->loop) < 0)
        luaL_error(L, "cannot create the event loop");
    if (uv_async_init(&rt->loop, &rt->wake, on_wake) < 0) {
        uv_loop_close(&rt->loop);
        luaL_error(L, "cannot create the event loop");
    }
    uv_unref((uv_handle_t *)&rt->wake);
    *(struct rushes_rt **)lua_getextraspace(L) = rt;
}

static void cancel_all(struct rushes_rt *rt)
{
    for (int i = 1; i <= rt->n_slots; i++)
        if (!(rt->slots[i] & 1))
            ask_to_end((struct rushes_op *)rt->slots[i]);
}

void rushes_on_close(lua_State *L, void (*fn)(void *), void *arg)
{
    struct rushes_rt *rt = rt_of(L);
    struct closer *c = malloc(sizeof *c);
    if (!c) {
        luaL_error(L, "not enough memory");
        return;
    }
    *c = (struct closer){rt->closers, fn, arg};
    rt->closers = c;
}

static void run_closers(struct rushes_rt *rt)
{
    struct closer *c;
    while ((c = rt->closers)) {
        rt->closers = c->next;
        c->fn(c->arg);
        free(c);
    }
}

int rt_close(lua_State *L)
{
    struct rushes_rt *rt = rt_of(L);
    rt->closing = 1;
    cancel_all(rt);
    lua_gc(L, LUA_GCCOLLECT); /* servers and watchers close their handles */
    run_closers(rt);
    uv_close((uv_handle_t *)&rt->wake, NULL);
    uv_run(&rt->loop, UV_RUN_DEFAULT);
    free(rt->slots);
    rt->slots = NULL;
    rt->n_slots = rt->free_slot = 0;
    return uv_loop_close(&rt->loop) == 0 ? 0 : 1;
}

int luaopen_rt_core(lua_State *L)
{
    static const luaL_Reg lib[] = {
        {"poll", l_poll},
        {"pop", l_pop},
        {"pending", l_pending},
        {"where", l_where},
        {"now", l_now},
        {"time", l_time},
        {"error_meta", l_error_meta},
        {NULL, NULL},
    };
    luaL_newlib(L, lib);
    coro_register(L);
    return 1;
}
