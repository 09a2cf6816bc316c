/* refs.c - owns the versions of references and where their bytes have been
 * uploaded to. */
#include "refs.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kept back of an upload's life: a tenth, at most this many seconds. */
#define MARGIN 3600.0

/* Trees of tsearch(), each node's key a string that begins the node. */
struct refs {
    void *entries; /* struct reference */
    void *uploads; /* struct upload */
};

struct reference {
    char *key; /* kind, '/', name */
    int n;     /* versions */
    char (*hashes)[HASH_HEX];
};

struct upload {
    char *key; /* account, '/', hash */
    char *uri;
    double until;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(const char *a, const char *b)
{
    char *s = NULL;
    return asprintf(&s, "%s/%s", a, b) < 0 ? NULL : s;
}

struct refs *refs_new(void)
{
    return calloc(1, sizeof(struct refs));
}

static void free_reference(void *node)
{
    struct reference *e = node;
    free(e->key);
    free(e->hashes);
    free(e);
}

static void free_upload(void *node)
{
    struct upload *u = node;
    free(u->key);
    free(u->uri);
    free(u);
}

void refs_free(struct refs *refs)
{
    if (!refs)
        return;
    tdestroy(refs->entries, free_reference);
    tdestroy(refs->uploads, free_upload);
    free(refs);
}

/* The node of `key`, made with `size` zeroed bytes if there is none; takes the
 * key. NULL when memory is out. */
static void *node_of(void **tree, char *key, size_t size)
{
    if (!key)
        return NULL;
    void **found = tfind(&key, tree, by_key);
    if (found) {
        free(key);
        return *found;
    }
    char **node = calloc(1, size);
    if (node) {
        *node = key;
        if (tsearch(node, tree, by_key))
            return node;
    }
    free(node);
    free(key);
    return NULL;
}

/* ---- versions ---- */

static int put_version(struct reference *e, int version, const char *hash)
{
    if (version > e->n) {
        void *more = realloc(e->hashes, (size_t)version * sizeof *e->hashes);
        if (!more)
            return -ENOMEM;
        e->hashes = more;
        memset(e->hashes[e->n], 0,
               (size_t)(version - e->n) * sizeof *e->hashes);
        e->n = version;
    }
    memcpy(e->hashes[version - 1], hash, HASH_HEX - 1);
    return version;
}

int refs_version(struct refs *refs, const char *kind, const char *name,
                 const char *hash)
{
    struct reference *e = node_of(&refs->entries, join(kind, name), sizeof *e);
    if (!e)
        return -ENOMEM;
    for (int i = e->n; i > 0; i--)
        if (!strcmp(e->hashes[i - 1], hash))
            return i;
    return put_version(e, e->n + 1, hash);
}

int refs_restore(struct refs *refs, const char *kind, const char *name,
                 int version, const char *hash)
{
    struct reference *e = node_of(&refs->entries, join(kind, name), sizeof *e);
    if (!e)
        return -ENOMEM;
    if (version <= e->n && e->hashes[version - 1][0])
        return strcmp(e->hashes[version - 1], hash) ? -EEXIST : 0;
    int status = put_version(e, version, hash);
    return status < 0 ? status : 0;
}

/* ---- forms ---- */

int refs_uploaded(struct refs *refs, const char *hash, const char *account,
                  const char *uri, double seconds, double now)
{
    double margin = seconds / 10 < MARGIN ? seconds / 10 : MARGIN;
    char *copy = strdup(uri);
    if (!copy)
        return -ENOMEM;
    struct upload *u = node_of(&refs->uploads, join(account, hash), sizeof *u);
    if (!u) {
        free(copy);
        return -ENOMEM;
    }
    free(u->uri);
    u->uri = copy;
    u->until = now + seconds - margin;
    return 0;
}

static const char *uploaded_uri(struct refs *refs, const char *hash,
                                const char *account, double now)
{
    char *key = join(account, hash);
    void **found = key ? tfind(&key, &refs->uploads, by_key) : NULL;
    free(key);
    const struct upload *u = found ? *found : NULL;
    return u && u->until > now ? u->uri : NULL;
}

static uint64_t data_uri_length(const struct refs_file *file)
{
    return sizeof "data:;base64," - 1 + strlen(file->info.type) +
           (file->bytes + 2) / 3 * 4;
}

enum refs_form refs_resolve(struct refs *refs, const char *path,
                            const struct refs_file *file, uint64_t data_max,
                            const char *account, double now, const char **uri,
                            char **why)
{
    if (data_uri_length(file) <= data_max)
        return REFS_DATA;
    if (account) {
        *uri = uploaded_uri(refs, file->hash, account, now);
        return *uri ? REFS_UPLOADED : REFS_NEEDS_UPLOAD;
    }
    if (asprintf(why,
                 "\"%s\" has %.1f MB, but a request can carry %.1f MB at most "
                 "and there is no upload here: %s, or give an https URL",
                 path, (double)file->bytes / (1 << 20),
                 (double)data_max * 3 / 4 / (1 << 20),
                 file->info.kind == IMAGE_PICTURE
                     ? "make it smaller, or save it as JPEG or WebP"
                     : "make it shorter or smaller") < 0)
        *why = NULL;
    return REFS_NONE;
}
