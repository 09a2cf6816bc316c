/* http_loop.h - a libcurl multi handle driven by a libuv loop. There are two:
 * the program's own loop, for exchanges, and the download thread's. */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "lazy_curl.h"

struct http_sock;

struct http_loop {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;         /* libcurl's */
    uv_idle_t idle;           /* libcurl's "timeout 0", once per turn */
    struct http_sock **socks; /* by descriptor */
    int n_socks;
    atomic_ulong opened; /* connections, ever; any thread may look */
    bool kick;           /* `idle` runs */
    bool closing;
    /* An easy handle has ended and left the multi handle. Not called from
     * inside libcurl. */
    void (*ended)(struct http_loop *l, CURL *easy, CURLcode code);
    /* Called once per turn in which http_loop_kick() was; may be NULL. */
    void (*turn)(struct http_loop *l);
};

/* 0, or -1 when memory is out. `ended` and `turn` are the caller's to set. */
int http_loop_init(struct http_loop *l, uv_loop_t *loop);

/* Run libcurl in the loop's next turn. */
void http_loop_kick(struct http_loop *l);

/* Sockets of this handle are opened and closed by us. Nonzero: failed. */
int http_loop_set_sockets(struct http_loop *l, CURL *easy);

/* After every easy handle is gone. The memory must stay until `on_closed` has
 * been called for both `timer` and `idle`; their `data` is `l`. */
void http_loop_close(struct http_loop *l, uv_close_cb on_closed);

#endif
