/* download_impl.h - what the program's side of downloads (download.c) and the
 * thread's (download_thread.c) share. */
#ifndef DOWNLOAD_IMPL_H
#define DOWNLOAD_IMPL_H

#include "fetch.h"

TAILQ_HEAD(downloads, download);

/* The downloads from one origin. */
struct host {
    LIST_ENTRY(host) link;
    unsigned running;
    struct downloads queue;
    char origin[HTTP_ORIGIN_MAX]; /* empty: of URLs that are none */
    char spelt[HTTP_ORIGIN_MAX];  /* as the last URL had it */
};

struct download_pool {
    struct http_loop curl; /* the thread's; first member */
    uv_thread_t thread;
    uv_mutex_t lock;
    struct downloads inbox, outbox; /* under lock */
    bool quit, look;                /* under lock; look: some are cancelled */
    uv_async_t back;                /* the program's loop */
    /* the thread's own: */
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t rest;
    uv_work_t work;
    LIST_HEAD(, host) hosts;
    struct fetches active, idle, landing, landed;
    struct heap resting;
    unsigned running, keep; /* fetches in `active`; idle connections */
    bool land_busy, ending;
    atomic_ulong attempts;
};

/* 0, or -1 when memory is out. The thread's loop, which nobody runs yet. */
int download_thread_init(struct download_pool *p);

/* Close every handle of that loop; nothing may be on its way. */
void download_thread_shut(struct download_pool *p);

/* The thread: runs the loop until every handle is closed. */
void download_thread_run(void *pool);

#endif
