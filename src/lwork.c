/* lwork.c - owns the way of an operation to libuv's thread pool and back. */
#include "lwork.h"

static void on_work(uv_work_t *req)
{
    struct work_op *w = req->data;
    w->status = w->run(w);
}

static void on_worked(uv_work_t *req, int status)
{
    struct work_op *w = req->data;
    rushes_op_done(&w->op, status < 0 ? status : w->status);
    rushes_op_release(&w->op);
}

void work_start(struct work_op *w, int (*run)(struct work_op *w))
{
    w->req.data = w;
    w->run = run;
    int status =
        uv_queue_work(rushes_op_loop(&w->op), &w->req, on_work, on_worked);
    if (status < 0) {
        rushes_op_done(&w->op, status);
        rushes_op_release(&w->op);
    }
}

void work_cancel(struct rushes_op *op)
{
    struct work_op *w = (struct work_op *)op;
    atomic_store(&w->stop, 1);
    uv_cancel((uv_req_t *)&w->req); /* refused once it runs: `stop` ends it */
}
