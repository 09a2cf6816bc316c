/* http_error.c - libcurl's failures as sentences. Its own texts are passed on
 * only where they cannot hold a URL: about TLS. */
#include "http_impl.h"

#include <stdio.h>
#include <string.h>

void http_clean_url(const char *url, char *out, size_t size)
{
    const char *scheme = strstr(url, "://");
    size_t from = scheme ? (size_t)(scheme - url) + 3 : 0;
    size_t host = strcspn(url + from, "/?#");
    const char *at = memrchr(url + from, '@', host);
    size_t skip = at ? (size_t)(at - url) + 1 : from;
    size_t len = skip + strcspn(url + skip, "?#");
    snprintf(out, size, "%.*s%.*s", (int)from, url, (int)(len - skip),
             url + skip);
}

/* scheme://host of a clean URL, for failures that are the host's. */
static int host_len(const char *url)
{
    const char *scheme = strstr(url, "://");
    size_t from = scheme ? (size_t)(scheme - url) + 3 : 0;
    return (int)(from + strcspn(url + from, "/"));
}

struct kind {
    CURLcode curl;
    const char *code;
    bool transient;
    const char *text; /* %s: the URL, or its host if `host` */
    bool host;
};

static const struct kind kinds[] = {
    {CURLE_COULDNT_RESOLVE_HOST, "network", true,
     "cannot find the host of %.*s", true},
    {CURLE_COULDNT_RESOLVE_PROXY, "network", true,
     "cannot find the proxy's host, for %.*s", true},
    {CURLE_PROXY, "network", true, "the proxy refused to connect to %.*s",
     true},
    {CURLE_UNSUPPORTED_PROTOCOL, "protocol", false, /* HTTP/0.9, that is */
     "%.*s did not answer with HTTP", true},
    {CURLE_URL_MALFORMAT, "invalid", false, "%.*s is not a URL", false},
    {CURLE_OUT_OF_MEMORY, "no_memory", false,
     "not enough memory for the request to %.*s", false},
    {CURLE_PARTIAL_FILE, "network", true,
     "the answer from %.*s ended too early", false},
    {CURLE_WEIRD_SERVER_REPLY, "protocol", false,
     "%.*s did not answer with HTTP", true},
    {CURLE_HTTP2, "network", true, "HTTP/2 to %.*s broke down", true},
    {CURLE_HTTP2_STREAM, "network", true,
     "%.*s ended the HTTP/2 stream without an answer", true},
};

static const struct kind broken = {
    CURLE_OK, "network", true,
    "the connection to %.*s ended before the answer was complete", false};

static bool about_tls(CURLcode code)
{
    switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
        return true;
    default:
        return false;
    }
}

static const struct kind *kind_of(CURLcode code)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].curl == code)
            return &kinds[i];
    return &broken;
}

void http_classify(CURL *easy, CURLcode code, const char *detail,
                   const char *url, struct http_failure *f)
{
    long os = 0;
    char clean[256];
    http_clean_url(url, clean, sizeof clean);
    int host = host_len(clean);
    if (about_tls(code)) {
        f->code = "tls", f->transient = code == CURLE_SSL_CONNECT_ERROR;
        snprintf(f->why, sizeof f->why, "no secure connection to %.*s: %s",
                 host, clean, *detail ? detail : "TLS failed");
    } else if (code == CURLE_COULDNT_CONNECT) {
        f->code = "network", f->transient = true;
        curl.curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os);
        snprintf(f->why, sizeof f->why, "cannot connect to %.*s: %s", host,
                 clean, os ? strerror((int)os) : "no address answers");
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        f->code = "timeout", f->transient = true;
        snprintf(f->why, sizeof f->why, "no connection to %.*s in time", host,
                 clean);
    } else {
        const struct kind *k = kind_of(code);
        f->code = k->code, f->transient = k->transient;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the table above */
        snprintf(f->why, sizeof f->why, k->text,
                 k->host ? host : (int)strlen(clean), clean);
#pragma GCC diagnostic pop
    }
}

/* The failures that this side made, told apart by more than a number. */
static bool explain_own(const struct http_xfer *x, const char *url,
                        struct http_failure *f)
{
    const char *path = x->reader ? body_reader_path(x->reader) : NULL;
    uint32_t ms = x->job->spec->timeout_ms;
    char clean[256];
    http_clean_url(url, clean, sizeof clean);
    if (x->timed_out && x->begun > 0) {
        f->code = "timeout", f->transient = true;
        snprintf(f->why, sizeof f->why,
                 "no complete answer from %s within %g s", clean,
                 (ms ? ms : x->client->timeout_ms) / 1000.0);
    } else if (x->too_large) {
        f->code = "too_large", f->transient = false;
        snprintf(f->why, sizeof f->why,
                 "the answer from %s is larger than %zu bytes", clean,
                 x->max_body);
    } else if (path) {
        f->code = "io", f->transient = false;
        snprintf(f->why, sizeof f->why,
                 "%.400s changed or vanished while it was being sent", path);
    } else {
        return false;
    }
    return true;
}

static bool is_html(CURL *easy, const struct http_answer *a)
{
    const char *type = NULL;
    curl.curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    if (type && strncasecmp(type, "text/html", 9) == 0)
        return true;
    for (size_t i = 0; i < a->body_len; i++)
        if (!strchr(" \t\r\n", a->body[i]))
            return a->body[i] == '<';
    return false;
}

void http_explain(struct http_xfer *x, CURLcode code, struct http_answer *a,
                  struct http_failure *f)
{
    long status = 0;
    curl_off_t after = 0;
    *a = (struct http_answer){.retry_after = -1, .sent = x->begun > 0};
    curl.curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    a->url = x->address.data ? x->address.data : "";
    a->status = (int)status;
    if (status >= 300)
        curl.curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &after);
    if (after > 0)
        a->retry_after = (double)after;
    a->head = x->head.data;
    a->head_len = x->head.len;
    a->body = x->body.data ? x->body.data : "";
    a->body_len = x->body.len;
    if (code == CURLE_OK) {
        a->html = is_html(x->easy, a);
        return;
    }
    if (!explain_own(x, a->url, f))
        http_classify(x->easy, code, x->error, a->url, f);
    a->code = f->code;
    a->why = f->why;
    a->transient = f->transient;
}
