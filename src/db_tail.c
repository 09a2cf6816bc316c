/* db_tail.c - notices that the end of a database has been lost.
 *
 * What was written last stands in the -wal file alone, until a checkpoint
 * brings it over. If that file is deleted or left behind by a copy, SQLite
 * takes what the main file holds for everything. So a database that is guarded
 * carries a mark: its main file says PART while there may be a -wal with more,
 * the last transaction in the -wal says WHOLE again. Whoever brings all of it
 * over, be it the last close or another program, brings that with it.
 *
 * No write pays for it: marks are written where a checkpoint is made. */
#include "crash.h"
#include "db_impl.h"

#include <stdlib.h>
#include <string.h>

/* In place of the database's application_id: "RUSH" and "RUSh". */
#define WHOLE "1381323592"
#define PART "1381323624"

#define WAL_HEADER 32  /* bytes; no more than them is a -wal without content */
#define WAL_PAGES 4000 /* in the -wal: time for a checkpoint */
#define STEP 200       /* pages until it is tried once more */

static int on_id(void *arg, int n, char **values, char **names)
{
    (void)names;
    *(bool *)arg = n == 1 && values[0] && strcmp(values[0], PART) == 0;
    return 0;
}

/* What the main file says, whatever else there is. */
static bool says_part(struct db *db)
{
    bool part = false;
    if (db_file_open_unchanging(db) == SQLITE_OK)
        sqlite.sqlite3_exec(db->handle, "PRAGMA application_id", on_id, &part,
                            NULL);
    sqlite.sqlite3_close(db->handle);
    db->handle = NULL;
    return part;
}

static bool has_wal(const struct db *db)
{
    return db_file_size(db, "-wal") > WAL_HEADER;
}

struct db_error *db_tail_look(struct db *db)
{
    /* looked at twice: another program may be opening or closing it */
    if (!has_wal(db)) {
        db->tail.lost = says_part(db) && !has_wal(db);
        return NULL;
    }
    if (db_file_size(db, "") > 0)
        return NULL;
    return db_error_new(
        "damaged", false,
        "cannot open \"%s\": it is missing or empty, but what was written to "
        "it last is still there, in \"%s-wal\", which SQLite would delete; put "
        "the file back from where it was copied, or move the other away",
        db->path, db->path);
}

static int mark(struct db *db, const char *sql, bool part)
{
    int rc = sqlite.sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        db->tail.part = part;
    return rc;
}

static int mark_whole(struct db *db)
{
    return mark(db, "PRAGMA application_id=" WHOLE, false);
}

/* True if the main file has everything now. */
static bool checkpoint(struct db *db)
{
    int pages = 0, done = 0;
    int rc = sqlite.sqlite3_wal_checkpoint_v2(
        db->handle, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &done);
    return rc == SQLITE_OK && pages == done;
}

/* While readers hold it up the last mark is PART, and it is tried again. A full
 * disk that does not take the mark must not keep it from being relieved. */
static int bring_over(struct db *db)
{
    struct db_tail *t = &db->tail;
    int rc = SQLITE_OK;
    t->busy = true;
    if (!t->part)
        rc = mark(db, "PRAGMA application_id=" PART, true);
    crash_point("db.tail.part");
    bool all = checkpoint(db);
    crash_point("db.tail.checkpoint");
    if (all && t->part)
        rc = mark_whole(db);
    crash_point("db.tail.whole");
    t->next = t->pages + STEP;
    if (all && t->next < WAL_PAGES)
        t->next = WAL_PAGES;
    t->busy = false;
    return rc;
}

/* After each commit, also of a mark. */
static int on_commit(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = arg;
    (void)handle, (void)name;
    db->tail.pages = pages;
    if (!db->tail.busy && pages >= db->tail.next)
        bring_over(db);
    return SQLITE_OK; /* what was committed is */
}

void db_tail_guard(struct db *db, struct db_job *job)
{
    db->tail.guarded = true;
    sqlite.sqlite3_wal_hook(db->handle, on_commit, db);
    int rc = bring_over(db);
    if (rc != SQLITE_OK)
        job->error = db_error_sqlite(db, "cannot write to", rc);
}

void db_tail_close(struct db *db)
{
    if (!db->tail.guarded)
        return;
    bring_over(db);
    if (db->tail.part)
        mark_whole(db);
    /* SQLite does it only where nobody else has the file open */
    checkpoint(db);
    crash_point("db.tail.closed");
}
