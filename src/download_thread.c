/* download_thread.c - owns what the download thread does: the gate for each
 * origin, attempts and their repetition, landing. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "download_impl.h"

#define KEEP 64 /* idle connections, at least */

/* ---- ends ---- */

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
    p->running--;
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

/* ---- landing, a batch at a time on libuv's pool ---- */

static void land_more(struct download_pool *p);

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
        download_thread_shut(p);
}

static void land_more(struct download_pool *p)
{
    if (p->land_busy || TAILQ_EMPTY(&p->landed))
        return;
    TAILQ_CONCAT(&p->landing, &p->landed, link);
    p->land_busy = true;
    uv_queue_work(&p->loop, &p->work, on_land, on_landed);
}

/* ---- attempts ---- */

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

/* By default libcurl keeps as few as four connections for each running
 * transfer. */
static void keep(struct download_pool *p, unsigned n)
{
    p->keep = n;
    curl.curl_multi_setopt(p->curl.multi, CURLMOPT_MAXCONNECTS, (long)n);
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
    f->origin = h->origin;
    h->running++;
    if (++p->running > p->keep)
        keep(p, 2 * p->running);
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

/* ---- what comes in ---- */

/* Is `spelt` what the URL's origin is written as? */
static bool spelt_so(const struct host *h, const char *url, size_t n)
{
    return n > 0 && strncmp(h->spelt, url, n) == 0 && h->spelt[n] == '\0';
}

static struct host *host_at(struct download_pool *p, const char *origin)
{
    struct host *h;
    LIST_FOREACH(h, &p->hosts, link)
    if (strcmp(h->origin, origin) == 0)
        return h;
    h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    memcpy(h->origin, origin, strlen(origin) + 1);
    TAILQ_INIT(&h->queue);
    LIST_INSERT_HEAD(&p->hosts, h, link);
    return h;
}

/* NULL when memory is out. A URL that is none gets a queue without an origin:
 * fetch_prepare() explains it. */
static struct host *host_of(struct download_pool *p, const char *url)
{
    char origin[HTTP_ORIGIN_MAX];
    size_t n = http_origin_length(url);
    struct host *h;
    LIST_FOREACH(h, &p->hosts, link)
    if (spelt_so(h, url, n))
        return h;
    if (http_origin(url, origin) < 0)
        return host_at(p, "");
    h = host_at(p, origin);
    if (h && n < sizeof h->spelt) {
        memcpy(h->spelt, url, n);
        h->spelt[n] = '\0';
    }
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
void download_thread_shut(struct download_pool *p)
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
            download_thread_shut(p);
    }
}

/* ---- its life ---- */

int download_thread_init(struct download_pool *p)
{
    if (uv_loop_init(&p->loop) < 0)
        return -1;
    if (http_loop_init(&p->curl, &p->loop) < 0) {
        uv_loop_close(&p->loop);
        return -1;
    }
    keep(p, KEEP);
    p->curl.ended = on_ended;
    p->curl.turn = start_more;
    p->work.data = p->wake.data = p->rest.data = p;
    uv_async_init(&p->loop, &p->wake, on_wake);
    uv_timer_init(&p->loop, &p->rest);
    return 0;
}

void download_thread_run(void *arg)
{
    struct download_pool *p = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are for the program */
    uv_run(&p->loop, UV_RUN_DEFAULT);       /* until every handle is closed */
}
