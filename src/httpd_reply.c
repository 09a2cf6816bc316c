/* httpd_reply.c - answers: bytes, files with Range, streams, at a given rate,
 * cut short on purpose. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "httpd_int.h"

#define BLOCK 16384 /* bytes read from a body at a time */

/* ---- ranges ---- */

static int digits(const char **s, uint64_t *out)
{
    const char *c = *s;
    uint64_t n = 0;
    while (*c >= '0' && *c <= '9' && c - *s < 19)
        n = n * 10 + (uint64_t)(*c++ - '0');
    int found = c > *s;
    *s = c;
    *out = n;
    return found;
}

/* Several ranges in one request are legal to ignore, so they are. */
int httpd_range(const char *range, uint64_t size, uint64_t *first,
                uint64_t *last)
{
    if (!range || strncmp(range, "bytes=", 6) != 0 || strchr(range, ','))
        return 0;
    const char *c = range + 6;
    uint64_t from, to;
    int has_from = digits(&c, &from);
    if (*c++ != '-')
        return 0;
    int has_to = digits(&c, &to);
    if (*c != '\0' || (!has_from && !has_to) ||
        (has_from && has_to && to < from))
        return 0;
    if (!has_from) { /* the last `to` bytes */
        if (to == 0 || size == 0)
            return -1;
        from = to < size ? size - to : 0;
        to = size - 1;
    } else if (from >= size) {
        return -1;
    } else if (!has_to || to >= size) {
        to = size - 1;
    }
    *first = from;
    *last = to;
    return 1;
}

/* ---- bodies that are read piece by piece ---- */

/* How much may be sent now; 0 suspends the connection until later. */
static size_t allowance(struct httpd_private *p, uint64_t pos)
{
    uv_update_time(p->server->loop);
    uint64_t now = uv_now(p->server->loop);
    if (!p->started_ms)
        p->started_ms = now;
    uint64_t due = p->rate * (now - p->started_ms + HTTPD_PACE_MS) / 1000 + 1;
    if (due > pos)
        return (size_t)(due - pos);
    httpd_pace(p);
    return 0;
}

static ssize_t take_out(struct httpd_private *p, char *buf, size_t max)
{
    size_t n = p->out_size - p->out_pos;
    if (n > max)
        n = max;
    memcpy(buf, p->out + p->out_pos, n);
    p->out_pos += n;
    return (ssize_t)n;
}

static ssize_t read_stream(struct httpd_private *p, char *buf, size_t max)
{
    if (p->out_pos < p->out_size)
        return take_out(p, buf, max);
    if (p->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    p->out_pos = p->out_size = 0;
    httpd_suspend(p);
    httpd_wake(&p->sent, 0); /* what was written has left */
    return 0;
}

static ssize_t on_stream(void *cls, uint64_t pos, char *buf, size_t max)
{
    (void)pos;
    struct httpd_private *p = cls;
    return p->cut ? MHD_CONTENT_READER_END_WITH_ERROR
                  : read_stream(p, buf, max);
}

static int socket_of(struct httpd_private *p)
{
    const union MHD_ConnectionInfo *info =
        mhd.MHD_get_connection_info(p->con, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/* What has been sent still arrives. libmicrohttpd alone would notice only at
 * its timeout when the reader fails before the first byte. */
static ssize_t end_short(struct httpd_private *p)
{
    p->asked_cut = 1;
    shutdown(socket_of(p), SHUT_RDWR);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t on_body(void *cls, uint64_t pos, char *buf, size_t max)
{
    struct httpd_private *p = cls;
    if (p->cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (p->truncate >= 0 && pos >= (uint64_t)p->truncate)
        return end_short(p);
    if (p->truncate >= 0 && max > (uint64_t)p->truncate - pos)
        max = (size_t)((uint64_t)p->truncate - pos);
    if (p->rate) {
        size_t n = allowance(p, pos);
        if (n == 0)
            return 0;
        if (max > n)
            max = n;
    }
    if (p->fd < 0)
        return take_out(p, buf, max);
    ssize_t n = pread(p->fd, buf, max, (off_t)(p->offset + pos));
    return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void on_response_free(void *cls)
{
    httpd_unref(cls);
}

static struct MHD_Response *from_callback(struct httpd_private *p,
                                          uint64_t size,
                                          MHD_ContentReaderCallback read)
{
    struct MHD_Response *r = mhd.MHD_create_response_from_callback(
        size, BLOCK, read, p, on_response_free);
    if (r)
        p->refs++;
    return r;
}

/* ---- queueing ---- */

static int add_headers(struct MHD_Response *r, const struct httpd_reply *reply)
{
    for (size_t i = 0; i < reply->n_headers; i++)
        if (mhd.MHD_add_response_header(r, reply->headers[i].name,
                                        reply->headers[i].value) != MHD_YES)
            return UV_EINVAL;
    return 0;
}

static int queue(struct httpd_private *p, unsigned status,
                 struct MHD_Response *r)
{
    enum MHD_Result ok = mhd.MHD_queue_response(p->con, status, r);
    mhd.MHD_destroy_response(r);
    if (ok != MHD_YES)
        return UV_EINVAL;
    p->state = HTTPD_ANSWERED;
    httpd_resume(p);
    return 0;
}

static const char *refusal(unsigned status)
{
    switch (status) {
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return "{\"error\":\"The request body is too large.\"}";
    case MHD_HTTP_BAD_REQUEST:
        return "{\"error\":\"The form in the request body is malformed.\"}";
    case MHD_HTTP_SERVICE_UNAVAILABLE:
        return "{\"error\":\"The server is closing.\"}";
    default:
        return "{\"error\":\"The request body cannot be stored.\"}";
    }
}

enum MHD_Result httpd_refuse(struct httpd_private *p, unsigned status)
{
    const char *text = refusal(status);
    struct MHD_Response *r = mhd.MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (!r)
        return MHD_NO;
    mhd.MHD_add_response_header(r, "Content-Type", "application/json");
    mhd.MHD_add_response_header(r, "Connection", "close");
    return queue(p, status, r) == 0 ? MHD_YES : MHD_NO;
}

/* ---- bytes ---- */

static struct MHD_Response *bytes_response(struct httpd_private *p,
                                           const struct httpd_reply *reply)
{
    if (!reply->rate && reply->truncate < 0)
        return mhd.MHD_create_response_from_buffer(
            reply->size, (void *)(uintptr_t)reply->bytes,
            MHD_RESPMEM_MUST_COPY);
    free(p->out);
    p->out = malloc(reply->size + 1);
    if (!p->out)
        return NULL;
    memcpy(p->out, reply->bytes, reply->size);
    p->out_size = reply->size;
    p->out_pos = 0;
    return from_callback(p, reply->size, on_body);
}

/* ---- files ---- */

struct file {
    int fd;
    uint64_t size, first, length;
    unsigned status;
    char etag[64], content_range[96];
};

static const char *given_header(const struct httpd_reply *reply,
                                const char *name)
{
    for (size_t i = 0; i < reply->n_headers; i++)
        if (strcasecmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    return NULL;
}

static const char *request_header(struct httpd_private *p, const char *name)
{
    return mhd.MHD_lookup_connection_value(p->con, MHD_HEADER_KIND, name);
}

static int file_open(struct file *f, const char *path)
{
    struct stat st;
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0)
        return -errno;
    if (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(f->fd);
        return UV_EISDIR;
    }
    f->size = f->length = (uint64_t)st.st_size;
    snprintf(f->etag, sizeof f->etag, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"",
             (uint64_t)st.st_ino, f->size,
             (uint64_t)st.st_mtim.tv_sec * 1000000000u +
                 (uint64_t)st.st_mtim.tv_nsec);
    return 0;
}

/* If-None-Match, Range and If-Range; only for an answer that would be 200. */
static void file_conditions(struct file *f, struct httpd_private *p,
                            const char *etag)
{
    const char *none = request_header(p, "If-None-Match");
    const char *only_if = request_header(p, "If-Range");
    if (none && strcmp(none, etag) == 0) {
        f->status = MHD_HTTP_NOT_MODIFIED;
        f->length = 0;
        return;
    }
    if (only_if && strcmp(only_if, etag) != 0)
        return;
    uint64_t last;
    int r = httpd_range(request_header(p, "Range"), f->size, &f->first, &last);
    if (r > 0) {
        f->status = MHD_HTTP_PARTIAL_CONTENT;
        f->length = last - f->first + 1;
        snprintf(f->content_range, sizeof f->content_range,
                 "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, f->first, last,
                 f->size);
    } else if (r < 0) {
        f->status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
        f->length = 0;
        snprintf(f->content_range, sizeof f->content_range, "bytes */%" PRIu64,
                 f->size);
    }
}

static struct MHD_Response *file_response(struct file *f,
                                          struct httpd_private *p,
                                          const struct httpd_reply *reply)
{
    struct MHD_Response *r;
    if (reply->rate || reply->truncate >= 0) {
        p->fd = f->fd;
        p->offset = f->first;
        return from_callback(p, f->length, on_body);
    }
    if (f->length > 0) {
        r = mhd.MHD_create_response_from_fd_at_offset64(f->length, f->fd,
                                                        f->first);
    } else {
        r = mhd.MHD_create_response_from_buffer(0, (void *)(uintptr_t) "",
                                                MHD_RESPMEM_PERSISTENT);
        close(f->fd);
    }
    return r;
}

static int respond_file(struct httpd_private *p,
                        const struct httpd_reply *reply)
{
    struct file f = {.status = reply->status};
    int status = file_open(&f, reply->path);
    if (status < 0)
        return status;
    const char *etag = given_header(reply, "ETag");
    if (reply->status == MHD_HTTP_OK)
        file_conditions(&f, p, etag ? etag : f.etag);
    struct MHD_Response *r = file_response(&f, p, reply);
    if (!r)
        return UV_ENOMEM;
    status = add_headers(r, reply);
    mhd.MHD_add_response_header(r, "Accept-Ranges", "bytes");
    if (!etag)
        mhd.MHD_add_response_header(r, "ETag", f.etag);
    if (f.content_range[0])
        mhd.MHD_add_response_header(r, "Content-Range", f.content_range);
    if (status < 0) {
        mhd.MHD_destroy_response(r);
        return status;
    }
    return queue(p, f.status, r);
}

/* ---- the calls ---- */

static int may_reply(struct httpd_private *p)
{
    if (p->state == HTTPD_OVER || p->cut)
        return UV_EPIPE;
    return p->state == HTTPD_WAITING ? 0 : UV_EALREADY;
}

int httpd_respond(struct httpd_exchange *x, const struct httpd_reply *reply,
                  struct httpd_waiter *w)
{
    struct httpd_private *p = x->p;
    int status = may_reply(p);
    if (status < 0)
        return status;
    p->rate = reply->rate;
    p->truncate = reply->truncate;
    if (reply->path) {
        status = respond_file(p, reply);
    } else {
        struct MHD_Response *r = bytes_response(p, reply);
        if (!r)
            return UV_ENOMEM;
        status = add_headers(r, reply);
        if (status < 0)
            mhd.MHD_destroy_response(r);
        else
            status = queue(p, reply->status, r);
    }
    if (status == 0)
        httpd_wait_in(&p->sent, w);
    return status;
}

int httpd_stream(struct httpd_exchange *x, const struct httpd_reply *reply)
{
    struct httpd_private *p = x->p;
    int status = may_reply(p);
    if (status < 0)
        return status;
    struct MHD_Response *r = from_callback(p, MHD_SIZE_UNKNOWN, on_stream);
    if (!r)
        return UV_ENOMEM;
    status = add_headers(r, reply);
    if (status < 0) {
        mhd.MHD_destroy_response(r);
        return status;
    }
    return queue(p, reply->status, r);
}

int httpd_write(struct httpd_exchange *x, const char *bytes, size_t size,
                struct httpd_waiter *w)
{
    struct httpd_private *p = x->p;
    if (p->state == HTTPD_OVER || p->cut)
        return p->end_status < 0 || p->cut ? UV_EPIPE : UV_EOF;
    if (p->sent || p->out_pos < p->out_size)
        return UV_EBUSY;
    if (size > p->out_cap) {
        char *grown = realloc(p->out, size);
        if (!grown)
            return UV_ENOMEM;
        p->out = grown;
        p->out_cap = size;
    }
    memcpy(p->out, bytes, size);
    p->out_size = size;
    p->out_pos = 0;
    httpd_wait_in(&p->sent, w);
    httpd_resume(p);
    return 0;
}

int httpd_finish(struct httpd_exchange *x, struct httpd_waiter *w)
{
    struct httpd_private *p = x->p;
    if (p->state == HTTPD_OVER || p->cut)
        return p->end_status < 0 || p->cut ? UV_EPIPE : UV_EOF;
    if (p->sent)
        return UV_EBUSY;
    p->ended = 1;
    httpd_wait_in(&p->sent, w);
    httpd_resume(p);
    return 0;
}

/* Dissolving the association sends the reset at once, before libmicrohttpd
 * can shut the socket down in order. */
static void reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    connect(fd, &none, sizeof none);
}

void httpd_abort(struct httpd_exchange *x, int hard)
{
    struct httpd_private *p = x->p;
    if (p->state == HTTPD_OVER || p->cut)
        return;
    p->cut = 1;
    if (p->queued) {
        TAILQ_REMOVE(&p->server->queue, p, in_queue);
        p->queued = 0;
    }
    if (hard)
        reset(socket_of(p));
    else
        shutdown(socket_of(p), SHUT_RDWR);
    httpd_resume(p);
}
