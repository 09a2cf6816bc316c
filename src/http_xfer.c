/* http_xfer.c - owns one exchange: an easy handle that is kept set up, the
 * buffers for its answer, the headers of one request. */
#include "http_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_MAX ((size_t)8 << 20) /* libcurl's own limit */
#define HEAD_MAX ((size_t)256 << 10)
#define KEEP_ROOM ((size_t)128 << 10) /* larger buffers are not kept */
#define CONNECT_SECONDS 15L
#define UPLOAD_BUFFER (256L << 10)
/* libcurl asks 100-continue from here */
#define EXPECT_SIZE ((size_t)1 << 20)

const char *const http_method_names[HTTP_METHODS] = {"GET", "HEAD",  "POST",
                                                     "PUT", "PATCH", "DELETE"};

/* ---- libcurl's callbacks: they copy bytes and set flags ---- */

static int append(struct http_buf *b, const char *data, size_t n, size_t max)
{
    if (n > max - b->len)
        return -1;
    if (b->len + n > b->room) {
        size_t room = b->room ? b->room : 1024;
        while (room < b->len + n)
            room *= 2;
        char *more = realloc(b->data, room);
        if (!more)
            return -1;
        b->data = more;
        b->room = room;
    }
    memcpy(b->data + b->len, data, n);
    b->len += n;
    return 0;
}

static size_t on_body(char *data, size_t one, size_t n, void *user)
{
    struct http_xfer *x = user;
    if (append(&x->body, data, one * n, x->max_body) == 0)
        return n;
    x->too_large = true;
    return 0;
}

static size_t on_header(char *data, size_t one, size_t n, void *user)
{
    struct http_xfer *x = user;
    if (n > 5 && memcmp(data, "HTTP/", 5) == 0)
        x->head.len = 0; /* what came before was an interim answer */
    if (append(&x->head, data, one * n, HEAD_MAX) == 0)
        return n;
    x->too_large = true;
    return 0;
}

/* A connection is there and the request is about to be written. When it dies
 * without an answer, libcurl comes here again by itself: a request that may
 * cost money must not leave twice. */
static int on_ready(void *user, char *ip, char *local_ip, int port,
                    int local_port)
{
    struct http_xfer *x = user;
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    if (x->begun > 0 && !x->repeatable)
        return CURL_PREREQFUNC_ABORT;
    x->begun++;
    HTTP_CRASH_POINT(x->job, "sent");
    return CURL_PREREQFUNC_OK;
}

static size_t on_read(char *out, size_t one, size_t n, void *user)
{
    struct http_xfer *x = user;
    ssize_t r = body_read(x->reader, out, one * n);
    return r < 0 ? CURL_READFUNC_ABORT : (size_t)r;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
    (void)user, (void)offset, (void)origin;
    return CURL_SEEKFUNC_FAIL; /* the second guard against sending it again */
}

/* ---- handles ---- */

static int set_up(struct http_xfer *x)
{
    CURL *e = x->easy;
    return curl.curl_easy_setopt(e, CURLOPT_PRIVATE, x) ||
           curl.curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->error) ||
           curl.curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) ||
           curl.curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") ||
           curl.curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L) ||
           curl.curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) ||
           curl.curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) ||
           curl.curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER) ||
           curl.curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) ||
           curl.curl_easy_setopt(e, CURLOPT_WRITEDATA, x) ||
           curl.curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) ||
           curl.curl_easy_setopt(e, CURLOPT_HEADERDATA, x) ||
           curl.curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_ready) ||
           curl.curl_easy_setopt(e, CURLOPT_PREREQDATA, x) ||
           curl.curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read) ||
           curl.curl_easy_setopt(e, CURLOPT_READDATA, x) ||
           curl.curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek) ||
           curl.curl_easy_setopt(e, CURLOPT_CURLU, x->url) ||
           http_loop_set_sockets(&x->client->http->curl, e);
}

struct http_xfer *http_xfer_new(struct http_client *c)
{
    struct http_xfer *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->client = c;
    x->easy = curl.curl_easy_init();
    x->url = curl.curl_url();
    if (!x->easy || !x->url || set_up(x)) {
        http_xfer_free(x);
        return NULL;
    }
    return x;
}

static void shrink(struct http_buf *b)
{
    b->len = 0;
    if (b->room <= KEEP_ROOM)
        return;
    free(b->data);
    *b = (struct http_buf){0};
}

void http_xfer_reset(struct http_xfer *x)
{
    shrink(&x->body);
    shrink(&x->head);
    shrink(&x->address);
    free(x->own);
    x->own = NULL;
    body_reader_free(x->reader);
    x->reader = NULL;
    x->upload = 0;
    x->begun = 0;
    x->too_large = x->timed_out = x->secret_sent = false;
}

void http_xfer_free(struct http_xfer *x)
{
    if (x->easy)
        curl.curl_easy_cleanup(x->easy);
    curl.curl_url_cleanup(x->url);
    http_xfer_reset(x);
    free(x->address.data);
    free(x->body.data);
    free(x->head.data);
    free(x);
}

/* ---- headers ---- */

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, ":;");
    return n == strcspn(b, ":;") && strncasecmp(a, b, n) == 0;
}

static bool among(const struct curl_slist *list, const char *line)
{
    for (; list; list = list->next)
        if (same_name(list->data, line))
            return true;
    return false;
}

static size_t length(const struct curl_slist *list)
{
    size_t n = 0;
    for (; list; list = list->next)
        n++;
    return n;
}

/* What libcurl would add by itself to a request with a body. */
static char no_type[] = "Content-Type:", no_expect[] = "Expect:";

/* The request's own headers, then those of `list` that they do not replace.
 * The nodes are ours, the text is the spec's and the client's. */
static int own_list(struct http_xfer *x, struct http_spec *s,
                    struct curl_slist *list, bool with_body)
{
    size_t n = s->n_headers + length(list) + 2;
    struct curl_slist *node = calloc(n, sizeof *node), *last = NULL;
    x->own = node;
    if (!node)
        return -1;
    char *at = s->text + s->url_len + 1;
    for (int i = 0; i < s->n_headers; i++, at += strlen(at) + 1) {
        node->data = at;
        node->next = node + 1;
        last = node++;
    }
    if (last)
        last->next = NULL;
    struct curl_slist *mine = last ? x->own : NULL;
    char *defaults[2] = {no_type, no_expect};
    for (int i = 0; i < 2 && with_body; i++) {
        if (among(mine, defaults[i]) || among(list, defaults[i]))
            continue;
        node->data = defaults[i];
        if (last)
            last->next = node;
        last = node++;
    }
    for (; list; list = list->next) {
        if (among(mine, list->data))
            continue;
        node->data = list->data;
        if (last)
            last->next = node;
        last = node++;
    }
    return 0;
}

static bool has_body(const struct http_spec *s)
{
    return (s->method >= HTTP_POST && s->method <= HTTP_PATCH) || s->body ||
           s->data_len;
}

static int set_headers(struct http_xfer *x, struct http_spec *s)
{
    bool with_body = has_body(s);
    bool json = s->flags & HTTP_JSON;
    size_t size = s->body ? body_size(s->body) : s->data_len;
    int which = (x->route.own ? HTTP_LIST_OWN : 0) |
                (x->secret_sent ? HTTP_LIST_AUTH : 0) |
                (json ? HTTP_LIST_JSON : 0);
    struct curl_slist *list = x->client->lists[which];
    if (s->n_headers || (with_body && (!json || size >= EXPECT_SIZE))) {
        if (own_list(x, s, list, with_body) < 0)
            return -1;
        list = x->own;
    }
    return curl.curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, list) ? -1 : 0;
}

/* ---- the request ---- */

static int complain(struct http_xfer *x, const char *what)
{
    snprintf(x->error, sizeof x->error, "%s", what);
    return -1;
}

/* May libcurl be given the path alone? It would put %2F into lower case then,
 * leave bytes above ASCII as they are, and a query is a part of its own. */
static bool is_plain(const char *path)
{
    for (; *path; path++)
        if (*path == '%' || *path == '?' || *path == '#' || *path & 0x80)
            return false;
    return true;
}

static int set_url(struct http_xfer *x, const struct http_spec *s)
{
    const struct http_client *c = x->client;
    bool absolute = s->flags & HTTP_ABSOLUTE;
    bool plain = !absolute && is_plain(s->text);
    x->address.len = 0;
    if ((!absolute && append(&x->address, c->base, c->base_len, URL_MAX) < 0) ||
        append(&x->address, s->text, s->url_len + 1, URL_MAX) < 0)
        return -1;
    const char *url = x->address.data;
    int r = plain && x->plain
                ? (int)curl.curl_url_set(x->url, CURLUPART_PATH,
                                         url + c->base_origin_len, 0)
                : http_url_set(x->url, url);
    x->plain = r == 0 && plain;
    return r;
}

static int set_address(struct http_xfer *x, struct http_spec *s)
{
    struct http_client *c = x->client;
    if (s->flags & HTTP_ABSOLUTE) {
        if (http_client_route(c, s->text, &x->route, x->error,
                              sizeof x->error) < 0)
            return -1;
    } else {
        if (!c->base)
            return complain(x, "a request with a path needs a client with "
                               "a base");
        x->route = c->base_route;
    }
    x->secret_sent = x->route.auth && !(s->flags & HTTP_NO_AUTH);
    http_set_route(c->http, x->easy, &x->route, &x->kind);
    return set_url(x, s) == 0 ? 0 : complain(x, "the URL cannot be used");
}

static int set_body(struct http_xfer *x, struct http_spec *s)
{
    CURL *e = x->easy;
    if (!s->body) {
        char *data = s->text + s->url_len + 1;
        for (int i = 0; i < s->n_headers; i++)
            data += strlen(data) + 1;
        return curl.curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
                                     (curl_off_t)s->data_len) ||
               curl.curl_easy_setopt(e, CURLOPT_POSTFIELDS, data);
    }
    x->reader = body_reader_new(s->body);
    return !x->reader || curl.curl_easy_setopt(e, CURLOPT_POSTFIELDS, NULL) ||
           curl.curl_easy_setopt(e, CURLOPT_POST, 1L) ||
           curl.curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
                                 (curl_off_t)body_size(s->body));
}

static int set_method(struct http_xfer *x, struct http_spec *s)
{
    CURL *e = x->easy;
    enum http_method m = s->method;
    const char *name = m == HTTP_PUT || m == HTTP_PATCH || m == HTTP_DELETE
                           ? http_method_names[m]
                           : NULL;
    int r = curl.curl_easy_setopt(e, CURLOPT_NOBODY, m == HTTP_HEAD ? 1L : 0L);
    if (has_body(s))
        r |= set_body(x, s);
    else if (m != HTTP_HEAD)
        r |= curl.curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    r |= curl.curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, name);
    return r ? complain(x, "not enough memory") : 0;
}

/* 0, or -1 with a sentence in x->error. */
int http_xfer_prepare(struct http_xfer *x, struct http_job *job)
{
    struct http_spec *s = job->spec;
    x->max_body = s->max_body ? s->max_body : x->client->max_body;
    x->repeatable = s->flags & HTTP_REPEATABLE;
    x->error[0] = '\0';
    if (set_address(x, s) < 0 || set_method(x, s) < 0)
        return -1;
    return set_headers(x, s) < 0 ? complain(x, "not enough memory") : 0;
}
