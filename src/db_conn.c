/* db_conn.c - owns the connection to SQLite: how it is opened, its prepared
 * statements, how one is executed. Everything here is on the thread. */
#include "db_impl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS_MAX (64 << 20) /* bytes of one answer */
#define LOOK_EVERY 10000    /* instructions of SQLite between two looks */
#define RETRY_AFTER 10000   /* us */

/* ---- statements ---- */

static bool is_blank(char c)
{
    return c != '\0' && strchr(" \t\r\n;", c);
}

static const char *skip_blanks(const char *s, const char *end)
{
    while (s < end && is_blank(*s))
        s++;
    return s;
}

/* SQLite keeps a statement's text without what may stand behind it. */
static void trim(struct db_value *sql)
{
    while (sql->n > 0 && is_blank(sql->s[sql->n - 1]))
        sql->n--;
}

/* The text must be one statement. */
static sqlite3_stmt *prepare(struct db *db, const struct db_value *sql,
                             unsigned flags, struct db_error **error)
{
    sqlite3_stmt *stmt = NULL;
    const char *rest = NULL;
    if (sql->n >= INT_MAX) {
        *error = db_error_new("too_large", false,
                              "a statement for \"%s\" has %zu bytes", db->path,
                              sql->n);
        return NULL;
    }
    int rc = sqlite.sqlite3_prepare_v3(db->handle, sql->s, (int)sql->n, flags,
                                       &stmt, &rest);
    if (rc != SQLITE_OK) {
        *error = db_error_sqlite(db, "cannot prepare a statement for", rc);
        return NULL;
    }
    const char *end = sql->s + sql->n;
    if (stmt && skip_blanks(rest, end) == end)
        return stmt;
    *error = db_error_new(
        "invalid", false, "cannot prepare a statement for \"%s\": %s", db->path,
        stmt ? "there is more than one in the text, or something follows it; "
               "give each of them on its own"
             : "there is none in the text");
    sqlite.sqlite3_finalize(stmt);
    return NULL;
}

static bool same_text(const struct db_statement *s, const struct db_value *sql)
{
    return s->len == sql->n &&
           memcmp(sqlite.sqlite3_sql(s->stmt), sql->s, sql->n) == 0;
}

/* A free place, or that of the one that was not used for longest. */
static struct db_statement *place(struct db *db)
{
    if (db->n_kept < STATEMENTS_KEPT)
        return &db->kept[db->n_kept++];
    struct db_statement *oldest = &db->kept[0];
    for (int i = 1; i < db->n_kept; i++)
        if (db->kept[i].used < oldest->used)
            oldest = &db->kept[i];
    sqlite.sqlite3_finalize(oldest->stmt);
    return oldest;
}

/* The connection owns it. */
static sqlite3_stmt *statement(struct db *db, const struct db_value *sql,
                               struct db_error **error)
{
    for (int i = 0; i < db->n_kept; i++) {
        if (same_text(&db->kept[i], sql)) {
            db->kept[i].used = ++db->tick;
            return db->kept[i].stmt;
        }
    }
    sqlite3_stmt *stmt = prepare(db, sql, SQLITE_PREPARE_PERSISTENT, error);
    if (stmt)
        *place(db) = (struct db_statement){stmt, sql->n, ++db->tick};
    return stmt;
}

/* The texts stay the caller's until the statement is reset. */
static int bind_one(sqlite3_stmt *stmt, int i, const struct db_value *v)
{
    switch (v->type) {
    case DB_INTEGER:
        return sqlite.sqlite3_bind_int64(stmt, i, v->i);
    case DB_REAL:
        return sqlite.sqlite3_bind_double(stmt, i, v->d);
    case DB_TEXT:
        return sqlite.sqlite3_bind_text64(stmt, i, v->s, v->n, SQLITE_STATIC,
                                          SQLITE_UTF8);
    default:
        return sqlite.sqlite3_bind_null(stmt, i);
    }
}

/* Read the next statement of a job with its values: ready to be stepped. */
static sqlite3_stmt *next_statement(struct db *db, const char **at,
                                    struct db_error **error)
{
    struct db_value v;
    uint32_t n;
    *at = db_get(*at, &v);
    trim(&v);
    sqlite3_stmt *stmt = statement(db, &v, error);
    if (!stmt)
        return NULL;
    *at = db_get_count(*at, &n);
    int wanted = sqlite.sqlite3_bind_parameter_count(stmt);
    if ((uint32_t)wanted != n) {
        *error = db_error_new("invalid", false,
                              "a statement for \"%s\" takes %d values and was "
                              "given %u: %.200s",
                              db->path, wanted, n, sqlite.sqlite3_sql(stmt));
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        *at = db_get(*at, &v);
        int rc = bind_one(stmt, (int)i + 1, &v);
        if (rc != SQLITE_OK) {
            *error = db_error_sqlite(db, "cannot pass a value to", rc);
            return NULL;
        }
    }
    return stmt;
}

/* A deferred foreign key that is still open would fail the commit, and with it
 * what others have written: it has to be closed within the write. */
static int check_deferred(struct db *db, struct db_job *job)
{
    int open = 0, most = 0;
    sqlite.sqlite3_db_status(db->handle, SQLITE_DBSTATUS_DEFERRED_FKS, &open,
                             &most, 0);
    if (!open)
        return SQLITE_OK;
    job->error = db_error_new("invalid", false,
                              "cannot write to \"%s\": FOREIGN KEY constraint "
                              "failed",
                              db->path);
    db_error_set_rc(job->error, SQLITE_CONSTRAINT_FOREIGNKEY);
    return SQLITE_CONSTRAINT_FOREIGNKEY;
}

int db_conn_write(struct db *db, struct db_job *job)
{
    const char *at = job->data, *end = at + job->len;
    while (at < end) {
        sqlite3_stmt *stmt = next_statement(db, &at, &job->error);
        if (!stmt)
            return job->error->rc ? job->error->rc : SQLITE_ERROR;
        int rc;
        do
            rc = sqlite.sqlite3_step(stmt);
        while (rc == SQLITE_ROW);
        if (rc != SQLITE_DONE)
            job->error = db_error_sqlite(db, "cannot write to", rc);
        sqlite.sqlite3_reset(stmt);
        if (job->error)
            return rc;
        db->counted.statements++;
    }
    return check_deferred(db, job);
}

int db_conn_own(struct db *db, enum db_own which)
{
    db->ours = true; /* SQLite may have to prepare it anew */
    int rc = sqlite.sqlite3_step(db->own[which]);
    sqlite.sqlite3_reset(db->own[which]);
    db->ours = false;
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- rows ---- */

static int put_cell(struct db_buf *b, sqlite3_stmt *stmt, int i)
{
    struct db_value v = {.type = DB_TEXT};
    switch (sqlite.sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER:
        v.type = DB_INTEGER;
        v.i = sqlite.sqlite3_column_int64(stmt, i);
        break;
    case SQLITE_FLOAT:
        v.type = DB_REAL;
        v.d = sqlite.sqlite3_column_double(stmt, i);
        break;
    case SQLITE_NULL:
        v.type = DB_NULL;
        break;
    case SQLITE_BLOB:
        v.s = sqlite.sqlite3_column_blob(stmt, i);
        v.n = (size_t)sqlite.sqlite3_column_bytes(stmt, i);
        break;
    default:
        v.s = (const char *)sqlite.sqlite3_column_text(stmt, i);
        v.n = (size_t)sqlite.sqlite3_column_bytes(stmt, i);
        if (!v.s)
            return -1;
    }
    return db_put(b, &v);
}

static int put_names(struct db_buf *b, sqlite3_stmt *stmt, int columns)
{
    int bad = db_put_count(b, (uint32_t)columns);
    for (int i = 0; i < columns && !bad; i++) {
        struct db_value v = {.type = DB_TEXT};
        v.s = sqlite.sqlite3_column_name(stmt, i);
        v.n = v.s ? strlen(v.s) : 0;
        bad = !v.s || db_put(b, &v);
    }
    return bad;
}

static struct db_error *too_many_rows(struct db *db)
{
    return db_error_new("too_large", false,
                        "the answer of \"%s\" has more than %d bytes; ask for "
                        "less at once (LIMIT)",
                        db->path, ROWS_MAX);
}

static void collect(struct db *db, struct db_job *job, sqlite3_stmt *stmt)
{
    int columns = sqlite.sqlite3_column_count(stmt), rc;
    int bad = put_names(&job->rows, stmt, columns);
    while (!bad && (rc = sqlite.sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < columns && !bad; i++)
            bad = put_cell(&job->rows, stmt, i);
        if (job->rows.len > ROWS_MAX) {
            job->error = too_many_rows(db);
            return;
        }
    }
    if (bad)
        job->error = db_error_new("no_memory", false, "not enough memory");
    else if (rc != SQLITE_DONE)
        job->error = db_error_sqlite(db, "cannot read", rc);
}

void db_conn_rows(struct db *db, struct db_job *job)
{
    const char *at = job->data;
    sqlite3_stmt *stmt = next_statement(db, &at, &job->error);
    if (!stmt)
        return;
    if (!sqlite.sqlite3_stmt_readonly(stmt)) {
        job->error = db_error_new("invalid", false,
                                  "this statement would change \"%s\": use "
                                  "write for it",
                                  db->path);
        return;
    }
    db->reading = job;
    collect(db, job, stmt);
    db->reading = NULL;
    sqlite.sqlite3_reset(stmt);
}

/* ---- opening and closing ---- */

static int on_progress(void *arg)
{
    struct db *db = arg;
    return db->reading && atomic_load(&db->reading->stop);
}

/* A transaction is the engine's, and a second file would not be in it. */
static int on_authorize(void *arg, int action, const char *a, const char *b,
                        const char *c, const char *d)
{
    struct db *db = arg;
    (void)a, (void)b, (void)c, (void)d;
    bool denied = action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT ||
                  action == SQLITE_ATTACH || action == SQLITE_DETACH;
    return denied && !db->ours ? SQLITE_DENY : SQLITE_OK;
}

static int on_mode(void *arg, int n, char **values, char **names)
{
    (void)names;
    *(bool *)arg = n == 1 && values[0] && strcmp(values[0], "wal") == 0;
    return 0;
}

/* Two programs that make the file at once: SQLite does not wait then. */
static int set_wal(struct db *db, bool *wal)
{
    int rc;
    int64_t left = (int64_t)db->busy * 1000; /* us */
    for (;;) {
        rc = sqlite.sqlite3_exec(db->handle, "PRAGMA journal_mode=WAL", on_mode,
                                 wal, NULL);
        if ((rc & 0xff) != SQLITE_BUSY || left <= 0)
            return rc;
        usleep(RETRY_AFTER);
        left -= RETRY_AFTER;
    }
}

static int set_up(struct db *db, bool *wal)
{
    int rc = set_wal(db, wal);
    if (rc != SQLITE_OK || !*wal)
        return rc;
    return sqlite.sqlite3_exec(db->handle,
                               "PRAGMA synchronous=FULL;"
                               "PRAGMA foreign_keys=ON;"
                               "PRAGMA wal_autocheckpoint=4000;"
                               "PRAGMA temp_store=MEMORY;"
                               "PRAGMA trusted_schema=OFF;"
                               "SELECT 1 FROM sqlite_schema LIMIT 1;",
                               NULL, NULL, NULL);
}

static int prepare_own(struct db *db)
{
    static const char *const texts[OWN_COUNT] = {
        [OWN_BEGIN] = "BEGIN IMMEDIATE",
        [OWN_COMMIT] = "COMMIT",
        [OWN_ROLLBACK] = "ROLLBACK",
        [OWN_SAVEPOINT] = "SAVEPOINT one",
        [OWN_ROLLBACK_TO] = "ROLLBACK TO one",
        [OWN_RELEASE] = "RELEASE one",
    };
    int rc = SQLITE_OK;
    for (int i = 0; i < OWN_COUNT && rc == SQLITE_OK; i++)
        rc = sqlite.sqlite3_prepare_v3(db->handle, texts[i], -1,
                                       SQLITE_PREPARE_PERSISTENT, &db->own[i],
                                       NULL);
    return rc;
}

static void guard(struct db *db)
{
    sqlite.sqlite3_set_authorizer(db->handle, on_authorize, db);
    sqlite.sqlite3_progress_handler(db->handle, LOOK_EVERY, on_progress, db);
}

static int open_writer(struct db *db, bool *wal)
{
    int rc = db_file_open(db);
    if (rc == SQLITE_OK && sqlite.sqlite3_db_readonly(db->handle, "main") == 1)
        rc = SQLITE_READONLY;
    if (rc == SQLITE_OK)
        rc = set_up(db, wal);
    return rc == SQLITE_OK && *wal ? prepare_own(db) : rc;
}

void db_conn_open(struct db *db, struct db_job *job)
{
    bool wal = true;
    job->error = db_tail_look(db);
    if (job->error)
        return;
    int rc = db->mode == DB_READONLY ? db_file_open_reader(db)
                                     : open_writer(db, &wal);
    if (rc != SQLITE_OK) {
        job->error = db_error_sqlite(db, "cannot open", rc);
        return;
    }
    if (!wal) {
        job->error = db_error_new("unsupported", false,
                                  "cannot open \"%s\": its file system has no "
                                  "shared memory, as network disks have not; "
                                  "put it on a local disk",
                                  db->path);
        return;
    }
    guard(db);
}

void db_conn_close(struct db *db)
{
    db_tail_close(db);
    for (int i = 0; i < OWN_COUNT; i++)
        sqlite.sqlite3_finalize(db->own[i]);
    for (int i = 0; i < db->n_kept; i++)
        sqlite.sqlite3_finalize(db->kept[i].stmt);
    db->n_kept = 0;
    sqlite.sqlite3_close(db->handle);
    db->handle = NULL;
}
