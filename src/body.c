/* body.c - owns request bodies and their readers. */
#include "body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "lazy_crypto.h"

#define RAW_PIECE ((size_t)96 << 10) /* a multiple of three */
#define ENC_PIECE (RAW_PIECE / 3 * 4)

struct part {
    enum body_kind kind;
    char *text;  /* the text, or the path */
    size_t len;  /* of the text, or of the file */
    size_t size; /* as sent */
};

struct body {
    unsigned refs;
    size_t n, size;
    struct part parts[];
};

struct body_reader {
    struct body *body;
    size_t part, at; /* at: bytes of the part that were handed out */
    size_t read;     /* bytes of the file that were read */
    int fd;
    size_t enc_at, enc_len;
    unsigned char *raw;
    char *enc;
    const char *bad;
};

static int file_size(const char *path, size_t *size)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return UV_EISDIR;
    if (!S_ISREG(st.st_mode))
        return UV_EINVAL;
    if (access(path, R_OK) < 0)
        return -errno;
    *size = (size_t)st.st_size;
    return 0;
}

static int part_init(struct part *p, const struct body_part *from)
{
    p->kind = from->kind;
    if (p->kind == BODY_TEXT) {
        p->len = p->size = from->len;
        p->text = malloc(from->len + 1);
        if (p->text && from->len)
            memcpy(p->text, from->text, from->len);
        return p->text ? 0 : UV_ENOMEM;
    }
    const char *why;
    int r = file_size(from->path, &p->len);
    if (r == 0 && p->kind == BODY_BASE64)
        r = crypto_load(&why);
    if (r < 0)
        return r;
    p->size = p->kind == BODY_FILE ? p->len : (p->len + 2) / 3 * 4;
    p->text = strdup(from->path);
    return p->text ? 0 : UV_ENOMEM;
}

struct body *body_new(const struct body_part *parts, size_t n, int *status,
                      size_t *which)
{
    struct body *b = calloc(1, sizeof *b + n * sizeof *b->parts);
    *status = UV_ENOMEM;
    *which = 0;
    if (!b)
        return NULL;
    b->refs = 1;
    for (; b->n < n; b->n++) {
        *which = b->n;
        *status = part_init(&b->parts[b->n], &parts[b->n]);
        if (*status < 0) {
            b->n++; /* its text may have been copied */
            body_unref(b);
            return NULL;
        }
        b->size += b->parts[b->n].size;
    }
    return b;
}

struct body *body_ref(struct body *b)
{
    b->refs++;
    return b;
}

void body_unref(struct body *b)
{
    if (--b->refs > 0)
        return;
    for (size_t i = 0; i < b->n; i++)
        free(b->parts[i].text);
    free(b);
}

size_t body_size(const struct body *b)
{
    return b->size;
}

/* ---- reading ---- */

struct body_reader *body_reader_new(struct body *b)
{
    struct body_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->fd = -1;
    r->body = body_ref(b);
    return r;
}

void body_reader_free(struct body_reader *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        close(r->fd);
    body_unref(r->body);
    free(r->raw);
    free(r->enc);
    free(r);
}

const char *body_reader_path(const struct body_reader *r)
{
    return r->bad;
}

static int open_file(struct body_reader *r, const struct part *p)
{
    struct stat st;
    if (r->fd >= 0)
        return 0;
    r->fd = open(p->text, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return -errno;
    if (fstat(r->fd, &st) < 0 || (size_t)st.st_size != p->len)
        return UV_EIO;
    posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    r->read = 0;
    return 0;
}

/* Exactly `n` bytes of the file, which must have them. */
static int read_file(struct body_reader *r, void *out, size_t n)
{
    for (char *at = out; n > 0;) {
        ssize_t got = pread(r->fd, at, n, (off_t)r->read);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : UV_EIO;
        at += got;
        n -= (size_t)got;
        r->read += (size_t)got;
    }
    return 0;
}

static int encode_more(struct body_reader *r, const struct part *p)
{
    if (!r->raw)
        r->raw = malloc(RAW_PIECE);
    if (!r->enc)
        r->enc = malloc(ENC_PIECE + 1);
    if (!r->raw || !r->enc)
        return UV_ENOMEM;
    size_t n = p->len - r->read;
    if (n > RAW_PIECE)
        n = RAW_PIECE;
    int e = read_file(r, r->raw, n);
    if (e < 0)
        return e;
    r->enc_len =
        (size_t)crypto.EVP_EncodeBlock((unsigned char *)r->enc, r->raw, (int)n);
    r->enc_at = 0;
    return 0;
}

static ssize_t read_part(struct body_reader *r, const struct part *p, char *out,
                         size_t room)
{
    size_t n = p->size - r->at;
    if (n > room)
        n = room;
    if (p->kind == BODY_TEXT) {
        memcpy(out, p->text + r->at, n);
        return (ssize_t)n;
    }
    int e = open_file(r, p);
    if (e == 0 && p->kind == BODY_FILE)
        e = read_file(r, out, n);
    if (e == 0 && p->kind == BODY_BASE64) {
        if (r->enc_at == r->enc_len)
            e = encode_more(r, p);
        if (n > r->enc_len - r->enc_at)
            n = r->enc_len - r->enc_at;
        if (e == 0)
            memcpy(out, r->enc + r->enc_at, n);
        r->enc_at += n;
    }
    return e < 0 ? e : (ssize_t)n;
}

static void next_part(struct body_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    r->at = r->enc_at = r->enc_len = 0;
    r->part++;
}

ssize_t body_read(struct body_reader *r, char *out, size_t room)
{
    size_t done = 0;
    while (done < room && r->part < r->body->n) {
        const struct part *p = &r->body->parts[r->part];
        if (r->at == p->size) {
            next_part(r);
            continue;
        }
        ssize_t n = read_part(r, p, out + done, room - done);
        if (n < 0) {
            r->bad = p->text;
            return n;
        }
        r->at += (size_t)n;
        done += (size_t)n;
    }
    return (ssize_t)done;
}
