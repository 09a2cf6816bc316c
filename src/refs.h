/* refs.h - the reference registry: what a picture must be to be a reference,
 * which version of a reference some bytes are, and in which form they travel.
 *
 * Where a function has `char **why`, a refusal leaves a sentence there that
 * the caller frees (NULL when memory is out). Refusals are negative errnos:
 * -ENOENT, -EACCES ..., -EINVAL (not what it must be), -ENOTSUP (a format
 * that is not accepted), -EFBIG. */
#ifndef REFS_H
#define REFS_H

#include <stdatomic.h>
#include <stdint.h>

#include "hash.h"
#include "image.h"

/* Facts of Runway's input rules (docs, August 2026). */
#define REFS_UPLOAD_MAX (200u << 20) /* bytes */
#define REFS_SIDE_MAX 8000 /* pixels; unconfirmed, so only a warning */
#define REFS_SIDE_GOOD 640 /* pixels; recommended from here on */
#define REFS_RATIO_MIN 0.5
#define REFS_RATIO_MAX 2.358
#define REFS_TAG_MIN 3
#define REFS_TAG_MAX 16
#define REFS_URL_MAX 2048

struct refs_rules {
    const char *kind;            /* "character", ...: for sentences */
    int any_media;               /* video and audio are fine too */
    double ratio_min, ratio_max; /* of pictures, width / height; 0: no rule */
};

struct refs_file {
    char hash[HASH_HEX];
    struct image_info info;
    uint64_t bytes;
    int64_t mtime; /* nanoseconds since 1970 */
    char *warning; /* the caller's, may be NULL */
};

/* Look at a file and hash it. For a pool thread. */
int refs_measure(const char *path, const struct refs_rules *rules,
                 const atomic_int *stop, struct refs_file *file, char **why);

/* Are these still the bytes that were measured? Reads the file only if its
 * size or time differ. For a pool thread. */
int refs_unchanged(const char *path, const struct refs_file *file,
                   const atomic_int *stop, char **why);

/* 0 when the tag is 3 to 16 letters, digits and underscores, a letter first. */
int refs_check_tag(const char *tag, char **why);

/* A legal tag made from any name. */
void refs_make_tag(const char *name, char tag[REFS_TAG_MAX + 1]);

/* 0 for an https URL that the API would fetch: a host name and not an address,
 * at most 2048 characters. */
int refs_check_url(const char *url, char **why);

/* ---- the registry; for one thread ---- */

struct refs;

struct refs *refs_new(void);
void refs_free(struct refs *refs);

/* The version that these bytes are of kind/name: an old number for bytes seen
 * before, else the next one. Negative: -ENOMEM. */
int refs_version(struct refs *refs, const char *kind, const char *name,
                 const char *hash);

/* Make a version known from before (a journal). 0, -ENOMEM, or -EEXIST when
 * that number has other bytes. */
int refs_restore(struct refs *refs, const char *kind, const char *name,
                 int version, const char *hash);

/* An account has these bytes at `uri` for `seconds` from `now` on; a part of
 * that is kept back, because a task may be queued before it reads them.
 * 0 or -ENOMEM. */
int refs_uploaded(struct refs *refs, const char *hash, const char *account,
                  const char *uri, double seconds, double now);

enum refs_form { REFS_DATA, REFS_UPLOADED, REFS_NEEDS_UPLOAD, REFS_NONE };

/* The cheapest form for `bytes` of this type: a data URI of at most `data_max`
 * characters, an upload that still lives (*uri, valid until the next call), a
 * new upload if there is an account that takes it, or none (*why). */
enum refs_form refs_resolve(struct refs *refs, const char *path,
                            const struct refs_file *file, uint64_t data_max,
                            const char *account, double now, const char **uri,
                            char **why);

#endif
