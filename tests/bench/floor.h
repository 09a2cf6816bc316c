/* floor.h - the bare C floor: what its parts share.
 *
 * The least a program on libcurl and libuv can spend on the requests that
 * rushes makes: same requests, same bytes, no Lua, no journal. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <curl/curl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

struct options {
    const char *base;   /* http://127.0.0.1:PORT */
    const char *out;    /* folder of the downloads */
    const char *cacert; /* CA file for an https base, or NULL */
    unsigned jobs, slots, dl_slots, window;
    unsigned gen_ms;   /* wait before the first poll */
    unsigned every_ms; /* between polls */
    unsigned for_ms;   /* --poll-only: how long to watch */
    unsigned buffer;   /* bytes of a download's receive buffer */
    bool poll_only, fetch_only, sha256, fsync, thread, h1;
};

enum kind { SUBMIT, POLL, FETCH };

/* One take.  Small, because 100,000 of them wait at once. */
struct job {
    STAILQ_ENTRY(job) next; /* in one gate's queue at a time */
    uint32_t index;
    char id[37];
    char *url; /* of the output; owned, from the last poll to the file */
};

STAILQ_HEAD(queue, job);

struct engine;

/* One pooled easy handle and what it needs while a request runs. */
struct slot {
    STAILQ_ENTRY(slot) next; /* while idle */
    struct engine *engine;
    CURL *easy;
    struct job *job;
    enum kind kind;
    size_t body_len, body_sent;
    char body[1024];
    size_t answer_len;
    char answer[4096];
    int fd; /* of the .part file, or -1 */
    EVP_MD_CTX *hash;
    uint64_t got;
};

/* Called on the engine's thread; the slot is idle again afterwards. */
typedef void done_fn(struct slot *slot, CURLcode rc, long status);

/* A loop, a multi, and a gate in front of it: never more handles inside
 * libcurl than slots, because libcurl's own queue costs 20 times more. */
struct engine {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    uv_idle_t idle;
    uv_prepare_t turn;
    uint64_t turn_ns, asleep_ns; /* at the last turn of the loop */
    uint64_t gap_ns;             /* longest work without a turn */
    struct sock **socks;         /* by descriptor */
    int socks_cap;
    unsigned nslots;
    STAILQ_HEAD(, slot) idle_slots;
    struct queue wait[3]; /* by kind: submit before poll before fetch */
    done_fn *done;
    const struct options *opt;
    uint64_t requests, connections;
};

/* floor_engine.c */
void engine_init(struct engine *e, uv_loop_t *loop, const struct options *o,
                 unsigned slots, done_fn *done);
void engine_push(struct engine *e, enum kind kind, struct job *job);
void engine_pump(struct engine *e);

/* floor_request.c: one request's options; setup is once per slot. */
void request_init(const struct options *o);
void request_setup(struct slot *s, const struct options *o);
void request_prepare(struct slot *s, const struct options *o);
/* The id of a create answer, into job->id; false if there is none. */
bool answer_id(struct slot *s);
/* 1 = finished, url owned by the job; 0 = not yet; -1 = nonsense. */
int answer_task(struct slot *s);

/* floor_fetch.c: a download to NAME.part, then renamed. */
bool fetch_open(struct slot *s, const struct options *o);
size_t fetch_write(char *data, size_t size, size_t n, void *slot);
/* True if the whole file is in place. */
bool fetch_close(struct slot *s, const struct options *o, bool ok);

/* floor_heap.c: what is due when, in buckets of 10 ms. */
struct heap {
    struct due {
        uint64_t at;
        struct job *job;
    } * v;
    size_t n, cap;
};
void heap_add(struct heap *h, uint64_t at_ms, struct job *job);
struct job *heap_pop(struct heap *h, uint64_t now_ms); /* NULL: none due */

/* floor_args.c */
void options_read(struct options *o, int argc, char **argv);
void *must(void *p); /* leaves the program when p is NULL */

#endif
