/* http_poll.h - the same GET again and again, until its answer changes. What
 * waits is a struct of about a hundred bytes and its path; no connection, no
 * handle, no Lua. */
#ifndef HTTP_POLL_H
#define HTTP_POLL_H

#include "heap.h"
#include "http.h"

struct http_polls; /* all that wait on one loop */

struct http_polls *http_polls_new(uv_loop_t *loop);

/* Close the timer and free. No poll may be left. */
void http_polls_close(struct http_polls *ps);

struct http_poll {
    struct http_job job;
    struct http_polls *polls;
    void (*done)(struct http_poll *p, const struct http_answer *a);
    uint64_t seen;     /* digest of the body that is no news; 0: any is news */
    uint64_t deadline; /* ms */
    uint32_t every;    /* ms */
    struct heap_node node;
    uint16_t status; /* of the last answer, 0 if there was none */
    uint8_t misses;  /* failures in a row */
};

struct http_poll_options {
    double first, every, deadline; /* seconds from now */
    uint64_t seen;
};

/* Takes the spec over and a reference to the client. `done` is called once
 * from the loop: with an answer whose body is not `seen`, with one that will
 * not get better (4xx but 408 and 429), with a failure that will not pass,
 * or with code "timeout" at the deadline. 5xx, HTML pages, broken
 * connections and single timeouts are ridden out. */
void http_poll_start(struct http_polls *ps, struct http_poll *p,
                     struct http_client *client, struct http_spec *spec,
                     const struct http_poll_options *o);

/* Forget it; `done` is not called. Twice is harmless. */
void http_poll_stop(struct http_poll *p);

/* A 64-bit digest of a body, never 0. It tells changed from unchanged and
 * resists nobody: both bodies come from the same server. */
uint64_t http_poll_digest(const char *data, size_t len);

#endif
