/* db.c - owns the thread, the queues of the connections, and the way of a job
 * to the thread and back. */
#include "db.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_impl.h"

#define MS 1000000ull /* ns */
#define NO_TIME UINT64_MAX
/* Commits of one connection begin so far apart, so that under load they are
 * few and large; a single one does not wait. */
#define APART (10 * MS)
/* Until what could not be written is tried again, if nobody waits. */
#define RETRY_WAIT (1000 * MS)
/* Bytes of DB_LATER that may be there at once. */
#define LATER_MAX (64u << 20)

TAILQ_HEAD(dbs, db);

struct db_thread {
    uv_thread_t id;
    uv_loop_t *loop;
    uv_async_t back;    /* something is finished */
    uv_prepare_t start; /* wakes the thread before the loop waits */
    int handles;        /* not yet closed */
    int waiting;        /* jobs that the loop must stay alive for */

    uv_mutex_t lock;
    uv_cond_t wake;
    struct dbs dbs;          /* all connections */
    struct db_jobs finished; /* to be handed back */
    uint64_t asleep;         /* until when, ns; 0: it is awake */
    bool stop;
};

/* ---- on the thread ---- */

/* When there is something to do for a connection, ns. */
static uint64_t ready_at(const struct db *db)
{
    if (TAILQ_EMPTY(&db->jobs))
        return NO_TIME;
    if (!db->urgent && db->retry)
        return db->retry;
    return db->committed + APART;
}

static struct db *next_ready(struct db_thread *t, uint64_t *at)
{
    struct db *db, *first = NULL;
    *at = NO_TIME;
    TAILQ_FOREACH(db, &t->dbs, link)
    {
        uint64_t when = ready_at(db);
        if (when < *at) {
            first = db;
            *at = when;
        }
    }
    return first;
}

/* All that waits for one connection; with the lock. */
static void take_batch(struct db *db, struct db_jobs *batch)
{
    struct db_job *job;
    TAILQ_INIT(batch);
    TAILQ_CONCAT(batch, &db->jobs, link);
    TAILQ_FOREACH(job, batch, link)
    job->queued = false;
    db->urgent = false;
    db->retry = 0;
    if (db->later_dropped && !db->late)
        db->late = db_error_new(
            "busy", true,
            "\"%s\" cannot be written as fast as records come: more than %u "
            "bytes waited, and some were dropped",
            db->path, LATER_MAX);
    db->later_dropped = false;
}

/* Writes first, whoever reads sees them. Returns whether it is closed now. */
static bool run_batch(struct db *db, struct db_jobs *batch)
{
    struct db_job *job;
    bool closed = false;
    db->counted = (struct db_stats){0};
    job = TAILQ_FIRST(batch);
    if (job && job->kind == DB_OPEN)
        db_conn_open(db, job);
    if (db->handle)
        db_group_commit(db, batch);
    TAILQ_FOREACH(job, batch, link)
    {
        if (job->kind == DB_ROWS && !atomic_load(&job->stop))
            db_conn_rows(db, job);
        if (job->kind == DB_GUARD && db->handle)
            db_tail_guard(db, job);
        closed = closed || job->kind == DB_CLOSE;
    }
    if (closed)
        db_conn_close(db);
    return closed;
}

static void db_free(struct db *db)
{
    db_job_fini(&db->closing);
    db_error_free(db->late);
    db_error_free(db->trouble);
    free(db->path);
    free(db);
}

/* With the lock. What nobody waits for is neither lost because of the others
 * in its batch nor because of the disk: it comes before all that was given
 * meanwhile. */
static void keep_laters(struct db *db, struct db_jobs *batch)
{
    struct db_job *job, *next;
    struct db_jobs kept;
    TAILQ_INIT(&kept);
    for (job = TAILQ_FIRST(batch); job; job = next) {
        next = TAILQ_NEXT(job, link);
        if (job->kind != DB_LATER || job->failed)
            continue;
        TAILQ_REMOVE(batch, job, link);
        TAILQ_INSERT_TAIL(&kept, job, link);
        job->queued = true;
    }
    if (TAILQ_EMPTY(&kept))
        return;
    TAILQ_CONCAT(&kept, &db->jobs, link);
    TAILQ_CONCAT(&db->jobs, &kept, link);
    db->retry = uv_hrtime() + RETRY_WAIT;
}

/* With the lock: what became of the batch's transaction. */
static void note_commit(struct db *db, struct db_jobs *batch, bool closed)
{
    db->stats.commits += db->counted.commits;
    db->stats.writes += db->counted.writes;
    db->stats.statements += db->counted.statements;
    if (db->counted.commits)
        db->committed = uv_hrtime();
    if (db->lost && !closed)
        keep_laters(db, batch);
    if (db->counted.commits || db->lost) {
        db_error_free(db->trouble);
        db->trouble = db->lost;
        db->lost = NULL;
    }
}

/* With the lock. Those that nobody waits for end here. */
static void hand_back(struct db_thread *t, struct db_jobs *batch)
{
    struct db_job *job;
    bool any = false;
    while ((job = TAILQ_FIRST(batch))) {
        TAILQ_REMOVE(batch, job, link);
        if (job->kind == DB_LATER) {
            job->db->later_bytes -= job->len;
            free(job);
        } else if (job->done) {
            TAILQ_INSERT_TAIL(&t->finished, job, link);
            any = true;
        }
    }
    if (any)
        uv_async_send(&t->back);
}

/* With the lock, which is let go meanwhile. */
static void serve(struct db_thread *t, struct db *db)
{
    struct db_jobs batch;
    take_batch(db, &batch);
    uv_mutex_unlock(&t->lock);
    bool closed = run_batch(db, &batch);
    uv_mutex_lock(&t->lock);
    note_commit(db, &batch, closed);
    if (closed)
        TAILQ_REMOVE(&t->dbs, db, link);
    hand_back(t, &batch);
    if (closed && db->orphaned && !db->closing.done)
        db_free(db); /* otherwise it is after the job is delivered */
}

static void thread_main(void *arg)
{
    struct db_thread *t = arg;
    sigset_t all;
    sigfillset(&all); /* they are for the loop's thread */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    uv_mutex_lock(&t->lock);
    while (!t->stop || !TAILQ_EMPTY(&t->dbs)) {
        uint64_t at, now = uv_hrtime();
        struct db *db = next_ready(t, &at);
        if (db && (at <= now || t->stop)) {
            serve(t, db);
            continue;
        }
        t->asleep = at;
        if (at == NO_TIME)
            uv_cond_wait(&t->wake, &t->lock);
        else
            uv_cond_timedwait(&t->wake, &t->lock, at - now);
        t->asleep = 0;
    }
    uv_mutex_unlock(&t->lock);
}

/* ---- on the loop's thread ---- */

static void finish(struct db_thread *t, struct db_job *job)
{
    if (--t->waiting == 0)
        uv_unref((uv_handle_t *)&t->back);
    bool closed = job->kind == DB_CLOSE;
    job->done(job);
    if (closed)
        db_free(job->db);
}

static void deliver(struct db_thread *t)
{
    struct db_jobs list;
    struct db_job *job;
    TAILQ_INIT(&list);
    uv_mutex_lock(&t->lock);
    TAILQ_CONCAT(&list, &t->finished, link);
    uv_mutex_unlock(&t->lock);
    while ((job = TAILQ_FIRST(&list))) {
        TAILQ_REMOVE(&list, job, link);
        finish(t, job);
    }
}

static void on_back(uv_async_t *h)
{
    deliver(h->data);
}

/* With the lock. */
static void wake_for(struct db_thread *t, const struct db *db)
{
    if (ready_at(db) < t->asleep)
        uv_cond_signal(&t->wake);
}

/* Once for all that was given since the loop last waited. */
static void on_start(uv_prepare_t *h)
{
    struct db_thread *t = h->data;
    struct db *db;
    uv_prepare_stop(h);
    uv_mutex_lock(&t->lock);
    TAILQ_FOREACH(db, &t->dbs, link)
    wake_for(t, db);
    uv_mutex_unlock(&t->lock);
}

static void queue_later(struct db *db, struct db_job *job)
{
    if (db->later_bytes + job->len > LATER_MAX) {
        db->later_dropped = true;
        free(job);
        return;
    }
    db->later_bytes += job->len;
    TAILQ_INSERT_TAIL(&db->jobs, job, link);
}

void db_submit(struct db *db, struct db_job *job)
{
    struct db_thread *t = db->thread;
    bool later = job->kind == DB_LATER;
    job->thread = t;
    job->db = db;
    job->queued = true;
    uv_mutex_lock(&t->lock);
    if (later) {
        queue_later(db, job);
    } else {
        TAILQ_INSERT_TAIL(&db->jobs, job, link);
        db->urgent = true;
    }
    uv_mutex_unlock(&t->lock);
    uv_prepare_start(&t->start, on_start);
    if (!later && job->done && t->waiting++ == 0)
        uv_ref((uv_handle_t *)&t->back);
}

void db_cancel(struct db_job *job)
{
    struct db_thread *t = job->thread;
    uv_mutex_lock(&t->lock);
    bool drop = job->queued;
    if (drop)
        TAILQ_REMOVE(&job->db->jobs, job, link);
    job->queued = false;
    uv_mutex_unlock(&t->lock);
    atomic_store(&job->stop, true);
    job->cancelled = drop;
    if (drop)
        finish(t, job);
}

struct db *db_new(struct db_thread *t, const char *path, enum db_mode mode,
                  int busy)
{
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return NULL;
    db->path = strdup(path);
    if (!db->path) {
        free(db);
        return NULL;
    }
    db->thread = t;
    db->mode = mode;
    db->busy = busy;
    TAILQ_INIT(&db->jobs);
    uv_mutex_lock(&t->lock);
    TAILQ_INSERT_TAIL(&t->dbs, db, link);
    uv_mutex_unlock(&t->lock);
    return db;
}

bool db_tail_lost(const struct db *db)
{
    return db->tail.lost;
}

bool db_usable(const struct db *db)
{
    return db->thread != NULL;
}

void db_close(struct db *db, void (*done)(struct db_job *job), void *arg)
{
    if (!db->thread) {
        db_free(db);
        return;
    }
    db->orphaned = true; /* read by the thread after it took the job */
    db->closing.kind = DB_CLOSE;
    db->closing.done = done;
    db->closing.arg = arg;
    db_submit(db, &db->closing);
}

struct db_stats db_stats(struct db *db)
{
    uv_mutex_lock(&db->thread->lock);
    struct db_stats s = db->stats;
    uv_mutex_unlock(&db->thread->lock);
    return s;
}

bool db_trouble(struct db *db, struct db_error *e, size_t size)
{
    uv_mutex_lock(&db->thread->lock);
    const struct db_error *why = db->trouble;
    if (why) {
        *e = *why;
        snprintf(e->text, size - sizeof *e, "%s", why->text);
    }
    uv_mutex_unlock(&db->thread->lock);
    return why;
}

void db_job_fini(struct db_job *job)
{
    db_error_free(job->error);
    free(job->rows.data);
}

/* ---- the thread's life ---- */

static bool init_lock(struct db_thread *t)
{
    if (uv_mutex_init(&t->lock) < 0)
        return false;
    if (uv_cond_init(&t->wake) == 0)
        return true;
    uv_mutex_destroy(&t->lock);
    return false;
}

static void on_handle_closed(uv_handle_t *h)
{
    struct db_thread *t = h->data;
    if (--t->handles > 0)
        return;
    uv_cond_destroy(&t->wake);
    uv_mutex_destroy(&t->lock);
    free(t);
}

static void close_handles(struct db_thread *t)
{
    uv_close((uv_handle_t *)&t->back, on_handle_closed);
    uv_close((uv_handle_t *)&t->start, on_handle_closed);
}

struct db_thread *db_thread_new(uv_loop_t *loop, const char **why)
{
    if (sqlite_load(why) < 0)
        return NULL;
    struct db_thread *t = calloc(1, sizeof *t);
    *why = "the thread for the database could not be started";
    if (!t || !init_lock(t)) {
        free(t);
        return NULL;
    }
    TAILQ_INIT(&t->dbs);
    TAILQ_INIT(&t->finished);
    t->loop = loop;
    t->handles = 2;
    t->back.data = t->start.data = t;
    if (uv_async_init(loop, &t->back, on_back) < 0) {
        uv_cond_destroy(&t->wake);
        uv_mutex_destroy(&t->lock);
        free(t);
        return NULL;
    }
    uv_unref((uv_handle_t *)&t->back);
    uv_prepare_init(loop, &t->start);
    if (uv_thread_create(&t->id, thread_main, t) < 0) {
        close_handles(t);
        return NULL;
    }
    return t;
}

void db_thread_close(struct db_thread *t)
{
    struct db *db;
    uv_mutex_lock(&t->lock);
    TAILQ_FOREACH(db, &t->dbs, link)
    {
        db->thread = NULL;
        if (db->orphaned)
            continue;
        db->closing.kind = DB_CLOSE;
        db->closing.db = db;
        TAILQ_INSERT_TAIL(&db->jobs, &db->closing, link);
        db->urgent = true;
    }
    t->stop = true;
    uv_cond_signal(&t->wake);
    uv_mutex_unlock(&t->lock);
    uv_thread_join(&t->id);
    deliver(t);
    close_handles(t);
}
