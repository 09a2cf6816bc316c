/* download.c - owns the download pool, seen from the program's loop: what goes
 * to the thread and what comes back. Only the two queues, under `lock`, and
 * the counters are shared. */
#include "download.h"

#include <stdlib.h>
#include <string.h>

#include "download_impl.h"

static void on_back(uv_async_t *back)
{
    struct download_pool *p = back->data;
    struct downloads out = TAILQ_HEAD_INITIALIZER(out);
    struct download *d;
    uv_mutex_lock(&p->lock);
    TAILQ_CONCAT(&out, &p->outbox, link);
    uv_mutex_unlock(&p->lock);
    while ((d = TAILQ_FIRST(&out))) {
        TAILQ_REMOVE(&out, d, link);
        http_client_unref(d->client);
        d->client = NULL;
        d->done(d);
    }
}

static void init_queues(struct download_pool *p)
{
    TAILQ_INIT(&p->inbox);
    TAILQ_INIT(&p->outbox);
    TAILQ_INIT(&p->active);
    TAILQ_INIT(&p->idle);
    TAILQ_INIT(&p->landing);
    TAILQ_INIT(&p->landed);
    LIST_INIT(&p->hosts);
}

/* Handles of a loop that no thread has run yet. */
static void undo_thread(struct download_pool *p)
{
    download_thread_shut(p);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct download_pool *download_pool_new(uv_loop_t *loop)
{
    struct download_pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    init_queues(p);
    if (uv_mutex_init(&p->lock) < 0 || download_thread_init(p) < 0) {
        free(p);
        return NULL;
    }
    p->back.data = p;
    if (uv_async_init(loop, &p->back, on_back) < 0) {
        undo_thread(p);
        free(p);
        return NULL;
    }
    if (uv_thread_create(&p->thread, download_thread_run, p) < 0) {
        undo_thread(p);
        uv_close((uv_handle_t *)&p->back, on_closed);
        return NULL;
    }
    return p;
}

void download_pool_close(struct download_pool *p)
{
    uv_mutex_lock(&p->lock);
    p->quit = true;
    uv_mutex_unlock(&p->lock);
    uv_async_send(&p->wake);
    uv_thread_join(&p->thread);
    uv_loop_close(&p->loop);
    on_back(&p->back);
    uv_mutex_destroy(&p->lock);
    uv_close((uv_handle_t *)&p->back, on_closed);
}

int download_start(struct download_pool *p, struct download *d, const char *url,
                   const char *path)
{
    size_t n = strlen(url) + 1, m = strlen(path) + 1;
    d->url = malloc(n + m);
    if (!d->url)
        return -1;
    memcpy(d->url, url, n);
    d->path = memcpy(d->url + n, path, m);
    atomic_init(&d->cancelled, false);
    uv_mutex_lock(&p->lock);
    TAILQ_INSERT_TAIL(&p->inbox, d, link);
    uv_mutex_unlock(&p->lock);
    uv_async_send(&p->wake);
    return 0;
}

void download_cancel(struct download_pool *p, struct download *d)
{
    atomic_store(&d->cancelled, true);
    uv_mutex_lock(&p->lock);
    p->look = true;
    uv_mutex_unlock(&p->lock);
    uv_async_send(&p->wake);
}

void download_stats(struct download_pool *p, uint64_t *attempts,
                    uint64_t *connections)
{
    *attempts = atomic_load(&p->attempts);
    *connections = atomic_load(&p->curl.opened);
}

void download_fini(struct download *d)
{
    if (d->client)
        http_client_unref(d->client);
    if (d->counter)
        download_counter_unref(d->counter);
    free(d->result);
    free(d->url);
    d->client = NULL;
    d->counter = NULL;
    d->result = NULL;
    d->url = NULL;
}

struct download_counter *download_counter_new(void)
{
    struct download_counter *c = calloc(1, sizeof *c);
    if (c)
        atomic_init(&c->refs, 1);
    return c;
}

void download_counter_unref(struct download_counter *c)
{
    if (atomic_fetch_sub(&c->refs, 1) == 1)
        free(c);
}
