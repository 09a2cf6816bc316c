/* db_file.c - the files of a database: how the main one is opened, what lies
 * beside it. Everything here is on the thread. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "db_impl.h"

int64_t db_file_size(const struct db *db, const char *suffix)
{
    struct stat st;
    char real[PATH_MAX], name[PATH_MAX + 8];
    /* SQLite puts its files beside the one that a link leads to */
    const char *path = realpath(db->path, real) ? real : db->path;
    int len = snprintf(name, sizeof name, "%s%s", path, suffix);
    if (len >= (int)sizeof name)
        return -1; /* such a path cannot be opened */
    if (stat(name, &st) == 0)
        return st.st_size;
    return errno == ENOENT ? -1 : 0;
}

static int open_name(struct db *db, const char *name, int flags)
{
    int rc = sqlite.sqlite3_open_v2(
        name, &db->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        NULL);
    if (rc == SQLITE_OK)
        sqlite.sqlite3_busy_timeout(db->handle, db->busy);
    return rc;
}

int db_file_open(struct db *db)
{
    static const int flags[] = {
        [DB_EXISTING] = SQLITE_OPEN_READWRITE,
        [DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
        [DB_READONLY] = SQLITE_OPEN_READONLY,
    };
    /* "./" because ":memory:" and "file:" mean something else to SQLite */
    size_t size = strlen(db->path) + 3;
    char *name = malloc(size);
    if (!name)
        return SQLITE_NOMEM;
    snprintf(name, size, "%s%s", db->path[0] == '/' ? "" : "./", db->path);
    int rc = open_name(db, name, flags[db->mode]);
    free(name);
    return rc;
}

/* ---- for reading only ---- */

static int look(struct db *db)
{
    return sqlite.sqlite3_exec(db->handle,
                               "PRAGMA temp_store=MEMORY;"
                               "PRAGMA trusted_schema=OFF;"
                               "SELECT 1 FROM sqlite_schema LIMIT 1;",
                               NULL, NULL, NULL);
}

/* By a URI that says so. */
int db_file_open_unchanging(struct db *db)
{
    static const char tail[] = "?immutable=1";
    size_t size = sizeof "file:./" + 3 * strlen(db->path) + sizeof tail;
    char *uri = malloc(size), *to = uri;
    if (!uri)
        return SQLITE_NOMEM;
    char *end = uri + size;
    to += snprintf(to, size, "file:%s", db->path[0] == '/' ? "" : "./");
    for (const char *at = db->path; *at; at++)
        to += snprintf(to, (size_t)(end - to),
                       strchr("%?#", *at) ? "%%%02X" : "%c", *at);
    memcpy(to, tail, sizeof tail);
    int rc = open_name(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    free(uri);
    return rc;
}

/* In a folder that cannot be written, SQLite cannot make the shared memory of a
 * WAL file. Where there is no WAL, the file is whole without it. */
int db_file_open_reader(struct db *db)
{
    int rc = db_file_open(db);
    if (rc == SQLITE_OK)
        rc = look(db);
    int kind = rc & 0xff;
    if ((kind != SQLITE_CANTOPEN && kind != SQLITE_READONLY) ||
        db_file_size(db, "-wal") >= 0)
        return rc;
    sqlite.sqlite3_close(db->handle);
    rc = db_file_open_unchanging(db);
    return rc == SQLITE_OK ? look(db) : rc;
}
