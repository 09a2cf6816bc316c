/* hash.h - SHA-256 (libcrypto's) and base64. */
#ifndef HASH_H
#define HASH_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_HEX 65 /* 64 lower-case digits and a zero */

/* Load libcrypto; call it on the loop's thread before anything else here.
 * 0, or a negative UV_E... with a sentence in *why. */
int hash_load(const char **why);

/* 0, or -ENOMEM. */
int hash_sha256(const void *data, size_t len, char hex[HASH_HEX]);

/* Hash what an open file has from where it stands; as hash_file. */
int hash_fd(int fd, const atomic_int *stop, char hex[HASH_HEX],
            uint64_t *bytes);

/* Hash a file from its start; any thread. `stop` may be NULL, and ends it with
 * -ECANCELED. 0 or a negative errno; *bytes is what was read. */
int hash_file(const char *path, const atomic_int *stop, char hex[HASH_HEX],
              uint64_t *bytes);

/* Characters that `len` bytes become. */
#define HASH_BASE64(len) (((len) + 2) / 3 * 4)

/* Needs HASH_BASE64(len) + 1 bytes of room; writes a zero at the end. */
void hash_base64(const void *data, size_t len, char *out);

/* Strict: no blanks, full padding, no stray bits. `out` needs len / 4 * 3
 * bytes. Returns the number of bytes, or -1 - i with the index i of the first
 * character that is wrong (i == len: the end comes too early). */
ptrdiff_t hash_unbase64(const char *text, size_t len, unsigned char *out);

#endif
