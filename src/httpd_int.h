/* httpd_int.h - what the files of the HTTP server share. */
#ifndef HTTPD_INT_H
#define HTTPD_INT_H

#include <sys/queue.h>

#include "httpd.h"
#include "lazy_mhd.h"

/* How often a body that is sent at a given rate goes on. */
#define HTTPD_PACE_MS 20

enum httpd_state {
    HTTPD_READING,  /* libmicrohttpd delivers the request */
    HTTPD_WAITING,  /* suspended until somebody replies */
    HTTPD_ANSWERED, /* a response is queued */
    HTTPD_OVER,     /* libmicrohttpd has let go of it */
};

struct httpd {
    uv_loop_t *loop;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;   /* libmicrohttpd's epoll descriptor */
    uv_timer_t timer; /* its timeouts */
    uv_idle_t idle;   /* it has more to do at once */
    uv_timer_t pace;  /* resumes bodies that are sent at a given rate */
    int port;
    int refs; /* the owner, and the handles that are not closed */
    size_t max_body, max_memory, active;
    char *spool;
    unsigned char closing, stopped;
    TAILQ_HEAD(, httpd_private) queue; /* not yet taken */
    LIST_HEAD(, httpd_private) all;    /* known to libmicrohttpd */
    struct httpd_waiter *accept, *closed, *end;
};

struct httpd_private {
    struct httpd_exchange x;
    struct httpd *server;       /* NULL once over */
    struct MHD_Connection *con; /* NULL once over */
    int refs; /* libmicrohttpd, the taker, a response that reads from it */
    enum httpd_state state;
    unsigned char queued, suspended, paced, cut, ended, asked_cut;
    int end_status; /* once over */
    TAILQ_ENTRY(httpd_private) in_queue;
    LIST_ENTRY(httpd_private) in_all;
    struct httpd_waiter *sent;
    /* reading */
    struct MHD_PostProcessor *form;
    size_t in_memory, received;
    unsigned refused; /* the status to answer with, instead of queueing */
    /* replying */
    char *out;
    size_t out_size, out_cap, out_pos;
    int fd;
    uint64_t offset, rate, started_ms;
    int64_t truncate;
};

void httpd_wake(struct httpd_waiter **slot, int status);
void httpd_wait_in(struct httpd_waiter **slot, struct httpd_waiter *w);
void httpd_suspend(struct httpd_private *p);
void httpd_resume(struct httpd_private *p);
/* Suspend the connection until the next tick of the pace. */
void httpd_pace(struct httpd_private *p);
void httpd_unref(struct httpd_private *p);

/* httpd_body.c: reading. A body that cannot be kept sets p->refused. */
/* 0, or -1 when memory is out: then some are missing. */
int httpd_read_pairs(struct httpd_private *p);
void httpd_body_begin(struct httpd_private *p);
void httpd_body_add(struct httpd_private *p, const char *data, size_t size);
void httpd_body_end(struct httpd_private *p);
void httpd_request_free(struct httpd_private *p);

/* httpd_reply.c: a sentence as JSON, for what never reaches the taker. */
enum MHD_Result httpd_refuse(struct httpd_private *p, unsigned status);

#endif
