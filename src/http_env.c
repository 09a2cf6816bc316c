/* http_env.c - owns what comes from outside: secrets in locked memory, proxy
 * and certificate variables. */
#include "http_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lazy_crypto.h"

struct http_env {
    LIST_ENTRY(http_env) link;
    char *name;
    char *value; /* locked */
};

/* ---- locked memory: never swapped, not in core dumps ---- */

static char *locked_new(size_t size)
{
    size_t *p = mmap(NULL, size + sizeof *p, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    mlock(p, size + sizeof *p); /* best effort: the limit may be 0 */
    madvise(p, size + sizeof *p, MADV_DONTDUMP);
    *p = size + sizeof *p;
    return (char *)(p + 1);
}

static void locked_free(char *s)
{
    if (!s)
        return;
    size_t *p = (size_t *)(void *)s - 1, size = *p;
    explicit_bzero(p, size);
    munmap(p, size);
}

/* ---- secrets ---- */

/* The variable's value, taken out of the environment for good. */
static const char *take_env(struct http *h, const char *name)
{
    struct http_env *e;
    LIST_FOREACH(e, &h->envs, link)
    if (strcmp(e->name, name) == 0)
        return e->value;
    char *value = getenv(name);
    if (!value || !*value || !(e = calloc(1, sizeof *e)))
        return NULL;
    e->name = strdup(name);
    size_t size = strlen(value) + 1;
    e->value = locked_new(size);
    if (!e->name || !e->value) {
        free(e->name);
        locked_free(e->value);
        free(e);
        return NULL;
    }
    memcpy(e->value, value, size);
    explicit_bzero(value, size - 1); /* /proc/PID/environ shows it */
    unsetenv(name);
    LIST_INSERT_HEAD(&h->envs, e, link);
    return e->value;
}

static bool printable(const char *s)
{
    for (; *s; s++)
        if (*s < ' ' || *s == 0x7f)
            return false;
    return true;
}

static int set_origins(struct http_secret *s,
                       const struct http_secret_options *o, char why[256])
{
    s->origins = calloc(o->n_origins, sizeof *s->origins);
    if (!s->origins)
        return snprintf(why, 256, "not enough memory"), -1;
    for (; s->n_origins < o->n_origins; s->n_origins++)
        if (http_origin(o->origins[s->n_origins], s->origins[s->n_origins]) <
            0) {
            snprintf(why, 256,
                     "\"%.120s\" is not an origin: write it like "
                     "\"https://host\" or \"https://host:port\"",
                     o->origins[s->n_origins]);
            return -1;
        }
    return 0;
}

static int set_line(struct http_secret *s, const struct http_secret_options *o,
                    const char *value, char why[256])
{
    if (!printable(value)) {
        snprintf(why, 256,
                 "the secret in %.100s has a character that no header can "
                 "hold, perhaps the end of a line",
                 o->env ? o->env : "value");
        return -1;
    }
    const char *gap = *o->scheme ? " " : "";
    size_t size = strlen(o->header) + strlen(o->scheme) + strlen(value) + 4;
    s->line = locked_new(size);
    if (!s->line)
        return snprintf(why, 256, "not enough memory"), -1;
    int n =
        snprintf(s->line, size, "%s: %s%s%s", o->header, o->scheme, gap, value);
    s->value = s->line + n - strlen(value);
    return 0;
}

struct http_secret *http_secret_new(struct http *h,
                                    const struct http_secret_options *o,
                                    int *status, char why[256])
{
    const char *value = o->env ? take_env(h, o->env) : o->value;
    *status = UV_ENOENT;
    if (!value || !*value) {
        snprintf(why, 256, "%.100s is not set", o->env ? o->env : "value");
        return NULL;
    }
    *status = UV_EINVAL;
    struct http_secret *s = calloc(1, sizeof *s);
    if (!s)
        return snprintf(why, 256, "not enough memory"), NULL;
    s->http = h;
    h->refs++;
    s->refs = 1;
    if (set_origins(s, o, why) < 0 || set_line(s, o, value, why) < 0) {
        http_secret_unref(s);
        return NULL;
    }
    return s;
}

void http_secret_unref(struct http_secret *s)
{
    if (--s->refs > 0)
        return;
    locked_free(s->line);
    free(s->origins);
    http_unref(s->http);
    free(s);
}

int http_secret_mark(const struct http_secret *s, const char *salt, size_t len,
                     char mark[HTTP_MARK])
{
    unsigned char sum[32];
    EVP_MD_CTX *ctx = crypto.EVP_MD_CTX_new(); /* wiped when it is freed */
    if (!ctx || !crypto.EVP_DigestInit_ex(ctx, crypto.EVP_sha256(), NULL)) {
        crypto.EVP_MD_CTX_free(ctx);
        return UV_ENOMEM;
    }
    crypto.EVP_DigestUpdate(ctx, salt, len);
    crypto.EVP_DigestUpdate(ctx, s->value, strlen(s->value));
    crypto.EVP_DigestFinal_ex(ctx, sum, NULL);
    crypto.EVP_MD_CTX_free(ctx);
    snprintf(mark, HTTP_MARK, "%02x%02x%02x%02x", sum[0], sum[1], sum[2],
             sum[3]);
    return 0;
}

/* ---- proxies and certificates ---- */

static int env_copy(const char *const *names, char **copy)
{
    for (; *names; names++) {
        const char *v = getenv(*names);
        if (v && *v)
            return (*copy = strdup(v)) ? 0 : -1;
    }
    return 0;
}

/* Once, because libcurl would ask the environment again for each transfer,
 * and because it does not know the certificate variables at all. */
int http_env_init(struct http *h)
{
    static const char *const http[] = {"http_proxy", "HTTP_PROXY", "all_proxy",
                                       "ALL_PROXY", NULL};
    static const char *const https[] = {"https_proxy", "HTTPS_PROXY",
                                        "all_proxy", "ALL_PROXY", NULL};
    static const char *const none[] = {"no_proxy", "NO_PROXY", NULL};
    static const char *const file[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE", NULL};
    static const char *const dir[] = {"SSL_CERT_DIR", NULL};
    if (env_copy(http, &h->proxy[0]) < 0 || env_copy(https, &h->proxy[1]) < 0 ||
        env_copy(none, &h->no_proxy) < 0)
        return -1;
    return env_copy(file, &h->ca_file) < 0 ? -1 : env_copy(dir, &h->ca_dir);
}

void http_env_fini(struct http *h)
{
    struct http_env *e;
    while ((e = LIST_FIRST(&h->envs))) {
        LIST_REMOVE(e, link);
        free(e->name);
        locked_free(e->value);
        free(e);
    }
    free(h->proxy[0]);
    free(h->proxy[1]);
    free(h->no_proxy);
    free(h->ca_file);
    free(h->ca_dir);
}

void http_set_route(const struct http *h, CURL *easy,
                    const struct http_route *r, unsigned char *kind)
{
    unsigned char now = (unsigned char)(1 | r->tls << 1 | r->loopback << 2);
    if (*kind == now)
        return;
    *kind = now;
    const char *proxy = r->loopback ? NULL : h->proxy[r->tls];
    curl.curl_easy_setopt(easy, CURLOPT_PROXY, proxy ? proxy : "");
    curl.curl_easy_setopt(easy, CURLOPT_NOPROXY,
                          proxy && h->no_proxy ? h->no_proxy : "");
    if (h->ca_file)
        curl.curl_easy_setopt(easy, CURLOPT_CAINFO, h->ca_file);
    if (h->ca_dir)
        curl.curl_easy_setopt(easy, CURLOPT_CAPATH, h->ca_dir);
    /* Plain http never becomes HTTP/2 here, so nothing should wait for it. */
    curl.curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                          r->tls ? (long)CURL_HTTP_VERSION_2TLS
                                 : (long)CURL_HTTP_VERSION_1_1);
    curl.curl_easy_setopt(easy, CURLOPT_PIPEWAIT, r->tls ? 1L : 0L);
}
