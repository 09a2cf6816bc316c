/* http_loop.c - owns libcurl's multi handle, its timer and its sockets' poll
 * handles. libcurl's callbacks only note what is wanted; libcurl itself is
 * entered from libuv's callbacks and from Lua's calls, never from its own. */
#include "http_loop.h"

#include <stdlib.h>
#include <unistd.h>

struct http_sock {
    uv_poll_t poll;
    struct http_loop *owner;
    int fd;
    int mask;    /* what `poll` watches, 0: stopped */
    bool polled; /* `poll` has been initialised */
    bool wanted; /* libcurl wants events now */
    bool ours;   /* on_open made it, so on_close will be told */
};

/* ---- running libcurl ---- */

static void reap(struct http_loop *l)
{
    CURLMsg *m;
    int left;
    while ((m = curl.curl_multi_info_read(l->multi, &left))) {
        if (m->msg != CURLMSG_DONE)
            continue;
        CURL *easy = m->easy_handle;
        CURLcode code = m->data.result; /* m dies with remove_handle */
        curl.curl_multi_remove_handle(l->multi, easy);
        l->ended(l, easy, code);
    }
}

static void run(struct http_loop *l, int fd, int events)
{
    int running;
    curl.curl_multi_socket_action(l->multi, fd, events, &running);
    reap(l);
}

static void on_idle(uv_idle_t *idle)
{
    struct http_loop *l = idle->data;
    uv_idle_stop(idle);
    l->kick = false;
    if (l->turn)
        l->turn(l);
    run(l, CURL_SOCKET_TIMEOUT, 0);
}

static void on_timeout(uv_timer_t *timer)
{
    run(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* A timer of 0 ms that is armed again in its own callback would run again in
 * the same turn (libuv before 1.48), so "now" is an idle handle. */
void http_loop_kick(struct http_loop *l)
{
    if (l->kick || l->closing)
        return;
    l->kick = true;
    uv_idle_start(&l->idle, on_idle);
}

static int on_timer(CURLM *multi, long ms, void *user)
{
    struct http_loop *l = user;
    (void)multi;
    if (l->closing || ms < 0)
        uv_timer_stop(&l->timer);
    else if (ms == 0)
        http_loop_kick(l);
    else
        uv_timer_start(&l->timer, on_timeout, (uint64_t)ms + 1, 0);
    return 0;
}

/* ---- sockets ---- */

static void on_sock_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void sock_free(struct http_loop *l, int fd)
{
    struct http_sock *s = fd < l->n_socks ? l->socks[fd] : NULL;
    if (!s)
        return;
    l->socks[fd] = NULL;
    if (!s->polled) {
        free(s);
        return;
    }
    uv_poll_stop(&s->poll);
    uv_close((uv_handle_t *)&s->poll, on_sock_closed);
}

static struct http_sock *sock_new(struct http_loop *l, int fd)
{
    if (fd >= l->n_socks) {
        int n = l->n_socks ? l->n_socks : 64;
        while (n <= fd)
            n *= 2;
        void *more = realloc(l->socks, (size_t)n * sizeof *l->socks);
        if (!more)
            return NULL;
        l->socks = more;
        for (int i = l->n_socks; i < n; i++)
            l->socks[i] = NULL;
        l->n_socks = n;
    }
    sock_free(l, fd); /* a few are closed without telling us */
    struct http_sock *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->owner = l;
    s->fd = fd;
    s->poll.data = s;
    l->socks[fd] = s;
    return s;
}

static curl_socket_t on_open(void *user, curlsocktype purpose,
                             struct curl_sockaddr *a)
{
    (void)purpose;
    struct http_loop *l = user;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    atomic_fetch_add_explicit(&l->opened, 1, memory_order_relaxed);
    struct http_sock *s = sock_new(l, fd);
    if (!s) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    s->ours = true;
    return fd;
}

static int on_close(void *user, curl_socket_t fd)
{
    sock_free(user, fd);
    return close(fd);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http_sock *s = poll->data;
    if (!s->wanted) { /* a pooled connection: libcurl looks when it reuses */
        uv_poll_stop(poll);
        s->mask = 0;
        return;
    }
    int flags = 0;
    if (status < 0)
        flags |= CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    run(s->owner, s->fd, flags); /* may have freed s */
}

static int watch(struct http_sock *s, int mask)
{
    if (!s->polled) {
        if (uv_poll_init_socket(s->owner->loop, &s->poll, s->fd) < 0)
            return -1;
        s->polled = true;
    }
    s->wanted = true;
    if (s->mask == mask)
        return 0;
    s->mask = mask;
    return uv_poll_start(&s->poll, mask, on_poll) < 0 ? -1 : 0;
}

/* Connections are reused at once as a rule, so a socket of our own stays
 * watched when a transfer ends: two system calls less for each request. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user,
                     void *assigned)
{
    struct http_loop *l = user;
    struct http_sock *s = fd < l->n_socks ? l->socks[fd] : NULL;
    (void)easy, (void)assigned;
    if (what == CURL_POLL_REMOVE) {
        if (s && s->ours)
            s->wanted = false;
        else
            sock_free(l, fd); /* the resolver's: closed without telling us */
        return 0;
    }
    if (!s && !(s = sock_new(l, fd)))
        return -1;
    int mask = 0;
    if (what & CURL_POLL_IN)
        mask |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        mask |= UV_WRITABLE;
    return watch(s, mask);
}

int http_loop_set_sockets(struct http_loop *l, CURL *easy)
{
    return curl.curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) ||
           curl.curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, l) ||
           curl.curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) ||
           curl.curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, l);
}

/* ---- opening and closing ---- */

int http_loop_init(struct http_loop *l, uv_loop_t *loop)
{
    l->loop = loop;
    l->multi = curl.curl_multi_init();
    if (!l->multi)
        return -1;
    curl.curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl.curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl.curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl.curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    uv_timer_init(loop, &l->timer);
    uv_idle_init(loop, &l->idle);
    l->timer.data = l->idle.data = l;
    return 0;
}

void http_loop_close(struct http_loop *l, uv_close_cb on_closed)
{
    l->closing = true;
    curl.curl_multi_cleanup(l->multi); /* closes the pooled sockets */
    l->multi = NULL;
    for (int fd = 0; fd < l->n_socks; fd++)
        sock_free(l, fd);
    free(l->socks);
    l->socks = NULL;
    l->n_socks = 0;
    uv_close((uv_handle_t *)&l->timer, on_closed);
    uv_close((uv_handle_t *)&l->idle, on_closed);
}
