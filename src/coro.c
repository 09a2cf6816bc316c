/* coro.c - resumes coroutines, knowing which one runs, so that Ctrl-C can stop
 * a script that never waits. */
#include "coro.h"

#include <lauxlib.h>
#include <uv.h>

#include "rushes.h"

/* Its address is what the scheduler's own yields yield. */
static char mark;

/* How long after Ctrl-C one task may go on without awaiting. */
#define INTERRUPT_GRACE_NS 500000000u
#define HOOK_INSTRUCTIONS 10000

/* Has the loop not come round since the last signal? The first turn after it
 * only wakes the task that waits for signals; the second one is proof. */
static int unattended(const struct coro *c)
{
    return c->interrupts > 0 && c->turns - c->interrupt_turn < 2;
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct coro *c = rt_coro(L);
    if (!unattended(c)) {
        lua_sethook(L, NULL, 0, 0); /* it awaited after all */
        return;
    }
    if (uv_hrtime() - c->interrupt_at < INTERRUPT_GRACE_NS)
        return; /* the hook stays: what catches the error meets it again */
    rushes_push_error_code(L, "interrupted", 0,
                           "stopped by %s while the script was running "
                           "without waiting for anything",
                           c->interrupt_signal == SIGINT ? "Ctrl-C"
                                                         : "a signal");
    lua_error(L);
}

/* An unattended signal concerns whatever runs from now on. */
static void pass_interrupt_on(struct coro *c, lua_State *L)
{
    if (unattended(c) && lua_gethook(L) != on_count)
        lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
}

int coro_interrupt(struct coro *c, int sig)
{
    int stuck = c->interrupts >= 2 && unattended(c) &&
                uv_hrtime() - c->interrupt_at >= INTERRUPT_GRACE_NS;
    if (!unattended(c))
        c->interrupt_at = uv_hrtime();
    c->interrupts += sig == SIGTERM ? 2 : 1;
    c->interrupt_signal = sig;
    c->interrupt_turn = c->turns;
    if (c->running)
        lua_sethook(c->running, on_count, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
    return stuck;
}

/* interrupts([n]) -> how many, number of the last signal     [-0, +2, v]
 * With `n` the count starts anew from there: the prompt takes each Ctrl-C as
 * the first. */
static int l_interrupts(lua_State *L)
{
    if (!lua_isnoneornil(L, 1))
        rt_coro(L)->interrupts = (int)luaL_checkinteger(L, 1);
    lua_pushinteger(L, rt_coro(L)->interrupts);
    lua_pushinteger(L, rt_coro(L)->interrupt_signal);
    return 2;
}

/* Resume, with the host knowing which state runs. Moves the arguments over and
 * the results, or the error, back; *n counts them. */
static int resume(lua_State *L, lua_State *co, int narg, int *n)
{
    struct coro *c = rt_coro(L);
    lua_State *outer = c->running;
    if (!lua_checkstack(co, narg))
        return luaL_error(L, "too many arguments to resume");
    lua_xmove(L, co, narg);
    c->running = co;
    if (!outer && unattended(c))
        c->interrupt_at = uv_hrtime(); /* many that end do not hang */
    pass_interrupt_on(c, co);
    int status = lua_resume(co, L, narg, n);
    c->running = outer;
    if (outer) /* not the scheduler itself */
        pass_interrupt_on(c, L);
    if (status != LUA_OK && status != LUA_YIELD)
        *n = 1;
    if (!lua_checkstack(L, *n + 1)) {
        lua_pop(co, *n);
        return luaL_error(L, "too many results to resume");
    }
    lua_xmove(co, L, *n);
    return status;
}

/* resume(co, ...) as coroutine.resume */
static int l_resume(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    int n = 0, status = resume(L, co, lua_gettop(L) - 1, &n);
    lua_pushboolean(L, status == LUA_OK || status == LUA_YIELD);
    lua_insert(L, -(n + 1));
    return n + 1;
}

/* step(co, ...) -> nothing if it waits, that is, yielded `core.mark`;
 * "yield" if it yielded anything else; true, results... | false, error. */
static int l_step(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    int n = 0, status = resume(L, co, lua_gettop(L) - 1, &n);
    if (status == LUA_YIELD) {
        if (n == 1 && lua_touserdata(L, -1) == &mark)
            return 0;
        lua_pushliteral(L, "yield");
        return 1;
    }
    lua_pushboolean(L, status == LUA_OK);
    lua_insert(L, -(n + 1));
    return n + 1;
}

static int body_end(lua_State *L, int status, lua_KContext ctx)
{
    (void)ctx;
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - 1; /* handler | true results */
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int body_run(lua_State *L, int status, lua_KContext ctx)
{
    (void)status, (void)ctx;
    int n = lua_gettop(L) - 3; /* handler true fn | args */
    return body_end(L, lua_pcallk(L, n, LUA_MULTRET, 1, 0, body_end), 0);
}

/* A task's coroutine: fn(...) -> true, results | false, error. It waits with
 * its arguments on its stack until it is stepped. In C, because in Lua the
 * same costs each waiting task seven slots more, and then a larger stack. */
static int l_body(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushboolean(L, 1);
    lua_rotate(L, 1, 2); /* handler true fn args */
    lua_pushlightuserdata(L, &mark);
    return lua_yieldk(L, 1, 0, body_run);
}

/* body(handler) -> what a task's coroutine is made of */
static int l_make_body(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushcclosure(L, l_body, 1);
    return 1;
}

void coro_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"body", l_make_body},
                                         {"interrupts", l_interrupts},
                                         {"resume", l_resume},
                                         {"step", l_step},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    lua_pushlightuserdata(L, &mark);
    lua_setfield(L, -2, "mark");
}
