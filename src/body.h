/* body.h - a request body made of text and files, produced while it is sent,
 * so that a picture is never held in memory as base64. No Lua, no libcurl. */
#ifndef BODY_H
#define BODY_H

#include <stddef.h>
#include <sys/types.h>

enum body_kind {
    BODY_TEXT,   /* `text`, `len` */
    BODY_FILE,   /* the bytes of `path` */
    BODY_BASE64, /* the bytes of `path` as base64 with padding */
};

struct body_part {
    enum body_kind kind;
    const char *text;
    size_t len;
    const char *path;
};

struct body;        /* counted references; one thread */
struct body_reader; /* a place in a body */

/* Copies the parts and asks for the files' sizes. NULL with a negative libuv
 * code in *status and, if a file is to blame, its index in *which. */
struct body *body_new(const struct body_part *parts, size_t n, int *status,
                      size_t *which);
struct body *body_ref(struct body *b);
void body_unref(struct body *b);

/* Bytes to send in all. */
size_t body_size(const struct body *b);

/* NULL when memory is out. Takes a reference to the body. */
struct body_reader *body_reader_new(struct body *b);
void body_reader_free(struct body_reader *r);

/* The next at most `room` bytes: how many, 0 at the end, or a negative libuv
 * code; UV_EIO also when a file has changed its size since body_new(). */
ssize_t body_read(struct body_reader *r, char *out, size_t room);

/* The file that body_read() failed on, or NULL. */
const char *body_reader_path(const struct body_reader *r);

#endif
