/* db_error.c - owns the way from SQLite's result codes to our errors. */
#include "db_impl.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 1024 /* bytes of a sentence */

/* When there is no memory for another one; shared, never freed. */
static struct db_error no_memory = {
    .rc = SQLITE_NOMEM, .code = "no_memory", .text = {"not enough memory"}};

struct db_error *db_error_new(const char *code, bool retryable, const char *fmt,
                              ...)
{
    struct db_error *e = malloc(sizeof *e + TEXT_MAX);
    if (!e)
        return &no_memory;
    e->rc = 0;
    e->code = code;
    e->retryable = retryable;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, TEXT_MAX, fmt, ap);
    va_end(ap);
    return e;
}

void db_error_set_rc(struct db_error *e, int rc)
{
    if (e != &no_memory)
        e->rc = rc;
}

struct db_error *db_error_copy(const struct db_error *e)
{
    struct db_error *copy = db_error_new(e->code, e->retryable, "%s", e->text);
    db_error_set_rc(copy, e->rc);
    return copy;
}

void db_error_free(struct db_error *e)
{
    if (e != &no_memory)
        free(e);
}

struct reason {
    const char *code;
    bool retryable;
    const char *text;
};

static struct reason of_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return (struct reason){"not_found", false,
                               "there is no such file or folder; check the "
                               "name, and that the folder exists"};
    case EACCES:
    case EPERM:
        return (struct reason){"denied", false,
                               "permission denied; check who owns the file and "
                               "its folder, and their modes"};
    case EROFS:
        return (struct reason){"denied", false,
                               "the file system is mounted read-only"};
    case EISDIR:
        return (struct reason){"invalid", false, "it is a folder, not a file"};
    case ENOSPC:
    case EDQUOT:
        return (struct reason){"no_space", false,
                               "the disk is full (or your quota is); free some "
                               "space and try again, what was there before is "
                               "untouched"};
    case EMFILE:
    case ENFILE:
        return (struct reason){"busy", true,
                               "too many files are open at once; raise the "
                               "limit (ulimit -n)"};
    default:
        return (struct reason){"io", false, error ? strerror(error) : NULL};
    }
}

/* SQLite's own text has the names of the table and the columns. */
static struct reason of_constraint(int rc)
{
    bool there = rc == SQLITE_CONSTRAINT_UNIQUE ||
                 rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
                 rc == SQLITE_CONSTRAINT_ROWID;
    return (struct reason){there ? "exists" : "invalid", false, NULL};
}

/* Why the system does not let us write the file or the two beside it. SQLite
 * tries again to read only, and what it then reports is the second failure. */
static int refusal(const struct db *db, int otherwise)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(db->path, '/');
    snprintf(folder, sizeof folder, "%.*s",
             slash ? (int)(slash - db->path) + 1 : 1, slash ? db->path : ".");
    bool missing = access(db->path, W_OK) < 0 && errno == ENOENT;
    if (missing && db->mode != DB_CREATE)
        return ENOENT;
    if ((missing || access(db->path, W_OK) == 0) && access(folder, W_OK) == 0)
        return otherwise;
    return errno;
}

static struct reason of_result(struct db *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return of_errno(ENOSPC);
    case SQLITE_READONLY:
        return of_errno(refusal(db, EACCES));
    case SQLITE_CANTOPEN:
        if (rc == SQLITE_CANTOPEN_ISDIR)
            return of_errno(EISDIR);
        return of_errno(refusal(db, sqlite.sqlite3_system_errno(db->handle)));
    case SQLITE_IOERR:
        if (rc == SQLITE_IOERR_NOMEM)
            return (struct reason){"no_memory", false, NULL};
        return of_errno(sqlite.sqlite3_system_errno(db->handle));
    case SQLITE_BUSY:
    case SQLITE_PROTOCOL:
        return (struct reason){"busy", true,
                               "another program keeps it locked; end that one "
                               "or wait for it, and try again"};
    case SQLITE_LOCKED: /* such as PRAGMA wal_checkpoint */
        return (struct reason){"invalid", false,
                               "this statement cannot be executed within a "
                               "transaction, and every write is one"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return (struct reason){"damaged", false,
                               "the file is damaged, or it is no SQLite "
                               "database; nothing was changed: put a good copy "
                               "in its place, or save what can be read with "
                               "'sqlite3 FILE .recover'"};
    case SQLITE_NOMEM:
        return (struct reason){"no_memory", false, "not enough memory"};
    case SQLITE_TOOBIG:
        return (struct reason){"too_large", false, NULL};
    case SQLITE_INTERRUPT:
        return (struct reason){"cancelled", false, "it was called off"};
    case SQLITE_CONSTRAINT:
        return of_constraint(rc);
    default:
        return (struct reason){"invalid", false, NULL};
    }
}

struct db_error *db_error_sqlite(struct db *db, const char *what, int rc)
{
    struct reason r = of_result(db, rc);
    const char *text = r.text ? r.text : sqlite.sqlite3_errmsg(db->handle);
    struct db_error *e = db_error_new(r.code, r.retryable, "%s \"%s\": %s",
                                      what, db->path, text);
    db_error_set_rc(e, rc);
    return e;
}
