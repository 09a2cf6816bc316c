/* http_impl.h - what the files of the HTTP engine share. */
#ifndef HTTP_IMPL_H
#define HTTP_IMPL_H

#include "body.h"
#include "crash.h"
#include "heap.h"
#include "http.h"
#include "http_loop.h"
#include "lazy_curl.h"

#define HTTP_ORIGIN_MAX 300 /* a host name has at most 255 bytes */

/* Polls are many; of them only a changed answer is a place to die. */
#define HTTP_CRASH_POINT(job, where)                                           \
    do {                                                                       \
        if ((job)->cls != HTTP_POLL)                                           \
            crash_point((job)->cls == HTTP_SUBMIT ? "net.submit." where        \
                                                  : "net.request." where);     \
    } while (0)

TAILQ_HEAD(http_jobs, http_job);
TAILQ_HEAD(http_xfers, http_xfer);
struct http_env;

struct http {
    struct http_loop curl; /* first member: casts both ways */
    uv_timer_t wheel;      /* deadlines */
    struct heap deadlines; /* of http_xfer */
    uint64_t armed;        /* when `wheel` fires, ms; 0: it does not */
    LIST_HEAD(, http_client) clients;
    LIST_HEAD(, http_env) envs;
    size_t slots;     /* of all clients */
    size_t uploading; /* body bytes in flight */
    uint64_t requests[HTTP_CLASSES];
    unsigned refs;  /* clients, secrets, open handles, the owner */
    char *proxy[2]; /* for http, for https; NULL: none */
    char *no_proxy, *ca_file, *ca_dir;
};

struct http_secret {
    struct http *http;
    unsigned refs;
    char *line;        /* "Authorization: Bearer ...", in locked memory */
    const char *value; /* its end, from behind the scheme on */
    size_t n_origins;
    char (*origins)[HTTP_ORIGIN_MAX];
};

/* How a request to an absolute URL goes. */
struct http_route {
    bool own;  /* the origin is the base's, or there is no base */
    bool auth; /* the secret may go there */
    bool tls, loopback;
};

struct http_client {
    LIST_ENTRY(http_client) link;
    struct http *http;
    unsigned refs;
    unsigned slots, running;
    struct http_jobs queue[HTTP_CLASSES];
    struct http_xfers idle; /* set up, waiting for work */
    struct http_secret *secret;
    size_t max_body, n_headers;
    uint32_t timeout_ms;
    bool insecure_http;
    bool starved; /* a slot became free outside of finish() */
    struct http_route base_route;
    char *base; /* no slash at the end; NULL if there is none */
    char *base_origin;
    size_t base_len, base_origin_len; /* of `base`; of its scheme and host */
    struct curl_slist *nodes;    /* one block: all that `lists` is made of */
    struct curl_slist *lists[8]; /* by HTTP_LIST_ bits */
};

/* Which header list: with what the client always sends (to its own origin
 * only), with the secret, with Content-Type: application/json. */
enum { HTTP_LIST_OWN = 1, HTTP_LIST_AUTH = 2, HTTP_LIST_JSON = 4 };

struct http_buf {
    char *data;
    size_t len, room;
};

struct http_xfer {
    TAILQ_ENTRY(http_xfer) link;
    CURL *easy;
    CURLU *url;
    bool plain; /* `url` is the base and a path: the path alone can change */
    struct http_buf address; /* what `url` was set to, ends in NUL */
    struct http_client *client;
    struct http_job *job;
    struct heap_node deadline;
    uint64_t ends; /* ms: when the whole exchange must be over */
    struct http_buf head, body;
    size_t max_body;
    struct curl_slist *own; /* header nodes of this request alone */
    struct body_reader *reader;
    size_t upload;   /* what it adds to http->uploading */
    unsigned begun;  /* times that a request was about to be written */
    bool repeatable; /* more than once is allowed */
    bool secret_sent;
    bool too_large;
    bool timed_out;
    struct http_route route;
    unsigned char kind; /* what http_set_route() was last told */
    char error[CURL_ERROR_SIZE];
};

/* http.c */
void http_unref(struct http *h);

/* http_xfer.c */
struct http_xfer *http_xfer_new(struct http_client *c);
int http_xfer_prepare(struct http_xfer *x, struct http_job *job);
void http_xfer_reset(struct http_xfer *x);
void http_xfer_free(struct http_xfer *x);

/* http_client.c */

/* -1: it may not go there, with the reason in `why`. Reads only what never
 * changes, so any thread may ask. */
int http_client_route(const struct http_client *c, const char *url,
                      struct http_route *r, char *why, size_t size);

/* The same where the URL's origin is known: parsing it takes libcurl 11,000
 * instructions. */
int http_client_route_to(const struct http_client *c, const char *url,
                         const char *origin, struct http_route *r, char *why,
                         size_t size);

/* May a request that went by `was` be repeated at `url`, where an answer sent
 * it? A secret does not travel to another origin, and https is not left. */
bool http_client_follows(const struct http_client *c,
                         const struct http_route *was, bool secret_sent,
                         const char *url);

/* http_url.c */

/* Read an absolute URL into a handle for CURLOPT_CURLU. With CURLOPT_URL
 * libcurl writes the URL that it has parsed anew, byte by byte: 15,000 to
 * 27,000 instructions a request. -1: it is none, or memory is out. */
int http_url_set(CURLU *u, const char *url);

/* The origin of an absolute http(s) URL as "scheme://host:port"; -1 if it is
 * none, or has a user name in it. */
int http_origin(const char *url, char origin[HTTP_ORIGIN_MAX]);

/* Length of a URL's "scheme://authority", all that its origin comes from. */
size_t http_origin_length(const char *url);

/* http_env.c */

/* Proxy, certificates and HTTP version for a transfer of that kind. *kind is
 * what the handle was last told, at first 0. */
void http_set_route(const struct http *h, CURL *easy,
                    const struct http_route *r, unsigned char *kind);
int http_env_init(struct http *h);
void http_env_fini(struct http *h);

/* http_error.c */
struct http_failure {
    const char *code;
    bool transient;
    char why[512];
};

/* Fill the answer; `f` holds the texts of a failure. */
void http_explain(struct http_xfer *x, CURLcode code, struct http_answer *a,
                  struct http_failure *f);

/* What a transfer to `url` failed of; `detail` is libcurl's error buffer. */
void http_classify(CURL *easy, CURLcode code, const char *detail,
                   const char *url, struct http_failure *f);

/* Copy `url` without user, query and fragment. */
void http_clean_url(const char *url, char *out, size_t size);

#endif
