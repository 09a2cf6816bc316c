/* httpd_body.c - what a request brings: headers, query, and the body, which
 * goes to memory first and to a file when it grows. Forms are taken apart by
 * libmicrohttpd's post processor, in their order. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "httpd_int.h"

#define MAX_PARTS 256
#define FORM_BUFFER                                                            \
    16384 /* bytes; also the most that a part's headers take                   \
           */

/* ---- headers and query ---- */

static void list_free(struct httpd_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->v[i].name);
        free(l->v[i].value);
    }
    free(l->v);
}

static int list_add(struct httpd_list *l, const char *name, const char *value)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        struct httpd_pair *grown = realloc(l->v, cap * sizeof *grown);
        if (!grown)
            return -1;
        l->v = grown;
        l->cap = cap;
    }
    struct httpd_pair pair = {strdup(name), strdup(value ? value : "")};
    if (!pair.name || !pair.value) {
        free(pair.name);
        free(pair.value);
        return -1;
    }
    l->v[l->n++] = pair;
    return 0;
}

struct reading {
    struct httpd_private *p;
    int status;
};

static enum MHD_Result on_pair(void *cls, enum MHD_ValueKind kind,
                               const char *name, const char *value)
{
    struct reading *r = cls;
    int header = kind == MHD_HEADER_KIND;
    struct httpd_list *l = header ? &r->p->x.headers : &r->p->x.query;
    r->status = list_add(l, name, value);
    if (r->status < 0)
        return MHD_NO;
    for (char *c = l->v[l->n - 1].name; header && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return MHD_YES;
}

int httpd_read_pairs(struct httpd_private *p)
{
    static const enum MHD_ValueKind kinds[] = {MHD_HEADER_KIND,
                                               MHD_GET_ARGUMENT_KIND};
    struct reading r = {p, 0};
    for (int i = 0; i < 2 && r.status == 0; i++)
        mhd.MHD_get_connection_values(p->con, kinds[i], on_pair, &r);
    return r.status;
}

/* ---- bodies ---- */

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Move what is in memory to a new file. */
static int to_file(struct httpd_private *p, struct httpd_content *c)
{
    if (asprintf(&c->path, "%s/request-XXXXXX", p->server->spool) < 0) {
        c->path = NULL;
        return UV_ENOMEM;
    }
    c->fd = mkostemp(c->path, O_CLOEXEC);
    if (c->fd < 0) {
        int status = -errno;
        free(c->path);
        c->path = NULL;
        return status;
    }
    int status = write_all(c->fd, c->data, c->size);
    p->in_memory -= c->size;
    free(c->data);
    c->data = NULL;
    return status;
}

static int to_memory(struct httpd_private *p, struct httpd_content *c,
                     const char *data, size_t size)
{
    if (c->size + size > c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 1024;
        while (cap < c->size + size)
            cap *= 2;
        char *grown = realloc(c->data, cap);
        if (!grown)
            return UV_ENOMEM;
        c->data = grown;
        c->cap = cap;
    }
    memcpy(c->data + c->size, data, size);
    c->size += size;
    p->in_memory += size;
    return 0;
}

static int content_add(struct httpd_private *p, struct httpd_content *c,
                       const char *data, size_t size)
{
    if (size == 0)
        return 0;
    if (!c->path) {
        if (p->in_memory + size <= p->server->max_memory)
            return to_memory(p, c, data, size);
        int status = to_file(p, c);
        if (status < 0)
            return status;
    }
    c->size += size;
    return write_all(c->fd, data, size);
}

static void content_end(struct httpd_content *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void content_free(struct httpd_content *c)
{
    content_end(c);
    if (c->path)
        unlink(c->path); /* gone already if somebody took it */
    free(c->path);
    free(c->data);
}

static int same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static char *copy_of(const char *s)
{
    return s ? strdup(s) : NULL;
}

static struct httpd_part *new_part(struct httpd_private *p, const char *name,
                                   const char *filename, const char *type)
{
    if (p->x.n_parts == MAX_PARTS)
        return NULL;
    size_t n = p->x.n_parts + 1;
    struct httpd_part *grown = realloc(p->x.parts, n * sizeof *grown);
    if (!grown)
        return NULL;
    p->x.parts = grown;
    p->x.n_parts = n;
    struct httpd_part *part = &grown[n - 1];
    *part = (struct httpd_part){.name = copy_of(name ? name : ""),
                                .filename = copy_of(filename),
                                .type = copy_of(type)};
    part->content.fd = -1;
    return part;
}

/* The post processor may begin a part twice with nothing in between, so an
 * empty part goes on when the next one looks the same. */
static enum MHD_Result on_part(void *cls, enum MHD_ValueKind kind,
                               const char *name, const char *filename,
                               const char *type, const char *encoding,
                               const char *data, uint64_t off, size_t size)
{
    (void)kind, (void)encoding;
    struct httpd_private *p = cls;
    struct httpd_part *part =
        p->x.n_parts ? &p->x.parts[p->x.n_parts - 1] : NULL;
    if (off == 0 && !(part && part->content.size == 0 &&
                      same(part->name, name) && same(part->filename, filename)))
        part = new_part(p, name, filename, type);
    if (!part || !part->name) {
        p->refused = MHD_HTTP_BAD_REQUEST;
        return MHD_NO;
    }
    if (content_add(p, &part->content, data, size) < 0) {
        p->refused = MHD_HTTP_INSUFFICIENT_STORAGE;
        return MHD_NO;
    }
    return MHD_YES;
}

void httpd_body_begin(struct httpd_private *p)
{
    const char *type = mhd.MHD_lookup_connection_value(
        p->con, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (type && strncasecmp(type, "multipart/form-data", 19) == 0)
        p->form =
            mhd.MHD_create_post_processor(p->con, FORM_BUFFER, on_part, p);
}

void httpd_body_add(struct httpd_private *p, const char *data, size_t size)
{
    p->received += size;
    if (p->refused)
        return; /* read on, so that the client gets to see the answer */
    if (p->received > p->server->max_body) {
        p->refused = MHD_HTTP_CONTENT_TOO_LARGE;
    } else if (p->form) {
        if (mhd.MHD_post_process(p->form, data, size) != MHD_YES && !p->refused)
            p->refused = MHD_HTTP_BAD_REQUEST;
    } else if (content_add(p, &p->x.body, data, size) < 0) {
        p->refused = MHD_HTTP_INSUFFICIENT_STORAGE;
    }
}

void httpd_body_end(struct httpd_private *p)
{
    if (p->form && mhd.MHD_destroy_post_processor(p->form) != MHD_YES &&
        !p->refused)
        p->refused = MHD_HTTP_BAD_REQUEST;
    p->form = NULL;
    content_end(&p->x.body);
    for (size_t i = 0; i < p->x.n_parts; i++)
        content_end(&p->x.parts[i].content);
}

void httpd_request_free(struct httpd_private *p)
{
    if (p->form)
        mhd.MHD_destroy_post_processor(p->form);
    content_free(&p->x.body);
    for (size_t i = 0; i < p->x.n_parts; i++) {
        free(p->x.parts[i].name);
        free(p->x.parts[i].filename);
        free(p->x.parts[i].type);
        content_free(&p->x.parts[i].content);
    }
    free(p->x.parts);
    list_free(&p->x.headers);
    list_free(&p->x.query);
}
