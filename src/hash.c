/* hash.c - owns how bytes become SHA-256 digests and base64. */
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lazy_crypto.h"

#define PIECE (256 * 1024)
#define ENCODE_PIECE                                                           \
    (3u << 20) /* a multiple of 3; the length is an int there */

int hash_load(const char **why)
{
    return crypto_load(why);
}

static EVP_MD_CTX *begin(void)
{
    EVP_MD_CTX *ctx = crypto.EVP_MD_CTX_new();
    if (ctx && !crypto.EVP_DigestInit_ex(ctx, crypto.EVP_sha256(), NULL)) {
        crypto.EVP_MD_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

static void end(EVP_MD_CTX *ctx, char hex[HASH_HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[32];
    crypto.EVP_DigestFinal_ex(ctx, sum, NULL);
    for (size_t i = 0; i < sizeof sum; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    hex[HASH_HEX - 1] = 0;
    crypto.EVP_MD_CTX_free(ctx);
}

int hash_sha256(const void *data, size_t len, char hex[HASH_HEX])
{
    EVP_MD_CTX *ctx = begin();
    if (!ctx)
        return -ENOMEM;
    crypto.EVP_DigestUpdate(ctx, data, len);
    end(ctx, hex);
    return 0;
}

static int feed(int fd, EVP_MD_CTX *ctx, const atomic_int *stop,
                uint64_t *bytes)
{
    unsigned char *buf = malloc(PIECE);
    int status = buf ? 0 : -ENOMEM;
    *bytes = 0;
    while (status == 0) {
        ssize_t n = read(fd, buf, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = -errno;
        if (n <= 0)
            break;
        crypto.EVP_DigestUpdate(ctx, buf, (size_t)n);
        *bytes += (uint64_t)n;
        if (stop && atomic_load(stop))
            status = -ECANCELED;
    }
    free(buf);
    return status;
}

int hash_fd(int fd, const atomic_int *stop, char hex[HASH_HEX], uint64_t *bytes)
{
    EVP_MD_CTX *ctx = begin();
    if (!ctx)
        return -ENOMEM;
    int status = feed(fd, ctx, stop, bytes);
    end(ctx, hex);
    return status;
}

int hash_file(const char *path, const atomic_int *stop, char hex[HASH_HEX],
              uint64_t *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = hash_fd(fd, stop, hex, bytes);
    close(fd);
    return status;
}

void hash_base64(const void *data, size_t len, char *out)
{
    const unsigned char *in = data;
    out[0] = 0;
    while (len > 0) {
        size_t n = len < ENCODE_PIECE ? len : ENCODE_PIECE;
        out += crypto.EVP_EncodeBlock((unsigned char *)out, in, (int)n);
        in += n;
        len -= n;
    }
}

static int value(char ch)
{
    if (ch >= 'A' && ch <= 'Z')
        return ch - 'A';
    if (ch >= 'a' && ch <= 'z')
        return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9')
        return ch - '0' + 52;
    return ch == '+' ? 62 : ch == '/' ? 63 : -1;
}

/* How many of the last four characters are padding: 0, 1 or 2. */
static size_t padding(const char *text, size_t len)
{
    if (len < 4 || text[len - 1] != '=')
        return 0;
    return text[len - 2] == '=' ? 2 : 1;
}

ptrdiff_t hash_unbase64(const char *text, size_t len, unsigned char *out)
{
    size_t digits = len - padding(text, len), n = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < digits; i++) {
        int v = value(text[i]);
        if (v < 0)
            return -1 - (ptrdiff_t)i;
        bits = bits << 6 | (uint32_t)v;
        if (i % 4 > 0)
            out[n++] = (unsigned char)(bits >> (6 - i % 4 * 2));
    }
    if (len % 4 != 0)
        return -1 - (ptrdiff_t)len;
    /* what the last digit says beyond the last byte must be nothing */
    if (digits % 4 && bits & (digits % 4 == 2 ? 15u : 3u))
        return -(ptrdiff_t)digits;
    return (ptrdiff_t)n;
}
