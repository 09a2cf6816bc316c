/* db_group.c - owns the transaction: many writes, one commit, one fsync.
 *
 * All writes are applied as they are. If one fails, the transaction is rolled
 * back and all of it done once more with care: each write under a savepoint,
 * to which a failing one is rolled back alone. Failures are rare, and
 * savepoints cost as much as a small write. */
#include "crash.h"
#include "db_impl.h"

static void fail(struct db_job *job, struct db_error *error)
{
    job->error = error;
    job->failed = true;
}

/* Somebody waits to know whether it was written. */
static bool hears(const struct db_job *job)
{
    return job->kind == DB_WRITE || job->kind == DB_SYNC ||
           job->kind == DB_CLOSE;
}

/* What became of a DB_LATER is told to the next that waits. That one is then
 * not applied: its caller hears of a failure. */
static void take_late(struct db *db, struct db_job *job)
{
    if (!db->late || job->failed || !hears(job))
        return;
    fail(job, db->late);
    db->late = NULL;
}

static void keep_late(struct db *db, struct db_job *job)
{
    if (db->late)
        db_error_free(job->error);
    else
        db->late = job->error;
    job->error = NULL;
}

static bool is_write(const struct db_job *job)
{
    return job->kind == DB_WRITE || job->kind == DB_LATER;
}

/* Nothing of the batch is there, and all that wait are told. The others are
 * tried again. */
static void fail_all(struct db_jobs *batch, const struct db_error *why)
{
    struct db_job *job;
    TAILQ_FOREACH(job, batch, link)
    if (hears(job) && !job->failed)
        fail(job, db_error_copy(why));
}

enum outcome { APPLIED, AGAIN, LOST };

static bool in_transaction(struct db *db)
{
    return !sqlite.sqlite3_get_autocommit(db->handle);
}

/* Not even a statement of ours succeeds: what the transaction holds now is not
 * known. */
static enum outcome lose(struct db *db, int rc, struct db_error **why)
{
    *why = db_error_sqlite(db, "cannot write to", rc);
    return LOST;
}

/* A write that failed on its own: undo it alone. Some failures take the whole
 * transaction with them; if they were the statement's will (OR ROLLBACK), the
 * others are done again without it. */
static enum outcome undo(struct db *db, struct db_job *job, int rc,
                         struct db_error **why)
{
    job->failed = true;
    if (!in_transaction(db)) {
        if ((rc & 0xff) == SQLITE_CONSTRAINT)
            return AGAIN;
        *why = db_error_copy(job->error);
        return LOST;
    }
    rc = db_conn_own(db, OWN_ROLLBACK_TO);
    if (rc == SQLITE_OK)
        rc = db_conn_own(db, OWN_RELEASE);
    return rc == SQLITE_OK ? APPLIED : lose(db, rc, why);
}

/* Was it the statement's own fault? Otherwise it may succeed another time. */
static bool is_own_fault(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
    case SQLITE_MISUSE:
    case SQLITE_AUTH:
    case SQLITE_LOCKED: /* by its own connection; BUSY: by another */
        return true;
    default:
        return false;
    }
}

/* One that nobody waits for is given up for a fault of its own only. */
static enum outcome undo_later(struct db *db, struct db_job *job, int rc,
                               struct db_error **why)
{
    if (is_own_fault(rc)) {
        enum outcome o = undo(db, job, rc, why);
        keep_late(db, job);
        return o;
    }
    *why = job->error;
    job->error = NULL;
    return LOST;
}

/* Under a savepoint. */
static enum outcome apply_alone(struct db *db, struct db_job *job,
                                struct db_error **why)
{
    int rc = db_conn_own(db, OWN_SAVEPOINT);
    if (rc != SQLITE_OK)
        return lose(db, rc, why);
    rc = db_conn_write(db, job);
    if (rc != SQLITE_OK)
        return (job->kind == DB_LATER ? undo_later : undo)(db, job, rc, why);
    rc = db_conn_own(db, OWN_RELEASE);
    return rc == SQLITE_OK ? APPLIED : lose(db, rc, why);
}

static enum outcome apply_carefully(struct db *db, struct db_jobs *batch,
                                    struct db_error **why)
{
    struct db_job *job;
    TAILQ_FOREACH(job, batch, link)
    {
        take_late(db, job);
        if (job->failed || !is_write(job))
            continue;
        enum outcome o = apply_alone(db, job, why);
        if (o != APPLIED)
            return o;
    }
    return APPLIED;
}

static enum outcome apply_all(struct db *db, struct db_jobs *batch)
{
    struct db_job *job;
    TAILQ_FOREACH(job, batch, link)
    {
        if (job->failed || !is_write(job))
            continue;
        if (db_conn_write(db, job) == SQLITE_OK)
            continue;
        db_error_free(job->error); /* it will be found once more */
        job->error = NULL;
        return AGAIN;
    }
    return APPLIED;
}

/* SQLite's result code. */
static int roll_back(struct db *db)
{
    return in_transaction(db) ? db_conn_own(db, OWN_ROLLBACK) : SQLITE_OK;
}

/* Anew, whatever there was. */
static struct db_error *begin(struct db *db)
{
    db->counted = (struct db_stats){0};
    crash_point("db.begin");
    int rc = roll_back(db);
    if (rc == SQLITE_OK)
        rc = db_conn_own(db, OWN_BEGIN);
    return rc == SQLITE_OK ? NULL : db_error_sqlite(db, "cannot write to", rc);
}

/* NULL: the transaction is open and holds all that did not fail. */
static struct db_error *apply(struct db *db, struct db_jobs *batch)
{
    struct db_error *why = begin(db);
    if (why || apply_all(db, batch) == APPLIED)
        return why;
    enum outcome o;
    do {
        why = begin(db);
        o = why ? LOST : apply_carefully(db, batch, &why);
    } while (o == AGAIN);
    return why;
}

static struct db_error *commit(struct db *db)
{
    crash_point("db.commit");
    int rc = db_conn_own(db, OWN_COMMIT);
    if (rc != SQLITE_OK)
        return db_error_sqlite(db, "cannot write to", rc);
    crash_point("db.committed");
    db->counted.commits = 1;
    return NULL;
}

static bool prepare_batch(struct db *db, struct db_jobs *batch)
{
    struct db_job *job;
    bool writes = false;
    TAILQ_FOREACH(job, batch, link)
    {
        take_late(db, job);
        writes = writes || (is_write(job) && !job->failed);
    }
    return writes;
}

static void count_writes(struct db *db, struct db_jobs *batch)
{
    struct db_job *job;
    TAILQ_FOREACH(job, batch, link)
    db->counted.writes += is_write(job) && !job->failed;
}

void db_group_commit(struct db *db, struct db_jobs *batch)
{
    roll_back(db); /* the last one, if there was no memory even for that */
    if (!prepare_batch(db, batch))
        return;
    struct db_error *why = apply(db, batch);
    if (!why)
        why = commit(db);
    if (!why) {
        count_writes(db, batch);
        return;
    }
    roll_back(db);
    db->counted = (struct db_stats){0};
    fail_all(batch, why);
    db->lost = why;
}
