/* fetch.h - one file on its way; the download thread's. */
#ifndef FETCH_H
#define FETCH_H

#include "download.h"
#include "heap.h"
#include "http_impl.h"
#include "lazy_crypto.h"

struct host; /* download_impl.h */

struct fetch {
    TAILQ_ENTRY(fetch) link;
    struct download *d;
    struct host *host;
    const char *origin;     /* of d->url; empty: it is none */
    struct heap_node retry; /* in the pool's heap while it rests */
    CURL *easy;
    CURLU *address; /* what `easy` is told */
    char *part;     /* PATH.part, once it was opened */
    int fd;
    uint64_t at, total; /* bytes in the file; bytes wanted, 0: not known */
    uint64_t best;      /* the largest that `at` ever was */
    EVP_MD_CTX *md;     /* kept: a new one costs 5,000 instructions */
    unsigned tries, cuts, follows;
    int status; /* of the answer that comes in */
    bool body_begun;
    bool running; /* in the multi handle */
    bool secret_sent;
    int os_error;      /* errno of a failed write */
    const char *fatal; /* code of a failure seen while reading */
    char *url;         /* where redirects have led, or NULL */
    struct http_route route;
    unsigned char kind; /* what http_set_route() was last told */
    struct curl_slist nodes[2];
    char range[48], if_range[160];
    char validator[128]; /* strong ETag or Last-Modified, or empty */
    char error[CURL_ERROR_SIZE];
    struct download_result *result;
};

TAILQ_HEAD(fetches, fetch);

/* NULL when memory is out. The handle is set up once and used again. */
struct fetch *fetch_new(struct http_loop *l);
void fetch_free(struct fetch *f);

/* Take a download on; 0, or -1 when memory is out. */
int fetch_take(struct fetch *f, struct download *d);

/* Prepare the next attempt. 0, or -1 with the result filled in. */
int fetch_prepare(struct fetch *f);

enum fetch_next { FETCH_LAND, FETCH_AGAIN, FETCH_FAILED };

/* An attempt has ended. For FETCH_AGAIN, *wait is in milliseconds; for
 * FETCH_FAILED the result is filled in. */
enum fetch_next fetch_ended(struct fetch *f, CURLcode code, uint64_t *wait);

/* Give up: close and remove the part. The result is left. */
void fetch_abandon(struct fetch *f);

/* Ready for the next download. */
void fetch_reset(struct fetch *f);

/* ---- land.c ---- */

/* From .part to the name, on any thread: fsync, rename, fsync the folders.
 * Results are in the fetches; their descriptors are closed. */
void land(struct fetches *list);

/* Fill in a failure of the file system. */
void land_failed(struct download_result *r, int error, const char *verb,
                 const char *path);

#endif
