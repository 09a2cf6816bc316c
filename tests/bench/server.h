/* server.h - the bench server: what its four parts share.
 *
 * One thread, one libuv loop.  It must never be what a benchmark measures,
 * so a task costs no memory while it waits: its id says when it was made. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#define ID_LEN 36

struct options {
    uint64_t port;       /* 0: any free one, printed on stdout */
    uint64_t gen_ms;     /* how long a generation takes */
    uint64_t size;       /* bytes of one output */
    uint64_t latency_ms; /* wait before each answer */
    double lose_close;   /* percent of submit answers lost by a clean close */
    double lose_reset;   /* percent of submit answers lost by a reset */
    bool hold;           /* nothing finishes before POST /__release */
    bool steady;         /* the answer of a running task never changes */
    bool die_with_parent;
    bool probe_port; /* print a free port and leave */
    uint64_t seed;   /* of the choice which answers are lost */
};

struct stats {
    uint64_t posts, tasks, duplicates, lost, polls, polls_done, downloads;
    uint64_t partial, deletes, bytes, connections, refused;
};

/* A set of 64-bit numbers, for prompts seen and tasks deleted. */
struct set {
    uint64_t *slot;
    size_t used, cap;
};

struct server {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_timer_t delay;
    TAILQ_HEAD(, conn) delayed; /* in order of due time: latency is one */
    struct options opt;
    struct stats stats;
    struct set prompts, deleted;
    uint64_t start_ms; /* of the loop's clock */
    int64_t wall_ms;   /* the same moment since 1970 */
    uint64_t seq;
    uint64_t random;
    char date[64]; /* HTTP date of date_s */
    int64_t date_s;
};

struct text {
    const char *at;
    size_t len;
};

/* One request; the texts point into the connection's buffer. */
struct request {
    struct text method, path, host, range, if_range;
    size_t head_len;
    uint64_t body_len;
    bool close, expect, chunked, auth, version, https;
};

enum then { THEN_KEEP, THEN_CLOSE, THEN_LOSE, THEN_RESET, THEN_QUIT };

struct reply {
    int status;
    enum then then;
    bool blob;         /* the body is bytes from..to of an output */
    uint64_t from, to; /* to is one past the last byte */
    size_t body_len;
    char body[1536];
};

/* server_http.c: framing.
 * 1 = a whole head was read, 0 = more bytes needed, -1 = not HTTP. */
int request_parse(const char *buf, size_t len, struct request *r);
bool text_is(struct text t, const char *word);
bool text_starts(struct text t, const char *word);
/* Narrow reply->from..to by the Range header and set status 200/206/416. */
void range_apply(const struct request *r, uint64_t size, struct reply *reply);
/* Write the answer's head; returns its length. */
size_t head_write(struct server *s, const struct reply *r, char *out,
                  size_t cap);

/* server_task.c: ids and sets. */
void task_id(struct server *s, char out[ID_LEN + 1]);
/* True if the server made this id; gives its number and its age in ms. */
bool task_find(struct server *s, struct text id, uint64_t *seq, uint64_t *age);
/* True if the number was not in the set yet. */
bool set_add(struct set *set, uint64_t n);
bool set_has(const struct set *set, uint64_t n);
uint64_t hash_bytes(const char *p, size_t n);

/* server_api.c: what is answered. */
void api_answer(struct server *s, const struct request *r, const char *body,
                struct reply *reply);

/* server_conn.c: connections. */
void conn_listen(struct server *s);

#endif
