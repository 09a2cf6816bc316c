/* fetch.c - owns one file on its way: the handle, PATH.part, its hash, and
 * what to do when the connection breaks. */
#include "fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "crash.h"

#define BUFFER (512L << 10) /* socket to memory: few system calls */
#define CUTS_MAX 100        /* in all */
#define FOLLOWS_MAX 5
#define STALL_SECONDS 30L
#define CONNECT_SECONDS 15L
#define BACKOFF_MS 250
#define BACKOFF_CAP_MS 10000
#define RETRY_AFTER_CAP_S 120

/* ---- the file ---- */

static int open_part(struct fetch *f)
{
    const char *path = f->d->path;
    size_t n = strlen(path) + sizeof ".part";
    f->part = malloc(n);
    if (!f->part)
        return ENOMEM;
    snprintf(f->part, n, "%s.part", path);
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    f->fd = open(f->part, flags, 0666);
    if (f->fd < 0 && errno == EEXIST && unlink(f->part) == 0)
        f->fd = open(f->part, flags, 0666); /* it was a dead program's */
    if (f->fd >= 0)
        return 0;
    int e = errno;
    free(f->part);
    f->part = NULL;
    return e;
}

static int from_zero(struct fetch *f)
{
    if (f->at > 0 && (ftruncate(f->fd, 0) < 0 || lseek(f->fd, 0, SEEK_SET) < 0))
        return errno;
    f->at = 0;
    if (f->d->hash &&
        crypto.EVP_DigestInit_ex(f->md, crypto.EVP_sha256(), NULL) != 1)
        return ENOMEM;
    return 0;
}

static int write_all(struct fetch *f, const char *data, size_t n)
{
    if (f->d->hash)
        crypto.EVP_DigestUpdate(f->md, data, n);
    while (n > 0) {
        ssize_t done = write(f->fd, data, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        data += done;
        n -= (size_t)done;
        f->at += (uint64_t)done;
    }
    return 0;
}

/* ---- what the server says ---- */

static void copy_value(char *out, size_t size, const char *v, size_t n)
{
    if (n >= size)
        n = 0; /* too long to be of use */
    memcpy(out, v, n);
    out[n] = '\0';
}

static bool header_value(const char *line, size_t n, const char *name,
                         const char **v, size_t *len)
{
    size_t k = strlen(name);
    if (n <= k || line[k] != ':' || strncasecmp(line, name, k) != 0)
        return false;
    for (k++; k < n && (line[k] == ' ' || line[k] == '\t'); k++)
        ;
    while (n > k && (unsigned char)line[n - 1] <= ' ')
        n--;
    *v = line + k;
    *len = n - k;
    return true;
}

static size_t on_header(char *line, size_t one, size_t n, void *user)
{
    struct fetch *f = user;
    const char *v;
    size_t len;
    n *= one;
    if (n > 9 && memcmp(line, "HTTP/", 5) == 0) {
        const char *space = memchr(line, ' ', n);
        f->status = space ? atoi(space) : 0;
        f->body_begun = false;
        if (f->status == 200)
            f->validator[0] = f->result->type[0] = '\0';
    } else if (f->status == 200) {
        if (header_value(line, n, "ETag", &v, &len) && *v == '"')
            copy_value(f->validator, sizeof f->validator, v, len);
        else if (!f->validator[0] &&
                 header_value(line, n, "Last-Modified", &v, &len))
            copy_value(f->validator, sizeof f->validator, v, len);
        else if (header_value(line, n, "Content-Type", &v, &len))
            copy_value(f->result->type, sizeof f->result->type, v, len);
    } else if (f->status == 206 &&
               header_value(line, n, "Content-Range", &v, &len)) {
        uint64_t from, to;
        if (sscanf(v, "bytes %" SCNu64 "-%" SCNu64, &from, &to) != 2 ||
            from != f->at)
            f->fatal = "protocol";
    }
    return one ? n / one : 0;
}

static int fail(struct fetch *f, const char *code)
{
    f->fatal = code;
    return -1;
}

/* The first bytes of a body: is it what we asked for, does it fit? */
static int begin_body(struct fetch *f)
{
    curl_off_t length = -1;
    f->body_begun = true;
    if (f->fatal)
        return -1;
    if (f->status == 200 && f->at > 0 && (f->os_error = from_zero(f)))
        return -1; /* the server sends all of it again */
    curl.curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
                           &length);
    f->total = length > 0 ? f->at + (uint64_t)length : 0;
    if (f->d->counter)
        atomic_store(&f->d->counter->total, f->total);
    return f->total > f->d->max_bytes ? fail(f, "too_large") : 0;
}

static size_t on_body(char *data, size_t one, size_t n, void *user)
{
    struct fetch *f = user;
    n *= one;
    if (atomic_load_explicit(&f->d->cancelled, memory_order_relaxed))
        return 0;
    if (f->status != 200 && f->status != 206)
        return n; /* an error page: nobody reads it */
    if (!f->body_begun && begin_body(f) < 0)
        return 0;
    if (n > f->d->max_bytes - f->at)
        return fail(f, "too_large"), 0;
    f->os_error = write_all(f, data, n);
    if (f->at == n)
        crash_point("download.begun");
    if (f->d->counter)
        atomic_store_explicit(&f->d->counter->bytes, f->at,
                              memory_order_relaxed);
    return f->os_error ? 0 : n;
}

/* ---- handles ---- */

static int set_up(struct fetch *f, struct http_loop *l)
{
    CURL *e = f->easy;
    return curl.curl_easy_setopt(e, CURLOPT_PRIVATE, f) ||
           curl.curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->error) ||
           curl.curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) ||
           curl.curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") ||
           curl.curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L) ||
           curl.curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) ||
           curl.curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) ||
           curl.curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L) ||
           curl.curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS) ||
           curl.curl_easy_setopt(e, CURLOPT_BUFFERSIZE, BUFFER) ||
           curl.curl_easy_setopt(e, CURLOPT_CURLU, f->address) ||
           curl.curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) ||
           curl.curl_easy_setopt(e, CURLOPT_WRITEDATA, f) ||
           curl.curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) ||
           curl.curl_easy_setopt(e, CURLOPT_HEADERDATA, f) ||
           http_loop_set_sockets(l, e);
}

struct fetch *fetch_new(struct http_loop *l)
{
    struct fetch *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->fd = -1;
    f->easy = curl.curl_easy_init();
    f->address = curl.curl_url();
    if (!f->easy || !f->address || set_up(f, l)) {
        fetch_free(f);
        return NULL;
    }
    return f;
}

void fetch_free(struct fetch *f)
{
    fetch_reset(f);
    if (f->easy)
        curl.curl_easy_cleanup(f->easy);
    curl.curl_url_cleanup(f->address);
    if (f->md)
        crypto.EVP_MD_CTX_free(f->md);
    free(f);
}

int fetch_take(struct fetch *f, struct download *d)
{
    f->d = d;
    f->result = calloc(1, sizeof *f->result);
    if (d->hash && !f->md)
        f->md = crypto.EVP_MD_CTX_new();
    return !f->result || (d->hash && !f->md) ? -1 : 0;
}

void fetch_reset(struct fetch *f)
{
    fetch_abandon(f);
    free(f->result);
    free(f->url);
    *f = (struct fetch){.fd = -1,
                        .easy = f->easy,
                        .address = f->address,
                        .md = f->md,
                        .kind = f->kind};
}

void fetch_abandon(struct fetch *f)
{
    if (f->fd >= 0) {
        close(f->fd);
        unlink(f->part);
    }
    f->fd = -1;
    free(f->part);
    f->part = NULL;
}

/* ---- one attempt ---- */

static void set_headers(struct fetch *f)
{
    int which = (f->route.own ? HTTP_LIST_OWN : 0) |
                (f->route.auth ? HTTP_LIST_AUTH : 0);
    struct curl_slist *list = f->d->client->lists[which];
    if (f->at > 0) {
        snprintf(f->range, sizeof f->range, "Range: bytes=%" PRIu64 "-", f->at);
        snprintf(f->if_range, sizeof f->if_range, "If-Range: %s", f->validator);
        f->nodes[0] = (struct curl_slist){f->range, &f->nodes[1]};
        f->nodes[1] = (struct curl_slist){f->if_range, list};
        list = f->nodes;
    }
    curl.curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, list);
}

static int set_address(struct fetch *f, const char *url)
{
    struct download_result *r = f->result;
    const struct http_client *c = f->d->client;
    bool known = !f->url && f->origin[0];
    char clean[256];
    if ((known
             ? http_client_route_to(c, url, f->origin, &f->route, r->why,
                                    sizeof r->why)
             : http_client_route(c, url, &f->route, r->why, sizeof r->why)) < 0)
        return -1;
    http_set_route(c->http, f->easy, &f->route, &f->kind);
    if (http_url_set(f->address, url) == 0)
        return 0;
    http_clean_url(url, clean, sizeof clean);
    snprintf(r->why, sizeof r->why, "\"%s\" cannot be used as a URL", clean);
    return -1;
}

int fetch_prepare(struct fetch *f)
{
    struct download_result *r = f->result;
    const char *url = f->url ? f->url : f->d->url;
    int e = f->fd < 0 ? open_part(f) : 0;
    if (e == 0 && (f->at == 0 || !f->validator[0]))
        e = from_zero(f);
    if (e) {
        land_failed(r, e, "write", f->d->path);
        return -1;
    }
    if (set_address(f, url) < 0) {
        r->code = "invalid";
        return -1;
    }
    f->secret_sent = f->route.auth;
    f->status = 0;
    f->body_begun = false;
    f->error[0] = '\0';
    set_headers(f);
    return 0;
}

/* ---- what comes after it ---- */

static enum fetch_next done(struct fetch *f)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char *hex = f->result->sha256;
    f->result->status = f->status;
    f->result->bytes = f->at;
    if (f->d->hash)
        crypto.EVP_DigestFinal_ex(f->md, sum, &n);
    for (unsigned i = 0; i < n; i++) {
        *hex++ = digits[sum[i] >> 4];
        *hex++ = digits[sum[i] & 15];
    }
    return FETCH_LAND;
}

static enum fetch_next failed(struct fetch *f, const char *code, bool transient,
                              const char *what)
{
    char clean[256];
    http_clean_url(f->url ? f->url : f->d->url, clean, sizeof clean);
    f->result->code = code;
    f->result->transient = transient;
    f->result->status = f->status;
    snprintf(f->result->why, sizeof f->result->why, "%s: %s", clean, what);
    return FETCH_FAILED;
}

/* Try again after a while, unless that has been tried enough. */
static bool again(struct fetch *f, uint64_t *wait)
{
    curl_off_t after = 0;
    if (f->at > f->best) {
        f->best = f->at;
        f->tries = 0;
    }
    if (++f->tries >= f->d->attempts || ++f->cuts >= CUTS_MAX)
        return false;
    uint64_t ms = (uint64_t)BACKOFF_MS << (f->tries - 1);
    if (f->status >= 300)
        curl.curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &after);
    if (after > RETRY_AFTER_CAP_S)
        after = RETRY_AFTER_CAP_S;
    if (ms > BACKOFF_CAP_MS)
        ms = BACKOFF_CAP_MS;
    *wait = (uint64_t)after * 1000 > ms ? (uint64_t)after * 1000 : ms;
    return true;
}

static bool follow(struct fetch *f)
{
    const char *to = NULL;
    curl.curl_easy_getinfo(f->easy, CURLINFO_REDIRECT_URL, &to);
    if (f->follows >= FOLLOWS_MAX ||
        !http_client_follows(f->d->client, &f->route, f->secret_sent, to))
        return false;
    char *copy = strdup(to);
    if (!copy)
        return false;
    free(f->url);
    f->url = copy;
    f->follows++;
    return true;
}

static enum fetch_next by_status(struct fetch *f, uint64_t *wait)
{
    char what[64];
    int s = f->status;
    *wait = 0;
    if (s >= 301 && s <= 308 && follow(f))
        return FETCH_AGAIN;
    if (s == 416 && f->at > 0) {
        f->validator[0] = '\0'; /* the next attempt begins anew */
        if (again(f, wait))
            return FETCH_AGAIN;
    }
    bool passes = s >= 500 || s == 408 || s == 429;
    if (passes && again(f, wait))
        return FETCH_AGAIN;
    if (s == 403 || s == 404 || s == 410)
        return failed(f, "expired", false,
                      "the file is not there any more; ask for a fresh URL");
    snprintf(what, sizeof what, "the answer was HTTP %d", s);
    return failed(f, "http", passes, what);
}

static enum fetch_next by_code(struct fetch *f, CURLcode code, uint64_t *wait)
{
    struct http_failure why;
    http_classify(f->easy, code, f->error, f->url ? f->url : f->d->url, &why);
    if (why.transient && again(f, wait))
        return FETCH_AGAIN;
    if (code == CURLE_OPERATION_TIMEDOUT && f->status)
        return failed(f, "timeout", true, "the server stopped sending");
    f->result->code = why.code;
    f->result->transient = why.transient;
    f->result->status = f->status;
    memcpy(f->result->why, why.why, sizeof f->result->why);
    return FETCH_FAILED;
}

enum fetch_next fetch_ended(struct fetch *f, CURLcode code, uint64_t *wait)
{
    char what[96];
    bool whole = code == CURLE_OK && (f->status == 200 || f->status == 206);
    if (whole && !f->body_begun && begin_body(f) < 0)
        whole = false; /* an empty body, but not what was asked for */
    if (f->os_error) {
        land_failed(f->result, f->os_error, "write", f->d->path);
        return FETCH_FAILED;
    }
    if (f->fatal && strcmp(f->fatal, "too_large") == 0) {
        snprintf(what, sizeof what, "the file is larger than %" PRIu64 " bytes",
                 f->d->max_bytes);
        return failed(f, f->fatal, false, what);
    }
    if (f->fatal)
        return failed(f, f->fatal, false,
                      "the server resumed at the wrong place");
    if (whole && (!f->total || f->at == f->total))
        return done(f);
    if (code == CURLE_OK && !whole)
        return by_status(f, wait);
    return by_code(f, code == CURLE_OK ? CURLE_PARTIAL_FILE : code, wait);
}
