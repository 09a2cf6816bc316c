/* download.h - files from the network to the disk, on a thread of their own
 * so that large bodies never hold up the program's loop. No Lua.
 *
 * Either the whole file is at its path or nothing is: the bytes go to
 * PATH.part, their number is checked against what the server announced, the
 * file is fsynced and renamed and its folder fsynced. A cut is resumed with
 * Range where the server says how to be sure (a strong ETag, Last-Modified).
 *
 * Files: download.c (the pool), download_thread.c (its thread and its gate),
 * fetch.c (one file from the network), land.c (from .part to its name). */
#ifndef DOWNLOAD_H
#define DOWNLOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

struct download_pool;
struct http_client;

/* Bytes so far, for whoever looks from another thread. */
struct download_counter {
    atomic_uint refs;
    atomic_ullong bytes, total; /* total 0: not known */
};
struct download_counter *download_counter_new(void);
void download_counter_unref(struct download_counter *c);

struct download_result {
    const char *code; /* NULL: the file is there */
    bool transient;
    int status; /* HTTP, 0 if there was no answer */
    uint64_t bytes;
    int64_t mtime;   /* nanoseconds since 1970 */
    char sha256[65]; /* lower-case hex, or empty */
    char type[128];  /* Content-Type as it came, or empty */
    char why[512];
};

struct download {
    TAILQ_ENTRY(download) link;
    struct http_client *client; /* a reference, dropped on the loop's thread */
    struct download_counter *counter; /* a reference, or NULL */
    /* Called once, on the loop's thread. `result` is NULL when memory is out
     * or the download was cancelled. */
    void (*done)(struct download *d);
    struct download_result *result; /* owned */
    char *url, *path;               /* one block */
    uint64_t max_bytes;
    unsigned slots;    /* at once from the same origin */
    unsigned attempts; /* in a row without a new byte, before it has failed */
    atomic_bool cancelled;
    bool hash;
};

/* NULL when no thread can be made. */
struct download_pool *download_pool_new(uv_loop_t *loop);

/* Stop everything, join the thread, call what is left of `done`, close. */
void download_pool_close(struct download_pool *p);

/* Fill in client, counter, done, max_bytes, slots, attempts and
 * hash before; url and
 * path are copied. 0, or -1 when memory is out: then `done` is not called. */
int download_start(struct download_pool *p, struct download *d, const char *url,
                   const char *path);

/* What the thread has done so far. */
void download_stats(struct download_pool *p, uint64_t *attempts,
                    uint64_t *connections);

/* `done` follows. */
void download_cancel(struct download_pool *p, struct download *d);

/* Free what it owns, not the struct. */
void download_fini(struct download *d);

#endif
