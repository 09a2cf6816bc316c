/* httpd.c - the server: libmicrohttpd's epoll descriptor in a uv_poll, its
 * timeouts in a uv_timer, and the requests that are suspended until somebody
 * has an answer. */
#include "httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "httpd_int.h"

#define CONNECTION_MEMORY 32768 /* bytes; request line and headers must fit */
#define DRAIN_MAX (1u << 30)    /* read so much of a refused body, no more */

static void on_idle(uv_idle_t *i);

/* ---- waiters ---- */

void httpd_forget(struct httpd_waiter *w)
{
    if (w->slot)
        *w->slot = NULL;
    w->slot = NULL;
}

void httpd_wait_in(struct httpd_waiter **slot, struct httpd_waiter *w)
{
    *slot = w;
    w->slot = slot;
}

void httpd_wake(struct httpd_waiter **slot, int status)
{
    struct httpd_waiter *w = *slot;
    if (!w)
        return;
    httpd_forget(w);
    w->wake(w, status);
}

/* ---- exchanges ---- */

void httpd_unref(struct httpd_private *p)
{
    if (--p->refs > 0)
        return;
    free(p->x.method);
    free(p->x.path);
    httpd_request_free(p);
    if (p->fd >= 0)
        close(p->fd);
    free(p->out);
    free(p);
}

void httpd_release(struct httpd_exchange *x)
{
    struct httpd_private *p = x->p;
    if (p->state == HTTPD_WAITING)
        httpd_abort(x, 0); /* nobody is left to answer it */
    httpd_unref(p);
}

void httpd_suspend(struct httpd_private *p)
{
    p->suspended = 1;
    mhd.MHD_suspend_connection(p->con);
}

void httpd_resume(struct httpd_private *p)
{
    if (!p->suspended)
        return;
    p->suspended = 0;
    mhd.MHD_resume_connection(p->con);
    uv_idle_start(&p->server->idle, on_idle); /* it sees it when it next runs */
}

static struct httpd_private *exchange_new(struct httpd *s,
                                          struct MHD_Connection *con,
                                          const char *method, const char *path)
{
    struct httpd_private *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->x.p = p;
    p->x.body.fd = p->fd = -1;
    p->server = s;
    p->con = con;
    p->refs = 1;
    p->truncate = -1;
    LIST_INSERT_HEAD(&s->all, p, in_all);
    s->active++;
    p->x.method = strdup(method);
    p->x.path = strdup(path);
    return p;
}

/* ---- libmicrohttpd's callbacks ---- */

/* Refuse before the body is sent, if the client waits for leave to send it. */
static enum MHD_Result begin(struct httpd_private *p)
{
    if (p->server->closing)
        return httpd_refuse(p, MHD_HTTP_SERVICE_UNAVAILABLE);
    const char *length = mhd.MHD_lookup_connection_value(
        p->con, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length && strtoull(length, NULL, 10) > p->server->max_body) {
        p->refused = MHD_HTTP_CONTENT_TOO_LARGE;
        if (mhd.MHD_lookup_connection_value(p->con, MHD_HEADER_KIND,
                                            MHD_HTTP_HEADER_EXPECT))
            return httpd_refuse(p, p->refused);
    }
    httpd_body_begin(p);
    return MHD_YES;
}

static enum MHD_Result enqueue(struct httpd_private *p)
{
    struct httpd *s = p->server;
    httpd_body_end(p);
    if (p->refused)
        return httpd_refuse(p, p->refused);
    p->state = HTTPD_WAITING;
    p->queued = 1;
    TAILQ_INSERT_TAIL(&s->queue, p, in_queue);
    httpd_suspend(p);
    httpd_wake(&s->accept, 0);
    return MHD_YES;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *con,
                                 const char *url, const char *method,
                                 const char *version, const char *data,
                                 size_t *size, void **ctx)
{
    (void)version;
    struct httpd_private *p = *ctx;
    if (!p) {
        *ctx = p = exchange_new(cls, con, method, url);
        int read = p && p->x.method && p->x.path && httpd_read_pairs(p) == 0;
        return read ? begin(p) : MHD_NO;
    }
    if (p->cut)
        return MHD_NO;
    if (*size > 0) {
        httpd_body_add(p, data, *size);
        *size = 0;
        return p->received > DRAIN_MAX && p->refused ? MHD_NO : MHD_YES;
    }
    return p->state == HTTPD_READING ? enqueue(p) : MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *con, void **ctx,
                         enum MHD_RequestTerminationCode why)
{
    (void)cls, (void)con;
    struct httpd_private *p = *ctx;
    if (!p)
        return;
    *ctx = NULL;
    LIST_REMOVE(p, in_all);
    p->server->active--;
    if (p->queued) {
        TAILQ_REMOVE(&p->server->queue, p, in_queue);
        p->queued = 0;
    }
    int whole = why == MHD_REQUEST_TERMINATED_COMPLETED_OK || p->asked_cut;
    p->state = HTTPD_OVER;
    p->end_status = whole ? 0 : UV_EPIPE;
    p->server = NULL;
    p->con = NULL;
    httpd_wake(&p->sent, p->end_status);
    httpd_unref(p);
}

/* ---- the loop ---- */

static void stop(struct httpd *s);
static void pump(struct httpd *s);

static void on_timer(uv_timer_t *t)
{
    pump(t->data);
}

static void on_idle(uv_idle_t *i)
{
    uv_idle_stop(i);
    pump(i->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    pump(poll->data);
}

/* Bodies that have used up their rate go on with the next tick. */
static void on_pace(uv_timer_t *t)
{
    struct httpd *s = t->data;
    struct httpd_private *p;
    int left = 0;
    LIST_FOREACH(p, &s->all, in_all)
    if (p->paced) {
        p->paced = 0;
        left++;
        httpd_resume(p);
    }
    if (left == 0)
        uv_timer_stop(t);
}

void httpd_pace(struct httpd_private *p)
{
    uv_timer_t *t = &p->server->pace;
    p->paced = 1;
    httpd_suspend(p);
    if (!uv_is_active((uv_handle_t *)t))
        uv_timer_start(t, on_pace, HTTPD_PACE_MS, HTTPD_PACE_MS);
}

static void pump(struct httpd *s)
{
    if (s->stopped)
        return;
    mhd.MHD_run(s->daemon);
    if (s->closing && s->active == 0) {
        stop(s);
        return;
    }
    MHD_UNSIGNED_LONG_LONG ms = 0;
    if (mhd.MHD_get_timeout(s->daemon, &ms) != MHD_YES)
        uv_timer_stop(&s->timer);
    else if (ms == 0)
        uv_idle_start(&s->idle, on_idle);
    else
        uv_timer_start(&s->timer, on_timer, ms, 0);
}

void httpd_hold(struct httpd *s)
{
    s->refs++;
}

void httpd_drop(struct httpd *s)
{
    if (--s->refs > 0)
        return;
    free(s->spool);
    free(s);
}

static void on_handle_closed(uv_handle_t *h)
{
    httpd_drop(h->data);
}

static void close_handles(struct httpd *s)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&s->timer, (uv_handle_t *)&s->pace,
                              (uv_handle_t *)&s->idle, (uv_handle_t *)&s->poll};
    for (size_t i = 0; i < 4; i++) {
        s->refs++;
        uv_close(handles[i], on_handle_closed);
    }
}

static void stop_listening(struct httpd *s)
{
    if (s->closing)
        return;
    s->closing = 1;
    int fd = mhd.MHD_quiesce_daemon(s->daemon);
    if (fd >= 0)
        close(fd);
    if (TAILQ_EMPTY(&s->queue))
        httpd_wake(&s->accept, UV_EOF);
}

static void stop(struct httpd *s)
{
    if (s->stopped)
        return;
    stop_listening(s);
    s->stopped = 1;
    close_handles(s); /* the poll lets go of the descriptor before it closes */
    mhd.MHD_stop_daemon(s->daemon);
    s->daemon = NULL;
    httpd_wake(&s->accept, UV_EOF);
    httpd_wake(&s->closed, 0);
    httpd_wake(&s->end, 0);
}

/* ---- opening ---- */

static int parse_address(const char *host, int port,
                         struct sockaddr_storage *out, socklen_t *size)
{
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)out) == 0) {
        *size = sizeof(struct sockaddr_in);
        return 0;
    }
    *size = sizeof(struct sockaddr_in6);
    return uv_ip6_addr(host, port, (struct sockaddr_in6 *)out);
}

/* A listening socket, or a negative code; our own, for exact errors. */
static int listen_on(const struct httpd_options *o, int *port)
{
    struct sockaddr_storage a = {0};
    socklen_t size;
    if (parse_address(o->host, o->port, &a, &size) < 0)
        return UV_EINVAL;
    int on = 1;
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, size) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &size) < 0) {
        int status = -errno;
        close(fd);
        return status;
    }
    *port =
        ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port
                                     : ((struct sockaddr_in6 *)&a)->sin6_port);
    return fd;
}

static struct MHD_Daemon *start_daemon(struct httpd *s, int fd,
                                       const struct httpd_options *o)
{
    return mhd.MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL, NULL,
        on_access, s, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_CONNECTION_TIMEOUT, o->idle, MHD_OPTION_CONNECTION_LIMIT,
        o->connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
}

static int init_handles(struct httpd *s)
{
    const union MHD_DaemonInfo *info =
        mhd.MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return UV_ENOTSUP;
    int status = uv_poll_init(s->loop, &s->poll, info->epoll_fd);
    if (status < 0)
        return status;
    uv_timer_init(s->loop, &s->timer);
    uv_timer_init(s->loop, &s->pace);
    uv_idle_init(s->loop, &s->idle);
    s->poll.data = s->timer.data = s->pace.data = s->idle.data = s;
    uv_poll_start(&s->poll, UV_READABLE, on_poll);
    return 0;
}

static struct httpd *server_new(uv_loop_t *loop, const struct httpd_options *o)
{
    struct httpd *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->loop = loop;
    s->refs = 1;
    s->max_body = o->max_body;
    s->max_memory = o->max_memory;
    s->spool = strdup(o->spool);
    TAILQ_INIT(&s->queue);
    LIST_INIT(&s->all);
    return s;
}

int httpd_listen(struct httpd **out, uv_loop_t *loop,
                 const struct httpd_options *o, const char **why)
{
    int status = mhd_load(why);
    if (status < 0)
        return status;
    struct httpd *s = server_new(loop, o);
    if (!s)
        return UV_ENOMEM;
    int fd = listen_on(o, &s->port);
    if (fd < 0) {
        httpd_drop(s);
        *why = uv_strerror(fd);
        return fd;
    }
    s->daemon = start_daemon(s, fd, o);
    status = s->daemon ? init_handles(s) : UV_ENOMEM;
    if (status < 0) {
        if (s->daemon)
            mhd.MHD_stop_daemon(s->daemon);
        close(fd);
        httpd_drop(s);
        *why = "libmicrohttpd cannot start";
        return status;
    }
    *out = s;
    return 0;
}

int httpd_port(const struct httpd *s)
{
    return s->port;
}

/* ---- taking, closing ---- */

void httpd_wait_request(struct httpd *s, struct httpd_waiter *w)
{
    if (!TAILQ_EMPTY(&s->queue))
        w->wake(w, 0);
    else if (s->closing)
        w->wake(w, UV_EOF);
    else if (s->accept)
        w->wake(w, UV_EBUSY);
    else
        httpd_wait_in(&s->accept, w);
}

struct httpd_exchange *httpd_take(struct httpd *s)
{
    struct httpd_private *p = TAILQ_FIRST(&s->queue);
    if (!p)
        return NULL;
    TAILQ_REMOVE(&s->queue, p, in_queue);
    p->queued = 0;
    p->refs++;
    return &p->x;
}

void httpd_close(struct httpd *s, struct httpd_waiter *w)
{
    stop_listening(s);
    if (s->active == 0)
        stop(s);
    if (s->stopped)
        w->wake(w, 0);
    else if (s->closed)
        w->wake(w, UV_EBUSY);
    else
        httpd_wait_in(&s->closed, w);
}

void httpd_wait_end(struct httpd *s, struct httpd_waiter *w)
{
    httpd_wait_in(&s->end, w);
}

void httpd_cut(struct httpd *s)
{
    if (s->stopped)
        return;
    stop_listening(s);
    struct httpd_private *p;
    LIST_FOREACH(p, &s->all, in_all)
    httpd_abort(&p->x, 0);
    mhd.MHD_run(s->daemon); /* nothing may be suspended when it stops */
    stop(s);
}
