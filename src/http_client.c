/* http_client.c - owns clients: base, header lists, where they may go. */
#include "http_impl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define USER_AGENT "User-Agent: rushes/" RUSHES_VERSION

/* ---- where requests may go ---- */

static bool is_loopback(const char *origin)
{
    const char *host = strstr(origin, "://") + 3;
    const char *colon = strrchr(host, ':');
    char name[INET6_ADDRSTRLEN];
    struct in_addr a;
    size_t n = (size_t)(colon - host);
    if (n >= sizeof name)
        return false;
    memcpy(name, host, n);
    name[n] = '\0';
    if (strcmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, name, &a) == 1 && ntohl(a.s_addr) >> 24 == 127;
}

static bool may_auth(const struct http_client *c, const char *origin)
{
    if (!c->secret)
        return false;
    for (size_t i = 0; i < c->secret->n_origins; i++)
        if (strcmp(c->secret->origins[i], origin) == 0)
            return true;
    return false;
}

int http_client_route_to(const struct http_client *c, const char *url,
                         const char *origin, struct http_route *r, char *why,
                         size_t size)
{
    char clean[100];
    r->tls = strncmp(origin, "https:", 6) == 0;
    r->loopback = is_loopback(origin);
    r->own = !c->base_origin || strcmp(origin, c->base_origin) == 0;
    r->auth = may_auth(c, origin);
    if (r->tls || r->loopback || c->insecure_http)
        return 0;
    http_clean_url(url, clean, sizeof clean);
    snprintf(why, size,
             "\"%s\" is refused: plain http is spoken to this machine only; "
             "use https, or give the client insecure_http = true",
             clean);
    return -1;
}

int http_client_route(const struct http_client *c, const char *url,
                      struct http_route *r, char *why, size_t size)
{
    char origin[HTTP_ORIGIN_MAX], clean[100];
    if (http_origin(url, origin) == 0)
        return http_client_route_to(c, url, origin, r, why, size);
    http_clean_url(url, clean, sizeof clean);
    snprintf(why, size, "\"%s\" is not an http or https URL that can be used",
             clean);
    return -1;
}

bool http_client_follows(const struct http_client *c,
                         const struct http_route *was, bool secret_sent,
                         const char *url)
{
    struct http_route r;
    char why[256];
    if (!url || http_client_route(c, url, &r, why, sizeof why) < 0)
        return false;
    return (r.tls || !was->tls) && (r.auth || !secret_sent);
}

/* ---- header lists ---- */

static bool header_is(const char *line, const char *name)
{
    size_t n = strlen(name);
    return strncasecmp(line, name, n) == 0 && line[n] == ':';
}

/* The lists share their tails: own headers -> user agent; secret -> either;
 * JSON -> any of the four. libcurl only reads them. */
static int make_lists(struct http_client *c,
                      const struct http_client_options *o)
{
    size_t n = o->n_headers;
    struct curl_slist *node = calloc(n + 7, sizeof *node);
    c->nodes = node;
    if (!node)
        return -1;
    struct curl_slist *agent = node++;
    agent->data = strdup(USER_AGENT);
    bool named = false;
    struct curl_slist *head = NULL, **tail = &head;
    for (size_t i = 0; i < n; i++, node++) {
        if (!(node->data = strdup(o->headers[i])))
            return -1;
        named = named || header_is(node->data, "User-Agent");
        *tail = node;
        tail = &node->next;
    }
    if (!named)
        *tail = agent;
    c->lists[0] = agent;
    c->lists[HTTP_LIST_OWN] = head;
    for (int i = 0; i < 2; i++, node++) {
        node->data = c->secret ? c->secret->line : NULL;
        node->next = c->lists[i];
        c->lists[i | HTTP_LIST_AUTH] = c->secret ? node : c->lists[i];
    }
    static char json[] = "Content-Type: application/json";
    for (int i = 0; i < 4; i++, node++) {
        node->data = json;
        node->next = c->lists[i];
        c->lists[i | HTTP_LIST_JSON] = node;
    }
    return agent->data ? 0 : -1;
}

static void free_lists(struct http_client *c, size_t n)
{
    for (size_t i = 0; c->nodes && i <= n; i++)
        free(c->nodes[i].data);
    free(c->nodes);
}

/* ---- clients ---- */

static int set_base(struct http_client *c, const char *base, char why[256])
{
    char origin[HTTP_ORIGIN_MAX], clean[100];
    http_clean_url(base, clean, sizeof clean);
    if (http_origin(base, origin) < 0 || strpbrk(base, "?# \r\n\t")) {
        snprintf(why, 256,
                 "\"%s\" cannot be a base: it must be like "
                 "\"https://host/path\", without user, query or fragment",
                 clean);
        return -1;
    }
    if (http_client_route(c, base, &c->base_route, why, 256) < 0)
        return -1;
    c->base_origin = strdup(origin);
    c->base = strdup(base);
    if (!c->base || !c->base_origin)
        return snprintf(why, 256, "not enough memory"), -1;
    c->base_len = strlen(base);
    while (c->base_len > 0 && c->base[c->base_len - 1] == '/')
        c->base[--c->base_len] = '\0';
    c->base_origin_len = http_origin_length(c->base);
    return 0;
}

static void limit_connections(struct http *h)
{
    long n = (long)(h->slots < 16 ? 16 : h->slots);
    if (h->curl.multi)
        curl.curl_multi_setopt(h->curl.multi, CURLMOPT_MAXCONNECTS, n);
}

struct http_client *http_client_new(struct http *h,
                                    const struct http_client_options *o,
                                    char why[256])
{
    struct http_client *c = calloc(1, sizeof *c);
    snprintf(why, 256, "not enough memory");
    if (!c)
        return NULL;
    c->http = h;
    h->refs++;
    c->refs = 1;
    c->slots = o->slots;
    c->timeout_ms = o->timeout_ms;
    c->max_body = o->max_body;
    c->insecure_http = o->insecure_http;
    c->n_headers = o->n_headers;
    c->secret = o->secret;
    if (c->secret)
        c->secret->refs++;
    for (int i = 0; i < HTTP_CLASSES; i++)
        TAILQ_INIT(&c->queue[i]);
    TAILQ_INIT(&c->idle);
    LIST_INSERT_HEAD(&h->clients, c, link);
    h->slots += c->slots;
    if ((o->base && set_base(c, o->base, why) < 0) || make_lists(c, o) < 0) {
        http_client_unref(c);
        return NULL;
    }
    limit_connections(h);
    return c;
}

struct http_client *http_client_ref(struct http_client *c)
{
    c->refs++;
    return c;
}

void http_client_unref(struct http_client *c)
{
    struct http *h = c->http;
    struct http_xfer *x;
    if (--c->refs > 0)
        return;
    LIST_REMOVE(c, link);
    h->slots -= c->slots;
    while ((x = TAILQ_FIRST(&c->idle))) {
        TAILQ_REMOVE(&c->idle, x, link);
        http_xfer_free(x);
    }
    limit_connections(h);
    free_lists(c, c->n_headers);
    if (c->secret)
        http_secret_unref(c->secret);
    free(c->base);
    free(c->base_origin);
    free(c);
    http_unref(h);
}
