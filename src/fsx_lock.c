/* fsx_lock.c - owns lock files. flock() belongs to the open file, not to the
 * process, so two in one process exclude each other as well. */
#include "fsx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define HOLDER_MAX 4096 /* bytes */

static char *read_holder(int fd)
{
    char *text = malloc(HOLDER_MAX + 1);
    ssize_t n = text ? pread(fd, text, HOLDER_MAX, 0) : -1;
    if (n < 0) {
        free(text);
        return NULL;
    }
    text[n] = '\0';
    return text;
}

static int take(int fd)
{
    int r;
    do
        r = flock(fd, LOCK_EX | LOCK_NB);
    while (r < 0 && errno == EINTR);
    if (r == 0)
        return 0;
    return errno == EOPNOTSUPP || errno == ENOLCK ? -ENOTSUP : -errno;
}

static int write_text(int fd, const char *text, size_t len)
{
    if (ftruncate(fd, 0) < 0)
        return -errno;
    ssize_t n = pwrite(fd, text, len, 0);
    if (n < 0)
        return -errno;
    return (size_t)n == len ? 0 : -ENOSPC;
}

int fsx_lock(const char *path, const char *text, size_t len, int *fd,
             char **holder)
{
    int status;
    for (;;) { /* somebody may have removed the file that is locked */
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (*fd < 0)
            return -errno;
        status = take(*fd);
        if (status < 0 || fsx_same_file(*fd, path))
            break;
        close(*fd);
    }
    if (status == -EWOULDBLOCK)
        *holder = read_holder(*fd);
    else if (status == 0)
        status = write_text(*fd, text, len);
    if (status < 0) {
        close(*fd);
        *fd = -1;
    }
    return status;
}

void fsx_unlock(int fd)
{
    int status = ftruncate(fd, 0);
    (void)status; /* then the text stays, and says nothing about a free lock */
    close(fd);
}
