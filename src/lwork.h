/* lwork.h - operations that run one blocking function on libuv's threads.
 * Files, hashes and image heads are read there, never on the loop. */
#ifndef LWORK_H
#define LWORK_H

#include <stdatomic.h>

#include "rushes.h"

/* First member of an operation of this kind. */
struct work_op {
    struct rushes_op op;
    uv_work_t req;
    /* On a pool thread: no Lua, no loop. Returns 0 or a negative UV_E... */
    int (*run)(struct work_op *w);
    int status;
    atomic_int stop; /* the task was cancelled: end at the next piece */
};

/* Queue the operation. Does not raise; a failure is its result. */
void work_start(struct work_op *w, int (*run)(struct work_op *w));

/* For rushes_op_class.cancel. */
void work_cancel(struct rushes_op *op);

#endif
