/* floor_fetch.c - one download: NAME.part, then the name. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floor.h"

static void file_name(const struct slot *s, const struct options *o, char *out,
                      size_t cap)
{
    snprintf(out, cap, "%s/take-%06u.mp4", o->out, s->job->index);
}

bool fetch_open(struct slot *s, const struct options *o)
{
    char path[512], part[520];

    file_name(s, o, path, sizeof path);
    snprintf(part, sizeof part, "%s.part", path);
    s->fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    s->got = 0;
    if (o->sha256) {
        if (!s->hash)
            s->hash = must(EVP_MD_CTX_new());
        EVP_DigestInit_ex(s->hash, EVP_sha256(), NULL);
    }
    if (s->fd < 0)
        perror(part);
    return s->fd >= 0;
}

size_t fetch_write(char *data, size_t size, size_t n, void *user)
{
    struct slot *s = user;
    size_t len = size * n, done = 0;

    while (done < len) {
        ssize_t w = write(s->fd, data + done, len - done);
        if (w < 0)
            return 0;
        done += (size_t)w;
    }
    if (s->hash)
        EVP_DigestUpdate(s->hash, data, len);
    s->got += len;
    return len;
}

static bool folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

bool fetch_close(struct slot *s, const struct options *o, bool ok)
{
    char path[512], part[520];
    unsigned char digest[EVP_MAX_MD_SIZE];
    curl_off_t size = -1;

    if (s->fd < 0)
        return false;
    file_name(s, o, path, sizeof path);
    snprintf(part, sizeof part, "%s.part", path);
    if (s->hash)
        EVP_DigestFinal_ex(s->hash, digest, NULL);
    curl_easy_getinfo(s->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    ok = ok && (size < 0 || (uint64_t)size == s->got);
    if (ok && o->fsync)
        ok = fsync(s->fd) == 0;
    ok = close(s->fd) == 0 && ok;
    s->fd = -1;
    ok = ok && rename(part, path) == 0;
    return ok && (!o->fsync || folder_sync(o->out));
}
