/* db_impl.h - what the parts of the database engine share. */
#ifndef DB_IMPL_H
#define DB_IMPL_H

#include "db.h"
#include "lazy_sqlite.h"

#define STATEMENTS_KEPT 64

TAILQ_HEAD(db_jobs, db_job);

/* Our own statements; scripts may not use these verbs. */
enum db_own {
    OWN_BEGIN,
    OWN_COMMIT,
    OWN_ROLLBACK,
    OWN_SAVEPOINT,
    OWN_ROLLBACK_TO,
    OWN_RELEASE,
    OWN_COUNT
};

struct db_statement {
    sqlite3_stmt *stmt;
    size_t len;    /* of its text */
    uint64_t used; /* by `struct db.tick` */
};

/* Whether the main file is all there is (db_tail.c). */
struct db_tail {
    bool lost; /* found at the opening */
    bool guarded;
    bool part; /* the last mark that was committed */
    bool busy; /* marks are being written */
    int pages; /* in the -wal after the last commit */
    int next;  /* how many there are when it is time for a checkpoint */
};

struct db {
    TAILQ_ENTRY(db) link;
    struct db_thread *thread; /* the loop's thread only; NULL: it has ended */
    char *path;               /* as it was given */
    enum db_mode mode;
    int busy;      /* ms */
    bool orphaned; /* db_close() was called: the engine frees it */

    /* Under the thread's lock. */
    struct db_jobs jobs;
    bool urgent;              /* somebody waits for one of them */
    uint64_t retry;           /* ns: when the others are tried again, or 0 */
    uint64_t committed;       /* ns: when the last commit ended */
    size_t later_bytes;       /* of DB_LATER that are not over */
    bool later_dropped;       /* there were too many */
    struct db_error *trouble; /* why the last transaction failed */
    struct db_stats stats;

    /* The thread's own. */
    sqlite3 *handle;
    bool ours; /* a statement of ours is being prepared */
    sqlite3_stmt *own[OWN_COUNT];
    struct db_statement kept[STATEMENTS_KEPT];
    int n_kept;
    uint64_t tick;
    struct db_job *reading;  /* for the progress handler */
    struct db_error *late;   /* of a DB_LATER, for the next that waits */
    struct db_error *lost;   /* why this batch's transaction failed */
    struct db_stats counted; /* in this batch */
    struct db_tail tail;

    struct db_job closing;
};

/* ---- db_error.c ---- */

/* What the last call of SQLite on this connection did wrong. `what` begins the
 * sentence: "cannot open". Never NULL. */
struct db_error *db_error_sqlite(struct db *db, const char *what, int rc);

/* One of ours. Never NULL. */
struct db_error *db_error_new(const char *code, bool retryable, const char *fmt,
                              ...) __attribute__((format(printf, 3, 4)));

/* SQLite's result code, for `err.sqlite`. */
void db_error_set_rc(struct db_error *e, int rc);

struct db_error *db_error_copy(const struct db_error *e);
void db_error_free(struct db_error *e);

/* ---- db_conn.c: one connection; all on the thread ---- */

/* Sets job->error. */
void db_conn_open(struct db *db, struct db_job *job);
void db_conn_close(struct db *db);
void db_conn_rows(struct db *db, struct db_job *job);

/* Execute the statements of a write up to the first that fails; then
 * job->error says why. The result code. */
int db_conn_write(struct db *db, struct db_job *job);

/* Execute a statement of our own. The result code. */
int db_conn_own(struct db *db, enum db_own which);

/* ---- db_file.c: its files ---- */

/* Open `handle` by the mode. SQLite's result code, as below; after a failure
 * there may be a handle all the same. */
int db_file_open(struct db *db);

/* The same for reading, also where nothing may be written. */
int db_file_open_reader(struct db *db);

/* Open the main file alone, as one that nobody changes. */
int db_file_open_unchanging(struct db *db);

/* Bytes of the file with that at the end of its name; -1: there is none. */
int64_t db_file_size(const struct db *db, const char *suffix);

/* ---- db_tail.c: is its end still there? ---- */

/* Before it is opened: find out what is missing (db->tail.lost). An error where
 * opening it would destroy what is there. */
struct db_error *db_tail_look(struct db *db);

/* From now on see to it that it will be found out. Sets job->error. */
void db_tail_guard(struct db *db, struct db_job *job);

/* Before it is closed: bring everything into the main file. */
void db_tail_close(struct db *db);

/* ---- db_group.c ---- */

/* Apply all writes of the batch in one transaction and make them durable. */
void db_group_commit(struct db *db, struct db_jobs *batch);

#endif
