/* rushes.h - the one public header: how C adds an operation to rushes.
 *
 * An operation is one wait: a timer, a request, a child process that ends.
 * Lua starts it, a task awaits it, C finishes it; C never calls Lua. The
 * order inside every Lua-callable function that starts one is
 *
 *     check the arguments    (may raise: nothing is owned yet)
 *     rushes_op_new()        (the Lua box owns the memory from here on)
 *     start                  (nothing below may raise; a start that fails is
 *                             rushes_op_done(op, UV_E...), rushes_op_release)
 *     return 1               (the operation is on the stack)
 *
 * See src/ltimer.c for the smallest operation, tests/native/ for one that is
 * built outside the binary, docs/extending.md for the whole story.
 */
#ifndef RUSHES_H
#define RUSHES_H

#include <lua.h>
#include <stddef.h>
#include <uv.h>

#define RUSHES_API __attribute__((visibility("default")))

/* Grows when a field or a rule of this header changes. */
#define RUSHES_ABI 1

struct rushes_rt; /* the loop, the ready queue and what is in flight */
struct rushes_op;

struct rushes_op_class {
    /* Shown in error messages and leak reports. */
    const char *name;

    /* Asked to end early. Must lead to rushes_op_done(), now or from a later
     * callback; never called after it, and once at most. NULL: cannot be
     * hurried. No Lua. */
    void (*cancel)(struct rushes_op *op);

    /* Push the results, or `return rushes_push_error(L, op->status, ...)`.
     * Called at most once, after rushes_op_done(), in a task. May raise. */
    int (*push)(lua_State *L, struct rushes_op *op);

    /* Free what the struct owns, not the struct itself. May be NULL. No Lua.
     * Also called for an operation that was made but never started: zeros. */
    void (*fini)(struct rushes_op *op);
};

/* First member of every operation, so that pointers cast both ways. */
struct rushes_op {
    const struct rushes_op_class *cls;
    struct rushes_rt *rt;
    struct rushes_op *next;  /* on the ready queue */
    int slot;                /* where it is anchored, 0: nowhere */
    int status;              /* 0 or a negative UV_E... code, once done */
    unsigned size;           /* as given to rushes_op_new() */
    unsigned char refs;      /* the Lua box and the engine: two owners */
    unsigned char done : 1;  /* rushes_op_done() has been called */
    unsigned char taken : 1; /* the results have been pushed */
    unsigned char asked : 1; /* cancel() has been called */
    unsigned char bound : 1; /* a task or a deadline waits for it */
};

/* Make an operation of `size` zeroed bytes and push its box.  [-0, +1, v]
 * Raises when memory is out or the runtime is closing. The box is anchored
 * until the operation is done, so an operation in flight is never collected. */
RUSHES_API void *rushes_op_new(lua_State *L, const struct rushes_op_class *cls,
                               size_t size);

/* The operation has finished: queue it for Lua. Once per operation, on the
 * loop's thread. Never enters Lua. */
RUSHES_API void rushes_op_done(struct rushes_op *op, int status);

/* The engine's last touch of the memory, for a libuv handle inside it that is
 * the close callback. */
RUSHES_API void rushes_op_release(struct rushes_op *op);

/* The loop that everything runs on.  rushes_loop: [-0, +0, -] */
RUSHES_API uv_loop_t *rushes_loop(lua_State *L);
RUSHES_API uv_loop_t *rushes_op_loop(const struct rushes_op *op);

/* Have `fn(arg)` called when the program ends, after everything in flight was
 * cancelled and before the loop's last run: an engine closes its handles
 * there. The last one registered is called first.  [-0, +0, v] */
RUSHES_API void rushes_on_close(lua_State *L, void (*fn)(void *), void *arg);

/* Push nil and an error object; returns 2.  [-0, +2, m]
 * `status` is a negative libuv code and chooses `code` and `retryable`
 * (docs/errors.md); the text is one sentence without a final dot, without
 * secrets, made by `fmt` as lua_pushfstring does. With fmt NULL the text is
 * libuv's own. */
RUSHES_API int rushes_push_error(lua_State *L, int status, const char *fmt,
                                 ...);

/* The same with a code of our own, for what libuv has no number for. */
RUSHES_API int rushes_push_error_code(lua_State *L, const char *code,
                                      int retryable, const char *fmt, ...);

#endif
