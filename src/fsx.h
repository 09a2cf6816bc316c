/* fsx.h - blocking file operations, each one call on a thread of its own.
 *
 * Paths are bytes as the kernel takes them. Every function returns 0 or a
 * negative errno. `stop`, where there is one, may be NULL; once it is not 0 the
 * function ends with -ECANCELED and leaves nothing half done behind. */
#ifndef FSX_H
#define FSX_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct fsx_stat {
    char type;     /* 'f' file, 'd' folder, 'l' link, 'o' other */
    uint64_t size; /* bytes */
    uint64_t id;   /* the inode: changes when a file is replaced */
    int64_t mtime; /* nanoseconds since 1970 */
    unsigned mode; /* permission bits */
};

struct fsx_entry {
    char *name;
    struct fsx_stat st; /* only `type` unless details were asked for */
};

struct fsx_list {
    struct fsx_entry *entries; /* sorted by the bytes of the name */
    size_t n;
};

/* The whole file in a buffer that the caller frees, also when it is empty.
 * -EFBIG when it has more than `max` bytes. */
int fsx_read(const char *path, size_t max, const atomic_int *stop, char **data,
             size_t *len);

/* Replace the file by `len` bytes: PATH.part, fsync, rename, fsync of the
 * folder. A reader sees the old file or the new one, never a part; two writers
 * of the same path take turns. */
int fsx_write(const char *path, const char *data, size_t len);

/* Make the folder and those above it; fine if it is there already. */
int fsx_mkdir(const char *path);

/* `details` follows links and fills in the whole `st`. */
int fsx_list(const char *path, int details, struct fsx_list *list);
void fsx_list_fini(struct fsx_list *list);

/* Follows links. */
int fsx_stat(const char *path, struct fsx_stat *st);

/* A file, a link, an empty folder; with `recursive` a folder and all in it.
 * Links are removed, never followed. */
int fsx_remove(const char *path, int recursive);

/* Over an existing file too. Between file systems it copies and removes. */
int fsx_rename(const char *from, const char *to, const atomic_int *stop);

/* Copy a file with its permission bits, as atomically as fsx_write. */
int fsx_copy(const char *from, const char *to, const atomic_int *stop);

/* Make an empty folder that only we may enter; `*path` is the caller's. */
int fsx_tempdir(const char *under, char **path);

/* Make the file if it is not there, lock it without waiting, and write `text`
 * into it. *fd is then the caller's, for fsx_unlock(); a process that ends,
 * however it ends, lets go as well. Children do not inherit it.
 * -EWOULDBLOCK: it is held, by us or another; *holder is then the text in it,
 * the caller's to free, or NULL. -ENOTSUP: this file system has no locks. */
int fsx_lock(const char *path, const char *text, size_t len, int *fd,
             char **holder);

/* Empty the file and let go. It is not removed: another may be opening it. */
void fsx_unlock(int fd);

/* Whether the open file still has this name. */
int fsx_same_file(int fd, const char *path);

#endif
