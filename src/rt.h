/* rt.h - what the host itself needs of the runtime, beside rushes.h. */
#ifndef RT_H
#define RT_H

#include "rushes.h"

/* Create the runtime in a fresh state; pushes nothing.  [-0, +0, v]
 * Must run before any other userdata exists, so that it is finalised last. */
void rt_open(lua_State *L);

/* Cancel what is in flight, run the loop until it is quiet and close it.
 * Returns the number of handles that would not close (0 is right). */
int rt_close(lua_State *L);

/* Count one Ctrl-C, SIGHUP, or (twice) SIGTERM. Async-signal-safe: called from
 * the handler. Returns whether the script is beyond reach: it was told twice
 * and has not waited since. */
int rt_interrupt(struct rushes_rt *rt, int sig);

/* End a blocking poll. Async-signal-safe; does nothing once rt_close() runs. */
void rt_wake(struct rushes_rt *rt);

struct rushes_rt *rt_of(lua_State *L);

int luaopen_rt_core(lua_State *L);

/* The error metatable, shared with rt.err.  [-0, +1, m] */
void rt_push_error_meta(lua_State *L);

#endif
