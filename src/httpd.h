/* httpd.h - a small HTTP/1.1 server: libmicrohttpd driven by a libuv loop.
 *
 * A request is read whole (small bodies to memory, large ones and files of
 * forms to disk), its connection is suspended, and it waits in a queue until
 * somebody takes it and replies. Nothing here knows Lua, and nobody is called
 * back but waiters, which only note that something has happened. */
#ifndef HTTPD_H
#define HTTPD_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct httpd;

/* Something that waits for one event. It waits in at most one slot. */
struct httpd_waiter {
    void (*wake)(struct httpd_waiter *w, int status);
    struct httpd_waiter **slot; /* where it waits, or NULL */
};

/* Leave the slot without being woken. Nothing happens if it waits nowhere. */
void httpd_forget(struct httpd_waiter *w);

struct httpd_options {
    const char *host;     /* an address: "127.0.0.1", "::1", "0.0.0.0" */
    int port;             /* 0: any free one */
    size_t max_body;      /* bytes; a larger request is answered 413 */
    size_t max_memory;    /* bytes of one request kept in memory */
    const char *spool;    /* folder for the rest */
    unsigned idle;        /* seconds without traffic until a connection ends */
    unsigned connections; /* at most so many at once */
};

struct httpd_pair {
    char *name, *value;
};

struct httpd_list {
    struct httpd_pair *v;
    size_t n, cap;
};

/* Bytes in memory, or in the file `path` (removed with the request, unless
 * somebody has renamed it). */
struct httpd_content {
    char *data;
    size_t size, cap;
    char *path;
    int fd;
};

struct httpd_part {
    char *name, *filename, *type; /* the last two may be NULL */
    struct httpd_content content;
};

/* One request. The fields below are read-only for the taker. */
struct httpd_exchange {
    char *method, *path;              /* the path is percent-decoded */
    struct httpd_list headers, query; /* header names in lower case */
    struct httpd_content body;        /* empty if `parts` is set */
    struct httpd_part *parts;         /* in the order of the form */
    size_t n_parts;
    struct httpd_private *p;
};

struct httpd_reply {
    unsigned status;
    const struct httpd_pair *headers;
    size_t n_headers;
    const char *bytes; /* copied */
    size_t size;
    const char *path; /* instead of bytes: a file, with Range and ETag */
    uint64_t rate;    /* bytes per second; 0: as fast as it goes */
    int64_t truncate; /* cut the connection after so many body bytes; or -1 */
};

/* Bind and listen. 0, or a negative libuv code and a sentence in *why. */
int httpd_listen(struct httpd **out, uv_loop_t *loop,
                 const struct httpd_options *o, const char **why);
int httpd_port(const struct httpd *s);

/* Wake `w` with 0 when a request can be taken, UV_EOF when none will come. */
void httpd_wait_request(struct httpd *s, struct httpd_waiter *w);

/* The oldest waiting request, or NULL. The taker must release it. */
struct httpd_exchange *httpd_take(struct httpd *s);
void httpd_release(struct httpd_exchange *x);

/* Stop listening; `w` is woken when every request has been answered. */
void httpd_close(struct httpd *s, struct httpd_waiter *w);

/* Cut every connection and stop; waiters are woken. */
void httpd_cut(struct httpd *s);

/* Wake `w` when the server has stopped, however that came about. */
void httpd_wait_end(struct httpd *s, struct httpd_waiter *w);

/* The server is freed when the last holder drops it; httpd_listen() gives the
 * first hold. It must have been closed or cut by then. */
void httpd_hold(struct httpd *s);
void httpd_drop(struct httpd *s);

/* Answer. `w` is woken when the kernel has all of it (0) or the client has
 * gone (UV_EPIPE). Returns < 0, and the request stays unanswered, when the
 * file cannot be opened or a header is not legal; UV_EALREADY after a reply. */
int httpd_respond(struct httpd_exchange *x, const struct httpd_reply *r,
                  struct httpd_waiter *w);

/* Answer with a body of unknown length, written piece by piece. */
int httpd_stream(struct httpd_exchange *x, const struct httpd_reply *r);
/* Send a copy of the bytes; `w` is woken when the kernel has them. One at a
 * time: UV_EBUSY. */
int httpd_write(struct httpd_exchange *x, const char *bytes, size_t size,
                struct httpd_waiter *w);
/* The stream is complete. */
int httpd_finish(struct httpd_exchange *x, struct httpd_waiter *w);

/* Cut the connection, at any time: by a reset, or by an ordinary close. */
void httpd_abort(struct httpd_exchange *x, int reset);

/* What a Range header means for a file of `size` bytes: 1 and the first and
 * last byte; 0: send everything; -1: cannot be satisfied. */
int httpd_range(const char *range, uint64_t size, uint64_t *first,
                uint64_t *last);

#endif
