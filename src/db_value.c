/* db_value.c - owns the encoding of values: a type byte and what belongs to
 * it, in the machine's own byte order, not aligned. */
#include "db_value.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 512 /* bytes */

static char *room(struct db_buf *b, size_t n)
{
    if (n > b->size - b->len) {
        size_t size = b->size ? b->size : FIRST_SIZE;
        while (size - b->len < n)
            size *= 2;
        char *data = realloc(b->data, size);
        if (!data)
            return NULL;
        b->data = data;
        b->size = size;
    }
    char *at = b->data + b->len;
    b->len += n;
    return at;
}

static int put_text(struct db_buf *b, const char *s, size_t n)
{
    char *at = room(b, 1 + sizeof n + n + 1);
    if (!at)
        return -1;
    *at = DB_TEXT;
    memcpy(at + 1, &n, sizeof n);
    if (n > 0)
        memcpy(at + 1 + sizeof n, s, n);
    at[1 + sizeof n + n] = '\0';
    return 0;
}

int db_put(struct db_buf *b, const struct db_value *v)
{
    if (v->type == DB_TEXT)
        return put_text(b, v->s, v->n);
    size_t n = v->type == DB_NULL ? 0 : sizeof v->i;
    char *at = room(b, 1 + n);
    if (!at)
        return -1;
    *at = (char)v->type;
    memcpy(at + 1, &v->i, n); /* a double has the same bytes there */
    return 0;
}

int db_put_count(struct db_buf *b, uint32_t n)
{
    char *at = room(b, sizeof n);
    if (!at)
        return -1;
    memcpy(at, &n, sizeof n);
    return 0;
}

const char *db_get(const char *at, struct db_value *v)
{
    v->type = (enum db_type) * at++;
    if (v->type == DB_NULL)
        return at;
    if (v->type != DB_TEXT) {
        memcpy(&v->i, at, sizeof v->i);
        return at + sizeof v->i;
    }
    memcpy(&v->n, at, sizeof v->n);
    v->s = at + sizeof v->n;
    return v->s + v->n + 1;
}

const char *db_get_count(const char *at, uint32_t *n)
{
    memcpy(n, at, sizeof *n);
    return at + sizeof *n;
}
