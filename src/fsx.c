/* fsx.c - owns the system calls on files: what is atomic, what is flushed. */
#include "fsx.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crash.h"

#define PIECE (256 * 1024)
#define LIST_MAX 1000000

static int stopped(const atomic_int *stop)
{
    return stop && atomic_load(stop);
}

/* ---- reading ---- */

static ssize_t read_some(int fd, char *buf, size_t n)
{
    ssize_t got;
    do
        got = read(fd, buf, n < PIECE ? n : PIECE);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

/* Read to the end into *data, which may move and is the caller's either way. */
static int read_rest(int fd, size_t max, const atomic_int *stop, char **data,
                     size_t room, size_t *len)
{
    size_t n = 0;
    while (!stopped(stop)) {
        ssize_t got = read_some(fd, *data + n, room - n);
        if (got <= 0) {
            *len = n;
            return (int)got;
        }
        n += (size_t)got;
        if (n > max)
            return -EFBIG;
        if (n == room) {
            char *more = realloc(*data, room * 2);
            if (!more)
                return -ENOMEM;
            *data = more;
            room *= 2;
        }
    }
    return -ECANCELED;
}

static int read_fd(int fd, size_t max, const atomic_int *stop, char **data,
                   size_t *len)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (st.st_size > 0 && (uint64_t)st.st_size > max)
        return -EFBIG;
    /* One byte more than the size, so that the end shows without growing. */
    size_t room = st.st_size > 0 ? (size_t)st.st_size + 1 : PIECE;
    char *buf = malloc(room);
    int status = buf ? read_rest(fd, max, stop, &buf, room, len) : -ENOMEM;
    if (status < 0)
        free(buf);
    else
        *data = buf;
    return status;
}

int fsx_read(const char *path, size_t max, const atomic_int *stop, char **data,
             size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = read_fd(fd, max, stop, data, len);
    close(fd);
    return status;
}

/* ---- writing ---- */

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len < PIECE ? len : PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Flush the folder, so that a rename in it survives a power cut. Some file
 * systems cannot flush folders; then there is nothing to be done. */
static void sync_folder_of(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof dir)
        return;
    memcpy(dir, path, n);
    dir[n] = 0;
    int fd = open(n       ? dir
                  : slash ? "/"
                          : ".",
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

int fsx_same_file(int fd, const char *path)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

/* Open PATH.part for this writer alone. Whoever waited for the lock may hold
 * a file that has been renamed meanwhile, and tries again. */
static int open_part(const char *part, mode_t mode)
{
    for (;;) {
        int fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
            return -errno;
        /* a file system without locks: writers are then alone by agreement */
        if (flock(fd, LOCK_EX) < 0 && errno == EINTR) {
            close(fd);
            continue;
        }
        if (!fsx_same_file(fd, part)) {
            close(fd);
            continue;
        }
        if (ftruncate(fd, 0) < 0) {
            int e = errno;
            close(fd);
            return -e;
        }
        return fd;
    }
}

/* The bytes are in the file: flush, give it its name, let the lock go. */
static int commit_part(int fd, int status, const char *part, const char *path)
{
    if (status == 0 && fsync(fd) < 0)
        status = -errno;
    crash_point("fs.write.synced");
    if (status == 0 && rename(part, path) < 0)
        status = -errno;
    crash_point("fs.write.renamed");
    if (status < 0)
        unlink(part);
    close(fd);
    if (status == 0)
        sync_folder_of(path);
    return status;
}

static int part_name(const char *path, char part[PATH_MAX])
{
    int n = snprintf(part, PATH_MAX, "%s.part", path);
    return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int fsx_write(const char *path, const char *data, size_t len)
{
    char part[PATH_MAX];
    struct stat old;
    int kept = stat(path, &old) == 0;
    if (kept && S_ISDIR(old.st_mode))
        return -EISDIR;
    int status = part_name(path, part);
    if (status < 0)
        return status;
    int fd = open_part(part, 0666);
    if (fd < 0)
        return fd;
    if (kept)
        (void)!fchmod(fd, old.st_mode & 07777);
    return commit_part(fd, write_all(fd, data, len), part, path);
}

static int copy_bytes(int in, int out, const atomic_int *stop)
{
    char *buf = malloc(PIECE);
    int status = buf ? 0 : -ENOMEM;
    while (status == 0) {
        ssize_t n = read_some(in, buf, PIECE);
        if (n <= 0) {
            status = (int)n;
            break;
        }
        status = stopped(stop) ? -ECANCELED : write_all(out, buf, (size_t)n);
    }
    free(buf);
    return status;
}

int fsx_copy(const char *from, const char *to, const atomic_int *stop)
{
    char part[PATH_MAX];
    struct stat st, old;
    int status = part_name(to, part);
    if (status < 0)
        return status;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return -errno;
    if (fstat(in, &st) < 0 || S_ISDIR(st.st_mode)) {
        close(in);
        return -EISDIR;
    }
    if (stat(to, &old) == 0 && S_ISDIR(old.st_mode)) {
        close(in);
        return -EISDIR;
    }
    int out = open_part(part, st.st_mode & 0777);
    if (out >= 0)
        status = commit_part(out, copy_bytes(in, out, stop), part, to);
    close(in);
    return out < 0 ? out : status;
}

int fsx_rename(const char *from, const char *to, const atomic_int *stop)
{
    if (rename(from, to) == 0) {
        sync_folder_of(to);
        return 0;
    }
    if (errno != EXDEV)
        return -errno;
    int status = fsx_copy(from, to, stop);
    if (status == 0 && unlink(from) < 0)
        status = -errno;
    return status;
}

/* ---- folders ---- */

static int make_one(const char *path)
{
    struct stat st;
    if (mkdir(path, 0777) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -EEXIST;
}

int fsx_mkdir(const char *path)
{
    char p[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof p)
        return -ENAMETOOLONG;
    memcpy(p, path, n + 1);
    for (size_t i = 1; i < n; i++) {
        if (p[i] != '/')
            continue;
        p[i] = 0;
        int status = make_one(p);
        if (status < 0)
            return status;
        p[i] = '/';
    }
    return make_one(p);
}

int fsx_tempdir(const char *under, char **path)
{
    size_t n = strlen(under) + sizeof "/rushes-XXXXXX";
    char *p = malloc(n);
    if (!p)
        return -ENOMEM;
    snprintf(p, n, "%s/rushes-XXXXXX", under);
    if (!mkdtemp(p)) {
        int e = errno;
        free(p);
        return -e;
    }
    *path = p;
    return 0;
}

/* ---- looking ---- */

static char type_of(mode_t mode)
{
    if (S_ISREG(mode))
        return 'f';
    if (S_ISDIR(mode))
        return 'd';
    return S_ISLNK(mode) ? 'l' : 'o';
}

static void take_stat(struct fsx_stat *to, const struct stat *st)
{
    to->type = type_of(st->st_mode);
    to->size = (uint64_t)st->st_size;
    to->id = (uint64_t)st->st_ino;
    to->mtime = st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec;
    to->mode = st->st_mode & 07777;
}

int fsx_stat(const char *path, struct fsx_stat *st)
{
    struct stat s;
    if (stat(path, &s) < 0)
        return -errno;
    take_stat(st, &s);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct fsx_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

void fsx_list_fini(struct fsx_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->entries[i].name);
    free(list->entries);
    list->entries = NULL;
    list->n = 0;
}

static int entry_type(DIR *dir, const struct dirent *d, struct fsx_stat *st)
{
    struct stat s;
    if (d->d_type == DT_UNKNOWN) {
        if (fstatat(dirfd(dir), d->d_name, &s, AT_SYMLINK_NOFOLLOW) < 0)
            return -errno;
        st->type = type_of(s.st_mode);
    } else {
        st->type = type_of(DTTOIF(d->d_type));
    }
    return 0;
}

static int entry_details(DIR *dir, const struct dirent *d, struct fsx_stat *st)
{
    struct stat s;
    if (fstatat(dirfd(dir), d->d_name, &s, 0) < 0)
        return -errno;
    take_stat(st, &s);
    return 0;
}

static int list_add(struct fsx_list *list, size_t *room, const char *name,
                    const struct fsx_stat *st)
{
    if (list->n == LIST_MAX)
        return -E2BIG;
    if (list->n == *room) {
        size_t more = *room ? *room * 2 : 64;
        void *p = realloc(list->entries, more * sizeof *list->entries);
        if (!p)
            return -ENOMEM;
        list->entries = p;
        *room = more;
    }
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    list->entries[list->n++] = (struct fsx_entry){copy, *st};
    return 0;
}

int fsx_list(const char *path, int details, struct fsx_list *list)
{
    DIR *dir = opendir(path);
    if (!dir)
        return -errno;
    size_t room = 0;
    int status = 0;
    const struct dirent *d;
    while (status == 0 && (errno = 0, d = readdir(dir))) {
        struct fsx_stat st = {0};
        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
            continue;
        status = details ? entry_details(dir, d, &st) : entry_type(dir, d, &st);
        if (status == 0)
            status = list_add(list, &room, d->d_name, &st);
        else if (status == -ENOENT || status == -ELOOP || status == -EACCES)
            status = 0; /* gone meanwhile, or a link that leads nowhere */
    }
    if (status == 0)
        status = -errno; /* of readdir; 0 at the end */
    closedir(dir);
    if (status < 0)
        fsx_list_fini(list);
    else if (list->n)
        qsort(list->entries, list->n, sizeof *list->entries, by_name);
    return status;
}

/* ---- removing ---- */

static int remove_at(int dirfd, const char *name);

static int empty_at(int parent, const char *name)
{
    int fd =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        int e = errno;
        if (fd >= 0)
            close(fd);
        return -e;
    }
    int status = 0;
    const struct dirent *d;
    while (status == 0 && (errno = 0, d = readdir(dir)))
        if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
            status = remove_at(fd, d->d_name);
    if (status == 0)
        status = -errno;
    closedir(dir);
    return status;
}

static int remove_at(int dirfd, const char *name)
{
    if (unlinkat(dirfd, name, 0) == 0)
        return 0;
    if (errno != EISDIR)
        return -errno;
    int status = empty_at(dirfd, name);
    if (status == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
        status = -errno;
    return status;
}

int fsx_remove(const char *path, int recursive)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return -errno;
    if (!S_ISDIR(st.st_mode))
        return unlink(path) < 0 ? -errno : 0;
    if (recursive)
        return remove_at(AT_FDCWD, path);
    return rmdir(path) < 0 ? -errno : 0;
}
