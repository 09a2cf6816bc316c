/* floor_engine.c - libcurl's multi on libuv, and the gate in front of it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floor.h"

/* A socket is watched until it is closed, not until a request ends: that
 * saves two epoll_ctl and a malloc per request. */
struct sock {
    uv_poll_t poll; /* first member: casts both ways */
    struct engine *engine;
    int fd;
    int events;
    bool wanted; /* libcurl asks for events now */
};

static void reap(struct engine *e)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(e->multi, &left))) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        CURLcode rc = msg->data.result;
        CURL *easy = msg->easy_handle;
        struct slot *slot;
        long status = 0, fresh = 0;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&slot);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &fresh);
        curl_multi_remove_handle(e->multi, easy);
        e->connections += (uint64_t)fresh;
        e->done(slot, rc, status);
        STAILQ_INSERT_HEAD(&e->idle_slots, slot, next);
    }
    engine_pump(e);
}

static void act(struct engine *e, curl_socket_t fd, int mask)
{
    int running;

    curl_multi_socket_action(e->multi, fd, mask, &running);
    reap(e);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    struct sock *k = (struct sock *)p;
    int mask = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
               (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

    if (!k->wanted) { /* an idle connection was closed by its peer */
        uv_poll_stop(p);
        k->events = 0;
        return;
    }
    act(k->engine, k->fd, status < 0 ? CURL_CSELECT_ERR : mask);
}

static struct sock *sock_new(struct engine *e, int fd)
{
    if (fd >= e->socks_cap) {
        int cap = fd * 2 + 64;
        e->socks = must(realloc(e->socks, (size_t)cap * sizeof *e->socks));
        memset(e->socks + e->socks_cap, 0,
               (size_t)(cap - e->socks_cap) * sizeof *e->socks);
        e->socks_cap = cap;
    }
    struct sock *k = must(calloc(1, sizeof *k));
    k->engine = e;
    k->fd = fd;
    uv_poll_init_socket(e->loop, &k->poll, fd);
    return e->socks[fd] = k;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user,
                     void *unused)
{
    struct engine *e = user;
    struct sock *k = fd < e->socks_cap ? e->socks[fd] : NULL;

    (void)easy, (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (k)
            k->wanted = false;
        return 0;
    }
    if (!k)
        k = sock_new(e, fd);
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) |
                 (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    k->wanted = true;
    if (events != k->events) {
        uv_poll_start(&k->poll, events, on_poll);
        k->events = events;
    }
    return 0;
}

static void on_sock_closed(uv_handle_t *h)
{
    free(h);
}

static int on_close_socket(void *user, curl_socket_t fd)
{
    struct engine *e = user;
    struct sock *k = fd < e->socks_cap ? e->socks[fd] : NULL;

    if (k) {
        e->socks[fd] = NULL;
        uv_poll_stop(&k->poll); /* before the descriptor goes away */
        uv_close((uv_handle_t *)&k->poll, on_sock_closed);
    }
    return close(fd);
}

static void on_timer(uv_timer_t *t)
{
    act(t->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_idle(uv_idle_t *i)
{
    uv_idle_stop(i);
    act(i->data, CURL_SOCKET_TIMEOUT, 0);
}

/* "At once" goes through uv_idle: a timer of 0 ms that is armed again in
 * its own callback never lets libuv 1.44 finish the turn. */
static int on_curl_timer(CURLM *multi, long ms, void *user)
{
    struct engine *e = user;

    (void)multi;
    if (ms == 0) {
        uv_timer_stop(&e->timer);
        uv_idle_start(&e->idle, on_idle);
        return 0;
    }
    uv_idle_stop(&e->idle);
    if (ms < 0)
        uv_timer_stop(&e->timer);
    else
        uv_timer_start(&e->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

/* Once per turn, just before the loop waits: how long was it away? */
static void on_turn(uv_prepare_t *p)
{
    struct engine *e = p->data;
    uint64_t now = uv_hrtime();
    uint64_t asleep = uv_metrics_idle_time(e->loop);
    uint64_t busy = now - e->turn_ns - (asleep - e->asleep_ns);

    if (e->turn_ns && busy > e->gap_ns)
        e->gap_ns = busy;
    e->turn_ns = now;
    e->asleep_ns = asleep;
}

static void multi_init(struct engine *e)
{
    CURLM *m = e->multi = must(curl_multi_init());

    curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(m, CURLMOPT_SOCKETDATA, e);
    curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(m, CURLMOPT_TIMERDATA, e);
    curl_multi_setopt(m, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)e->nslots);
}

void engine_init(struct engine *e, uv_loop_t *loop, const struct options *o,
                 unsigned slots, done_fn *done)
{
    *e = (struct engine){.loop = loop, .opt = o, .done = done};
    e->nslots = slots;
    e->timer.data = e->idle.data = e->turn.data = e;
    uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
    uv_timer_init(loop, &e->timer);
    uv_idle_init(loop, &e->idle);
    uv_prepare_init(loop, &e->turn);
    uv_prepare_start(&e->turn, on_turn);
    uv_unref((uv_handle_t *)&e->turn);
    multi_init(e);
    STAILQ_INIT(&e->idle_slots);
    for (int k = SUBMIT; k <= FETCH; k++)
        STAILQ_INIT(&e->wait[k]);
    for (unsigned i = 0; i < slots; i++) {
        struct slot *s = must(calloc(1, sizeof *s));
        s->engine = e;
        s->fd = -1;
        s->easy = must(curl_easy_init());
        curl_easy_setopt(s->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
        curl_easy_setopt(s->easy, CURLOPT_CLOSESOCKETDATA, e);
        request_setup(s, o);
        STAILQ_INSERT_TAIL(&e->idle_slots, s, next);
    }
}

void engine_push(struct engine *e, enum kind kind, struct job *job)
{
    STAILQ_INSERT_TAIL(&e->wait[kind], job, next);
}

void engine_pump(struct engine *e)
{
    for (int k = SUBMIT; k <= FETCH; k++) {
        struct job *job;
        while ((job = STAILQ_FIRST(&e->wait[k])) &&
               !STAILQ_EMPTY(&e->idle_slots)) {
            struct slot *s = STAILQ_FIRST(&e->idle_slots);
            STAILQ_REMOVE_HEAD(&e->wait[k], next);
            STAILQ_REMOVE_HEAD(&e->idle_slots, next);
            s->job = job;
            s->kind = (enum kind)k;
            request_prepare(s, e->opt);
            e->requests++;
            curl_multi_add_handle(e->multi, s->easy);
        }
    }
}
