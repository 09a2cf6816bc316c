/* download.c - owns the download thread: its loop, the gate for each origin,
 * the way there and back. What the thread alone touches is marked so; only
 * the two queues, under `lock`, and the counters are shared. */
#include "download.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"

#define KEEP 64L /* idle connections */

TAILQ_HEAD(downloads, download);

/* The downloads from one origin. */
struct host {
    LIST_ENTRY(host) link;
    unsigned running;
    struct downloads queue;
    char origin[HTTP_ORIGIN_MAX];
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
    bool land_busy, ending;
    atomic_ulong attempts;
};

/* ---- the thread: ends ---- */

static void hand_back(struct download_pool *p, struct download *d)
{
    uv_mutex_lock(&p->lock);
    TAILQ_INSERT_TAIL(&p->outbox, d, link);
    uv_mutex_unlock(&p->lock);
    uv_async_send(&p->back);
}

/* Never from here: a thousand downloads that fail at once would nest. */
static void host_left(struct download_pool *p, struct host *h)
{
    h->running--;
    http_loop_kick(&p->curl); /* start_more() */
}

/* The slot is free from here on; landing needs no network. */
static void leave_active(struct download_pool *p, struct fetch *f)
{
    TAILQ_REMOVE(&p->active, f, link);
    heap_remove(&p->resting, &f->retry);
    if (f->running)
        curl.curl_multi_remove_handle(p->curl.multi, f->easy);
    f->running = false;
}

static void put_idle(struct download_pool *p, struct fetch *f)
{
    struct download *d = f->d;
    d->result = f->result;
    f->result = NULL;
    fetch_reset(f);
    TAILQ_INSERT_HEAD(&p->idle, f, link);
    hand_back(p, d);
}

static void give_up(struct download_pool *p, struct fetch *f)
{
    struct host *h = f->host;
    leave_active(p, f);
    fetch_abandon(f);
    put_idle(p, f);
    host_left(p, h);
}

static void drop(struct download_pool *p, struct fetch *f)
{
    free(f->result); /* cancelled: there is none */
    f->result = NULL;
    give_up(p, f);
}

/* ---- the thread: landing, a batch at a time on libuv's pool ---- */

static void land_more(struct download_pool *p);
static void shut(struct download_pool *p);

static void on_land(uv_work_t *work)
{
    struct download_pool *p = work->data;
    land(&p->landing);
}

static void on_landed(uv_work_t *work, int status)
{
    struct download_pool *p = work->data;
    struct fetch *f;
    (void)status;
    p->land_busy = false;
    while ((f = TAILQ_FIRST(&p->landing))) {
        TAILQ_REMOVE(&p->landing, f, link);
        put_idle(p, f);
    }
    land_more(p);
    if (p->ending && !p->land_busy)
        shut(p);
}

static void land_more(struct download_pool *p)
{
    if (p->land_busy || TAILQ_EMPTY(&p->landed))
        return;
    TAILQ_CONCAT(&p->landing, &p->landed, link);
    p->land_busy = true;
    uv_queue_work(&p->loop, &p->work, on_land, on_landed);
}

/* ---- the thread: attempts ---- */

static void attempt(struct download_pool *p, struct fetch *f)
{
    if (fetch_prepare(f) < 0) {
        give_up(p, f);
        return;
    }
    f->running = true;
    atomic_fetch_add_explicit(&p->attempts, 1, memory_order_relaxed);
    curl.curl_multi_add_handle(p->curl.multi, f->easy);
}

static void on_rest(uv_timer_t *timer);

static void arm(struct download_pool *p)
{
    uint64_t due, now = uv_now(&p->loop);
    if (heap_first(&p->resting, &due))
        uv_timer_start(&p->rest, on_rest, due > now ? due - now : 0, 0);
}

static void on_rest(uv_timer_t *timer)
{
    struct download_pool *p = timer->data;
    struct heap_node *node;
    uint64_t due;
    while ((node = heap_first(&p->resting, &due)) && due <= uv_now(&p->loop)) {
        heap_remove(&p->resting, node);
        attempt(p,
                (struct fetch *)((char *)node - offsetof(struct fetch, retry)));
    }
    arm(p);
}

static void rest(struct download_pool *p, struct fetch *f, uint64_t ms)
{
    uv_update_time(&p->loop);
    if (ms == 0)
        attempt(p, f);
    else if (heap_push(&p->resting, &f->retry, uv_now(&p->loop) + ms) < 0)
        drop(p, f);
    else
        arm(p);
}

static void on_ended(struct http_loop *l, CURL *easy, CURLcode code)
{
    struct download_pool *p = (struct download_pool *)l;
    struct fetch *f = NULL;
    uint64_t wait;
    curl.curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&f);
    f->running = false;
    if (atomic_load(&f->d->cancelled)) {
        drop(p, f);
        return;
    }
    struct host *h = f->host;
    switch (fetch_ended(f, code, &wait)) {
    case FETCH_AGAIN:
        rest(p, f, wait);
        break;
    case FETCH_FAILED:
        give_up(p, f);
        break;
    case FETCH_LAND:
        leave_active(p, f);
        TAILQ_INSERT_TAIL(&p->landed, f, link);
        land_more(p);
        host_left(p, h);
        break;
    }
}

static void begin(struct download_pool *p, struct host *h, struct download *d)
{
    struct fetch *f = TAILQ_FIRST(&p->idle);
    if (f)
        TAILQ_REMOVE(&p->idle, f, link);
    else
        f = fetch_new(&p->curl);
    if (!f) {
        hand_back(p, d);
        return;
    }
    TAILQ_INSERT_TAIL(&p->active, f, link);
    f->host = h;
    h->running++;
    if (fetch_take(f, d) < 0)
        drop(p, f);
    else
        attempt(p, f);
}

static void start_more(struct http_loop *l)
{
    struct download_pool *p = (struct download_pool *)l;
    struct download *d;
    struct host *h;
    LIST_FOREACH(h, &p->hosts, link)
    while ((d = TAILQ_FIRST(&h->queue)) && h->running < d->slots) {
        TAILQ_REMOVE(&h->queue, d, link);
        begin(p, h, d);
    }
}

/* ---- the thread: what comes in ---- */

/* NULL when memory is out. A URL that is none gets a queue of its own name:
 * fetch_prepare() explains it. */
static struct host *host_of(struct download_pool *p, const char *url)
{
    char origin[HTTP_ORIGIN_MAX];
    struct host *h;
    if (http_origin(url, origin) < 0)
        snprintf(origin, sizeof origin, "?");
    LIST_FOREACH(h, &p->hosts, link)
    if (strcmp(h->origin, origin) == 0)
        return h;
    h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    snprintf(h->origin, sizeof h->origin, "%s", origin);
    TAILQ_INIT(&h->queue);
    LIST_INSERT_HEAD(&p->hosts, h, link);
    return h;
}

static void drop_queued(struct download_pool *p, struct host *h, bool all)
{
    struct download *d, *next;
    for (d = TAILQ_FIRST(&h->queue); d; d = next) {
        next = TAILQ_NEXT(d, link);
        if (!all && !atomic_load(&d->cancelled))
            continue;
        TAILQ_REMOVE(&h->queue, d, link);
        hand_back(p, d);
    }
}

static void drop_cancelled(struct download_pool *p, bool all)
{
    struct fetch *f, *next;
    struct host *h;
    LIST_FOREACH(h, &p->hosts, link)
    drop_queued(p, h, all);
    for (f = TAILQ_FIRST(&p->active); f; f = next) {
        next = TAILQ_NEXT(f, link);
        if (all || atomic_load(&f->d->cancelled))
            drop(p, f);
    }
}

/* The last thing: with every handle closed, the thread's loop ends. Files
 * that are whole have landed before. */
static void shut(struct download_pool *p)
{
    struct fetch *f;
    struct host *h;
    while ((f = TAILQ_FIRST(&p->idle))) {
        TAILQ_REMOVE(&p->idle, f, link);
        fetch_free(f);
    }
    while ((h = LIST_FIRST(&p->hosts))) {
        LIST_REMOVE(h, link);
        free(h);
    }
    http_loop_close(&p->curl, NULL);
    uv_close((uv_handle_t *)&p->wake, NULL);
    uv_close((uv_handle_t *)&p->rest, NULL);
    heap_fini(&p->resting);
}

static void take_in(struct download_pool *p, struct downloads *in)
{
    struct download *d;
    while ((d = TAILQ_FIRST(in))) {
        TAILQ_REMOVE(in, d, link);
        struct host *h = host_of(p, d->url);
        if (h)
            TAILQ_INSERT_TAIL(&h->queue, d, link);
        else
            hand_back(p, d);
    }
}

static void on_wake(uv_async_t *wake)
{
    struct download_pool *p = wake->data;
    struct downloads in = TAILQ_HEAD_INITIALIZER(in);
    uv_mutex_lock(&p->lock);
    TAILQ_CONCAT(&in, &p->inbox, link);
    bool quit = p->quit, look = p->look;
    p->look = false;
    uv_mutex_unlock(&p->lock);
    take_in(p, &in);
    if (look || quit)
        drop_cancelled(p, quit);
    if (!quit) {
        http_loop_kick(&p->curl);
    } else if (!p->ending) {
        p->ending = true;
        if (!p->land_busy && TAILQ_EMPTY(&p->landed))
            shut(p);
    }
}

static void run_thread(void *arg)
{
    struct download_pool *p = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are for the program */
    uv_run(&p->loop, UV_RUN_DEFAULT);       /* until every handle is closed */
}

/* ---- the program's loop ---- */

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

static int init_thread(struct download_pool *p)
{
    if (uv_loop_init(&p->loop) < 0)
        return -1;
    if (http_loop_init(&p->curl, &p->loop) < 0) {
        uv_loop_close(&p->loop);
        return -1;
    }
    /* by default libcurl keeps as few as four for each running transfer */
    curl.curl_multi_setopt(p->curl.multi, CURLMOPT_MAXCONNECTS, KEEP);
    p->curl.ended = on_ended;
    p->curl.turn = start_more;
    p->work.data = p->wake.data = p->rest.data = p;
    uv_async_init(&p->loop, &p->wake, on_wake);
    uv_timer_init(&p->loop, &p->rest);
    return 0;
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
    shut(p);
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
    if (uv_mutex_init(&p->lock) < 0 || init_thread(p) < 0) {
        free(p);
        return NULL;
    }
    p->back.data = p;
    if (uv_async_init(loop, &p->back, on_back) < 0) {
        undo_thread(p);
        free(p);
        return NULL;
    }
    if (uv_thread_create(&p->thread, run_thread, p) < 0) {
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
