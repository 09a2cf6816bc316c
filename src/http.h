/* http.h - HTTP exchanges on a libuv loop. No Lua.
 *
 * A client is a base URL, headers, perhaps a secret, and its slots: at most
 * that many exchanges run at once, the others wait in the client's own queue
 * (the gate), never inside libcurl. A job is one wish for an exchange; it
 * lives in its owner's memory. Everything here runs on the loop's thread.
 *
 * Files: http.c (jobs and the gate), http_loop.c (libcurl on libuv),
 * http_client.c (clients), http_url.c (URLs and origins), http_env.c (secrets,
 * proxy), http_xfer.c (one exchange), http_error.c (failures as sentences).
 * docs/internals/http.md.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

struct body;        /* body.h */
struct http;        /* one per loop */
struct http_client; /* counted references */
struct http_secret; /* counted references */
struct http_xfer;   /* an exchange that runs */

/* ---- the engine ---- */

/* Loads libcurl. NULL with a sentence in *why. */
struct http *http_new(uv_loop_t *loop, const char **why);

/* Close every handle; no job may be left. Clients and secrets stay valid for
 * their owners' last unref. The loop must run once more for the memory. */
void http_close(struct http *h);

struct http_stats {
    uint64_t requests[3]; /* begun, by class */
    uint64_t connections; /* opened */
};
void http_stats(const struct http *h, struct http_stats *out);

/* ---- secrets and clients ---- */

struct http_secret_options {
    const char *env;            /* variable to take the value from, or NULL */
    const char *value;          /* the value itself, or NULL */
    const char *header;         /* "Authorization" */
    const char *scheme;         /* "Bearer", or "" for the value alone */
    const char *const *origins; /* "https://host[:port]" */
    size_t n_origins;
};

/* The value is copied to locked memory that core dumps leave out. A variable
 * is wiped from the environment when first read, so that neither scripts nor
 * children see it; http keeps its value for the next secret of that name.
 * NULL with UV_ENOENT (not set, or empty) or UV_EINVAL in *status and the
 * reason in *why, which names the offending thing but never the value. */
struct http_secret *http_secret_new(struct http *h,
                                    const struct http_secret_options *o,
                                    int *status, char why[256]);
void http_secret_unref(struct http_secret *s);

#define HTTP_MARK 9 /* 8 lower-case hexadecimal digits and a zero */

/* The start of SHA-256 of salt and value: enough to see that two secrets
 * differ, too little to find out the value of a weak one. libcrypto must have
 * been loaded. 0, or UV_ENOMEM. */
int http_secret_mark(const struct http_secret *s, const char *salt, size_t len,
                     char mark[HTTP_MARK]);

struct http_client_options {
    const char *base;           /* "https://host[:port][/path]" or NULL */
    const char *const *headers; /* "Name: value" */
    size_t n_headers;
    struct http_secret *secret; /* or NULL; the client takes a reference */
    unsigned slots;             /* exchanges at once */
    uint32_t timeout_ms;        /* for one exchange, from its start */
    size_t max_body;            /* longest answer, in bytes */
    bool insecure_http;         /* plain http beyond loopback too */
};

struct http_client *http_client_new(struct http *h,
                                    const struct http_client_options *o,
                                    char why[256]);
struct http_client *http_client_ref(struct http_client *c);
void http_client_unref(struct http_client *c);

/* ---- jobs ---- */

enum http_class { HTTP_SUBMIT, HTTP_POLL, HTTP_REQUEST, HTTP_CLASSES };

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_METHODS
};
extern const char *const http_method_names[HTTP_METHODS];

#define HTTP_HEADERS_MAX 64   /* of one request */
#define HTTP_TIMEOUT_MS 60000 /* for one exchange, if nothing is said */

enum {
    HTTP_NO_AUTH = 1,     /* leave the secret out */
    HTTP_JSON = 2,        /* Content-Type: application/json */
    HTTP_ABSOLUTE = 4,    /* `text` begins with a URL, not with a path */
    HTTP_FOLLOW = 8,      /* follow redirects (GET and HEAD only) */
    HTTP_REPEATABLE = 16, /* libcurl may send it again by itself */
};

/* What to send, in one block: http_spec_new(). */
struct http_spec {
    struct body *body;   /* or NULL; owned */
    size_t max_body;     /* 0: the client's */
    size_t data_len;     /* bytes of a body held in `text` */
    uint32_t timeout_ms; /* 0: the client's */
    uint32_t url_len;
    uint16_t n_headers;
    uint8_t method, flags;
    char text[]; /* path or URL, then headers, each ends in NUL; then data */
};

struct http_spec_options {
    enum http_method method;
    unsigned flags;
    const char *url; /* path below the base, or a URL with HTTP_ABSOLUTE */
    const char *const *headers;
    size_t n_headers;
    const char *data; /* copied */
    size_t data_len;
    struct body *body; /* taken over, even on failure */
    uint32_t timeout_ms;
    size_t max_body;
};

/* NULL when memory is out. */
struct http_spec *http_spec_new(const struct http_spec_options *o);
void http_spec_free(struct http_spec *s);

/* What came of it. Everything is valid only inside the callback. */
struct http_answer {
    const char *code;   /* NULL: an answer; else the kind of failure */
    const char *why;    /* the failure as a sentence */
    bool transient;     /* the failure may pass */
    bool sent;          /* false only if no byte of the request can have left */
    int status;         /* HTTP status, 0 if none came */
    double retry_after; /* seconds, or < 0 */
    const char *url;    /* with its query: not to be shown as it is */
    const char *head;   /* header lines as they came */
    size_t head_len;
    const char *body;
    size_t body_len;
    bool html; /* by Content-Type or by its first byte */
};

struct http_job {
    TAILQ_ENTRY(http_job) link;
    struct http_client *client; /* a reference */
    struct http_spec *spec;     /* owned */
    struct http_xfer *xfer;     /* while it runs */
    void (*done)(struct http_job *job, const struct http_answer *a);
    uint8_t cls;
    uint8_t queued;
    uint8_t redirects;
};

/* Takes a reference to the client and takes the spec over. */
void http_job_init(struct http_job *job, struct http_client *client,
                   struct http_spec *spec, enum http_class cls);

/* Run it when there is a slot; `done` is called once, perhaps at once. May
 * be called again from or after `done`. */
void http_job_start(struct http_job *job);

/* Forget it, wherever it is; `done` is not called. What was sent was sent. */
void http_job_stop(struct http_job *job);

/* Stop it and give back what it holds. Twice is harmless. */
void http_job_fini(struct http_job *job);

#endif
