/* db.h - SQLite on one thread of its own, for all connections of the process.
 *
 * Everything here is called on the loop's thread. Jobs of one connection are
 * done in the order in which they were given, but all writes that wait are
 * committed together: one transaction, one fsync. Each of them is applied whole
 * or not at all, and has its own result. */
#ifndef DB_H
#define DB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "db_value.h"

struct db_thread;
struct db; /* one connection */

struct db_error {
    int rc;           /* SQLite's extended result code; 0: not SQLite's */
    const char *code; /* docs/errors.md */
    bool retryable;
    char text[];
};

enum db_kind {
    DB_OPEN,  /* the first job of a connection */
    DB_WRITE, /* `data`: statements */
    DB_LATER, /* the same, but nobody waits. What the disk or another program
                 is to blame for is tried again, with the next batch or after
                 a second, until the connection is closed; the error of a
                 statement goes to the next that waits. */
    DB_SYNC,  /* wait until all that was given before is durable */
    DB_ROWS,  /* `data`: one statement; `rows` are the answer */
    DB_GUARD, /* from now on a -wal that gets lost is noticed */
    DB_CLOSE
};

/* `data` is, for each statement, its text, a count, and so many values;
 * `rows` is a count of columns, their names, and their values row by row. */
struct db_job {
    enum db_kind kind;
    const char *data; /* stays the caller's; until done */
    size_t len;
    /* Called once. NULL for DB_LATER, which the engine frees with free(). */
    void (*done)(struct db_job *job);
    void *arg;

    /* The results: the caller's, db_job_fini() frees them. */
    bool cancelled;
    struct db_error *error;
    struct db_buf rows;

    /* The engine's own. */
    TAILQ_ENTRY(db_job) link;
    struct db_thread *thread;
    struct db *db; /* may be gone once the job is done */
    bool queued;   /* not begun */
    bool failed;
    atomic_bool stop;
};

struct db_stats {
    uint64_t commits;    /* transactions, each with one fsync */
    uint64_t writes;     /* db:write and db:later that were committed */
    uint64_t statements; /* that were executed for them */
};

/* Start the thread; NULL with a sentence in *why. */
struct db_thread *db_thread_new(uv_loop_t *loop, const char **why);

/* Do all that was given, close all connections and end the thread. Blocks. The
 * memory is freed by the loop's next run. */
void db_thread_close(struct db_thread *t);

enum db_mode {
    DB_EXISTING, /* read and write a file that is there */
    DB_CREATE,   /* make it, if it is not */
    DB_READONLY  /* only DB_ROWS, and nothing on the disk is changed */
};

/* A connection, which a DB_OPEN must open; NULL when memory is out.
 * `busy`: milliseconds to wait for the locks of other processes. */
struct db *db_new(struct db_thread *t, const char *path, enum db_mode mode,
                  int busy);

/* Once it is open: is the end of it missing, because it was guarded and its
 * -wal is gone? It holds an older state then, and is as it was found. */
bool db_tail_lost(const struct db *db);

/* False once db_thread_close() was called: then only db_close() is allowed. */
bool db_usable(const struct db *db);

void db_submit(struct db *db, struct db_job *job);

/* If the job has not begun it is over at once, with `cancelled`, and nothing
 * of it is done. Otherwise it goes on; a DB_ROWS ends early. */
void db_cancel(struct db_job *job);

/* Do what was given, close and free; also a connection that failed to open.
 * `done` may be NULL; the job it gets is valid during the call. */
void db_close(struct db *db, void (*done)(struct db_job *job), void *arg);

struct db_stats db_stats(struct db *db);

/* Did the last transaction fail? `e` has `size` bytes, for as much of the text
 * as they hold. */
bool db_trouble(struct db *db, struct db_error *e, size_t size);

void db_job_fini(struct db_job *job);

#endif
