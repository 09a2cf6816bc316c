/* server_conn.c - connections: one request at a time, in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define HEAD_MAX (64u << 10)
#define BODY_MAX (32u << 20)
/* A prime: bytes written at a wrong offset never look right. */
#define PATTERN 262139u

static char pattern[PATTERN];

struct conn {
    uv_tcp_t tcp; /* first member: casts both ways */
    struct server *srv;
    TAILQ_ENTRY(conn) link;
    uint64_t due;
    bool waiting; /* linked in srv->delayed */
    bool busy;    /* an answer is under way */
    bool closing;
    bool continued; /* 100 Continue was sent for this request */
    char *in;
    size_t len, cap;
    struct request req;
    struct reply reply;
    char head[1024];
    uv_buf_t *out;
    size_t out_cap;
    uv_write_t write;
};

static void pump(struct conn *c);

static void on_closed(uv_handle_t *h)
{
    struct conn *c = (struct conn *)h;

    free(c->in);
    free(c->out);
    free(c);
}

static void conn_close(struct conn *c, bool reset)
{
    if (c->closing)
        return;
    c->closing = true;
    if (c->waiting)
        TAILQ_REMOVE(&c->srv->delayed, c, link);
    if (reset && uv_tcp_close_reset(&c->tcp, on_closed) == 0)
        return;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void *grow(void *p, size_t n)
{
    p = realloc(p, n);
    if (!p) {
        fputs("bench server: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

/* The answer has left: forget its request and take the next one. */
static void answered(struct conn *c)
{
    size_t used = c->req.head_len + c->req.body_len;

    memmove(c->in, c->in + used, c->len - used);
    c->len -= used;
    c->busy = c->continued = false;
    if (c->reply.then == THEN_QUIT)
        uv_stop(&c->srv->loop);
    if (c->reply.then != THEN_KEEP)
        conn_close(c, false);
}

static void on_written(uv_write_t *w, int status)
{
    struct conn *c = w->data;

    if (c->closing)
        return;
    if (status < 0) {
        conn_close(c, false);
        return;
    }
    answered(c);
    pump(c);
}

/* Head and body as one list of buffers; returns how many. */
static unsigned gather(struct conn *c)
{
    struct reply *r = &c->reply;
    size_t want = 2 + (size_t)((r->to - r->from) / PATTERN) + 2;
    unsigned n = 0;

    if (want > c->out_cap) {
        c->out = grow(c->out, want * sizeof *c->out);
        c->out_cap = want;
    }
    size_t head = head_write(c->srv, r, c->head, sizeof c->head);
    c->out[n++] = uv_buf_init(c->head, (unsigned)head);
    if (r->body_len)
        c->out[n++] = uv_buf_init(r->body, (unsigned)r->body_len);
    for (uint64_t at = r->from; at < r->to;) {
        size_t skip = (size_t)(at % PATTERN);
        size_t len = PATTERN - skip;
        if (len > r->to - at)
            len = (size_t)(r->to - at);
        c->out[n++] = uv_buf_init(pattern + skip, (unsigned)len);
        at += len;
    }
    return n;
}

/* Send the reply; what the socket does not take at once follows later. */
static void reply_send(struct conn *c)
{
    if (c->reply.then == THEN_LOSE || c->reply.then == THEN_RESET) {
        conn_close(c, c->reply.then == THEN_RESET);
        return;
    }
    unsigned n = gather(c);
    uv_buf_t *b = c->out;
    int sent = uv_try_write((uv_stream_t *)&c->tcp, b, n > 1024 ? 1024 : n);
    size_t left = sent > 0 ? (size_t)sent : 0;

    c->srv->stats.bytes += c->reply.to - c->reply.from;
    while (n && left >= b->len) {
        left -= b->len;
        b++;
        n--;
    }
    if (!n) {
        answered(c);
        return;
    }
    b->base += left;
    b->len -= left;
    c->write.data = c;
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, b, n, on_written))
        conn_close(c, false);
}

static void on_delay(uv_timer_t *t)
{
    struct server *s = t->data;
    struct conn *c;

    while ((c = TAILQ_FIRST(&s->delayed)) && c->due <= uv_now(&s->loop)) {
        TAILQ_REMOVE(&s->delayed, c, link);
        c->waiting = false;
        reply_send(c);
        if (!c->closing)
            pump(c);
    }
    if (c)
        uv_timer_start(t, on_delay, c->due - uv_now(&s->loop), 0);
}

static void reply_later(struct conn *c)
{
    struct server *s = c->srv;

    c->due = uv_now(&s->loop) + s->opt.latency_ms;
    c->waiting = true;
    TAILQ_INSERT_TAIL(&s->delayed, c, link);
    if (!uv_is_active((uv_handle_t *)&s->delay))
        uv_timer_start(&s->delay, on_delay, s->opt.latency_ms, 0);
}

/* A refusal that ends the connection: where it stops is not known. */
static void refuse(struct conn *c, int status)
{
    c->reply = (struct reply){.status = status, .then = THEN_CLOSE};
    c->req.head_len = c->len;
    c->req.body_len = 0;
    c->busy = true;
    c->srv->stats.refused++;
    reply_send(c);
}

/* True when a whole request lies in the buffer. */
static bool request_ready(struct conn *c)
{
    int rc = c->len ? request_parse(c->in, c->len, &c->req) : 0;

    if (rc < 0 || (rc == 0 && c->len > HEAD_MAX)) {
        refuse(c, 400);
        return false;
    }
    if (rc == 0)
        return false;
    if (c->req.chunked || c->req.body_len > BODY_MAX) {
        refuse(c, c->req.chunked ? 411 : 413);
        return false;
    }
    if (c->len - c->req.head_len >= c->req.body_len)
        return true;
    if (c->req.expect && !c->continued) {
        uv_buf_t go = uv_buf_init("HTTP/1.1 100 Continue\r\n\r\n", 25);
        c->continued = true;
        uv_try_write((uv_stream_t *)&c->tcp, &go, 1);
    }
    return false;
}

static void pump(struct conn *c)
{
    while (!c->busy && !c->closing && request_ready(c)) {
        c->busy = true;
        api_answer(c->srv, &c->req, c->in + c->req.head_len, &c->reply);
        if (c->srv->opt.latency_ms)
            reply_later(c);
        else
            reply_send(c);
    }
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct conn *c = (struct conn *)h;
    size_t room = c->len < HEAD_MAX ? 4096 : 1u << 20;

    (void)hint;
    if (c->cap - c->len < room) {
        c->cap = c->len + room;
        c->in = grow(c->in, c->cap);
    }
    *buf = uv_buf_init(c->in + c->len, (unsigned)(c->cap - c->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = (struct conn *)stream;

    (void)buf;
    if (n < 0 || c->len > HEAD_MAX + BODY_MAX) {
        conn_close(c, false);
        return;
    }
    c->len += (size_t)n;
    pump(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct server *s = listener->data;
    struct conn *c;

    if (status < 0)
        return;
    c = grow(NULL, sizeof *c);
    memset(c, 0, sizeof *c);
    c->srv = s;
    uv_tcp_init(&s->loop, &c->tcp);
    if (uv_accept(listener, (uv_stream_t *)&c->tcp)) {
        conn_close(c, false);
        return;
    }
    s->stats.connections++;
    uv_tcp_nodelay(&c->tcp, 1);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

void conn_listen(struct server *s)
{
    struct sockaddr_in at;
    uint64_t x = 88172645463325252u;

    for (size_t i = 0; i < PATTERN; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        pattern[i] = (char)(x >> 32);
    }
    TAILQ_INIT(&s->delayed);
    s->listener.data = s->delay.data = s;
    uv_timer_init(&s->loop, &s->delay);
    uv_tcp_init(&s->loop, &s->listener);
    uv_ip4_addr("127.0.0.1", (int)s->opt.port, &at);
    int rc = uv_tcp_bind(&s->listener, (struct sockaddr *)&at, 0);
    if (!rc)
        rc = uv_listen((uv_stream_t *)&s->listener, 4096, on_connection);
    if (rc) {
        fprintf(stderr, "bench server: cannot listen on 127.0.0.1:%d: %s\n",
                (int)s->opt.port, uv_strerror(rc));
        exit(1);
    }
}
