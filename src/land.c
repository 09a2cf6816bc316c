/* land.c - from PATH.part to PATH, safe against a crash at any point. */
#include "fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crash.h"

void land_failed(struct download_result *r, int error, const char *verb,
                 const char *path)
{
    static const struct {
        int error;
        const char *code;
    } codes[] = {{ENOSPC, "no_space"},   {EDQUOT, "no_space"},
                 {EACCES, "denied"},     {EPERM, "denied"},
                 {EROFS, "denied"},      {ENOENT, "not_found"},
                 {ENOTDIR, "not_found"}, {EFBIG, "too_large"},
                 {EMFILE, "busy"},       {ENFILE, "busy"}};
    r->code = "io";
    r->transient = false;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].error == error)
            r->code = codes[i].code;
    snprintf(r->why, sizeof r->why, "cannot %s %.300s: %s", verb, path,
             strerror(error));
}

static int sync_folder(const char *path)
{
    char dir[4096];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof dir)
        return ENAMETOOLONG;
    memcpy(dir, path, n);
    dir[n] = '\0';
    const char *name = !slash ? "." : n == 0 ? "/" : dir;
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int e = fsync(fd) < 0 ? errno : 0;
    close(fd);
    return e == EINVAL ? 0 : e; /* some file systems cannot, and need not */
}

static int settle(struct fetch *f)
{
    crash_point("download.written");
    int e = fsync(f->fd) < 0 ? errno : 0;
    crash_point("download.synced");
    struct stat st;
    if (!e && fstat(f->fd, &st) == 0)
        f->result->mtime =
            st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
    if (close(f->fd) < 0 && !e && errno != EINTR)
        e = errno;
    f->fd = -1;
    if (!e && rename(f->part, f->d->path) < 0)
        e = errno;
    if (e)
        unlink(f->part);
    crash_point("download.renamed");
    return e;
}

static bool same_folder(const char *a, const char *b)
{
    const char *x = strrchr(a, '/'), *y = strrchr(b, '/');
    size_t n = x ? (size_t)(x - a) + 1 : 0, m = y ? (size_t)(y - b) + 1 : 0;
    return n == m && memcmp(a, b, n) == 0;
}

void land(struct fetches *list)
{
    struct fetch *f, *last = NULL;
    TAILQ_FOREACH(f, list,
                  link) /* all begin to write before one is waited for */
    sync_file_range(f->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    TAILQ_FOREACH(f, list, link)
    {
        int e = settle(f);
        if (e)
            land_failed(f->result, e, "write", f->d->path);
    }
    TAILQ_FOREACH(f, list, link)
    {
        if (f->result->code || (last && same_folder(last->d->path, f->d->path)))
            continue;
        int e = sync_folder(f->d->path);
        if (e)
            land_failed(f->result, e, "write", f->d->path);
        last = f;
    }
}
