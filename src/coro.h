/* coro.h - resuming coroutines, and stopping one that never waits; rt.c has one
 * struct coro per runtime. */
#ifndef CORO_H
#define CORO_H

#include <lua.h>
#include <signal.h>
#include <stdint.h>

struct coro {
    /* Set only while that coroutine runs, so it is never a dead one. Read in
     * the signal handler. */
    lua_State *volatile running;
    unsigned long turns; /* of the loop; rt.c counts them */
    volatile sig_atomic_t interrupts;
    volatile sig_atomic_t interrupt_signal; /* the last of them */
    unsigned long interrupt_turn;
    uint64_t interrupt_at; /* uv_hrtime() of the first that was not attended to,
                            * or when the running task was resumed since */
};

/* The one of this state's runtime; in rt.c.                 [-0, +0, -] */
struct coro *rt_coro(lua_State *L);

/* See rt_interrupt() in rt.h, which calls it in the signal handler. */
int coro_interrupt(struct coro *c, int sig);

/* Add interrupts, resume, step and mark to the table on the top. [-0, +0, m] */
void coro_register(lua_State *L);

#endif
