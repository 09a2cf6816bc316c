/* test_db.c - the database engine without Lua: what shares a commit, who hears
 * of a failure, what is left after one. */
/* needs: db_conn.c db_error.c db_file.c db_group.c db_tail.c */
/* needs: db_value.c lazy.c lazy_sqlite.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "db.h"

static uv_loop_t loop;
static struct db_thread *thread;
static struct db *db;
static char dir[64], path[96];

/* ---- jobs ---- */

struct call {
    struct db_job job;
    struct db_buf buf;
    int done; /* how often */
};

static void on_done(struct db_job *job)
{
    ((struct call *)job->arg)->done++;
}

static void add_text(struct db_buf *b, const char *text)
{
    struct db_value v = {.type = DB_TEXT};
    v.s = text;
    v.n = strlen(text);
    assert_int_equal(db_put(b, &v), 0);
}

/* One more statement without values. */
static void add(struct db_buf *b, const char *sql)
{
    add_text(b, sql);
    assert_int_equal(db_put_count(b, 0), 0);
}

static void submit(struct call *c, enum db_kind kind, const char *sql)
{
    memset(c, 0, sizeof *c);
    if (sql)
        add(&c->buf, sql);
    c->job.kind = kind;
    c->job.data = c->buf.data;
    c->job.len = c->buf.len;
    c->job.done = on_done;
    c->job.arg = c;
    db_submit(db, &c->job);
}

static void submit_insert(struct call *c, int id)
{
    char sql[64];
    snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%d, 0)", id);
    submit(c, DB_WRITE, sql);
}

static struct db_job *later_job(const char *sql, int times)
{
    struct db_buf b = {0};
    while (times--)
        add(&b, sql);
    struct db_job *job = calloc(1, sizeof *job + b.len);
    job->kind = DB_LATER;
    job->len = b.len;
    job->data = memcpy(job + 1, b.data, b.len);
    free(b.data);
    return job;
}

static void later(const char *sql)
{
    db_submit(db, later_job(sql, 1));
}

static void until_done(struct call *c)
{
    while (!c->done)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(c->done, 1);
}

/* The error's code, or "ok"; frees what the call holds. */
static const char *end(struct call *c)
{
    until_done(c);
    const char *code = c->job.error ? c->job.error->code : "ok";
    if (c->job.cancelled)
        code = "cancelled";
    db_job_fini(&c->job);
    free(c->buf.data);
    return code;
}

static const char *write_one(const char *sql)
{
    struct call c;
    submit(&c, DB_WRITE, sql);
    return end(&c);
}

static int64_t number(const char *sql)
{
    struct call c;
    struct db_value name, value;
    uint32_t columns;
    submit(&c, DB_ROWS, sql);
    until_done(&c);
    assert_null(c.job.error);
    const char *at = db_get_count(c.job.rows.data, &columns);
    assert_int_equal(columns, 1);
    at = db_get(at, &name);
    assert_ptr_equal(db_get(at, &value), c.job.rows.data + c.job.rows.len);
    assert_int_equal(value.type, DB_INTEGER);
    end(&c);
    return value.i;
}

static int64_t count(void)
{
    return number("SELECT count(*) FROM t");
}

/* ---- one database for each test ---- */

static int open_db(void)
{
    struct call c;
    db = db_new(thread, path, DB_CREATE, 1000);
    submit(&c, DB_OPEN, NULL);
    return strcmp(end(&c), "ok");
}

static int set_up(void **state)
{
    const char *why = NULL;
    (void)state;
    uv_loop_init(&loop);
    snprintf(dir, sizeof dir, "/tmp/rushes-db-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/a.db", dir);
    thread = db_thread_new(&loop, &why);
    if (!thread || open_db() != 0)
        return -1;
    return strcmp(write_one("CREATE TABLE t (id INTEGER PRIMARY KEY, v)"),
                  "ok");
}

static int tear_down(void **state)
{
    (void)state;
    db_thread_close(thread);
    db_close(db, NULL, NULL); /* Lua's __gc may come as late as that */
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    unlink(path);
    return rmdir(dir); /* neither -wal nor -shm is left */
}

/* ---- tests ---- */

static void test_one_commit_for_a_turn(void **state)
{
    static struct call calls[500];
    (void)state;
    struct db_stats before = db_stats(db);
    for (int i = 0; i < 500; i++)
        submit_insert(&calls[i], i);
    for (int i = 0; i < 500; i++)
        assert_string_equal(end(&calls[i]), "ok");
    struct db_stats after = db_stats(db);
    assert_int_equal(after.commits - before.commits, 1);
    assert_int_equal(after.writes - before.writes, 500);
    assert_int_equal(count(), 500);
}

#define ENDLESS                                                                \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "         \
    "SELECT max(i) FROM n"

/* The thread is at it until it is cancelled, unless it has not even begun. */
static void keep_busy(struct call *c)
{
    submit(c, DB_ROWS, ENDLESS);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static void test_what_has_not_begun_is_dropped(void **state)
{
    struct call slow, queued, after;
    (void)state;
    keep_busy(&slow);
    submit_insert(&queued, 1);
    submit_insert(&after, 2);
    db_cancel(&queued.job);
    assert_int_equal(queued.done, 1);
    assert_string_equal(end(&queued), "cancelled");
    db_cancel(&slow.job);
    end(&slow);
    assert_string_equal(end(&after), "ok");
    assert_int_equal(count(), 1);
}

static void test_late_failures_find_the_next_that_waits(void **state)
{
    struct call first, rows, second, third;
    (void)state;
    later("INSERT INTO t VALUES (1, 0)");
    later("INSERT INTO t VALUES (1, 0)");
    submit(&rows, DB_ROWS, "SELECT 1");
    submit_insert(&first, 2);
    submit_insert(&second, 3);
    later("INSERT INTO t VALUES (1, 0)");
    assert_string_equal(end(&rows), "ok");
    assert_string_equal(end(&first), "exists");
    assert_string_equal(end(&second), "ok");
    submit(&third, DB_SYNC, NULL);
    assert_string_equal(end(&third), "exists");
    assert_int_equal(number("SELECT sum(id) FROM t"), 4);
}

/* Files may not grow beyond what they have: as if the disk were full. */
static void limit_files(rlim_t size)
{
    struct rlimit rl;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &rl);
    rl.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

static rlim_t wal_size(void)
{
    struct stat st;
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(wal, &st), 0);
    return (rlim_t)st.st_size;
}

/* As if the disk were full now. */
static void fill_disk(void)
{
    limit_files(wal_size());
}

static bool in_trouble(void)
{
    union {
        struct db_error error;
        char bytes[64];
    } e;
    if (!db_trouble(db, &e.error, sizeof e))
        return false;
    assert_string_equal(e.error.code, "io");
    assert_memory_equal(e.error.text, "cannot write to", 15);
    return true;
}

static void test_a_commit_that_fails_is_told(void **state)
{
    struct call a, b;
    (void)state;
    assert_string_equal(write_one("INSERT INTO t VALUES (1, 0)"), "ok");
    fill_disk();
    submit_insert(&a, 3);
    submit_insert(&b, 4);
    assert_string_equal(end(&a), "io");
    assert_string_equal(end(&b), "io");
    assert_true(in_trouble());
    limit_files(RLIM_INFINITY);
    assert_int_equal(count(), 1);
    assert_string_equal(write_one("INSERT INTO t VALUES (6, 0)"), "ok");
    assert_false(in_trouble());
    assert_int_equal(number("SELECT sum(id) FROM t"), 7);
}

static void test_later_outlives_a_commit_that_fails(void **state)
{
    struct call a, sync;
    (void)state;
    assert_string_equal(write_one("INSERT INTO t VALUES (1, 0)"), "ok");
    fill_disk();
    later("INSERT INTO t VALUES (2, 0)");
    submit_insert(&a, 3);
    later("UPDATE t SET id = 20 WHERE id = 2");
    assert_string_equal(end(&a), "io");
    later("UPDATE t SET id = 200 WHERE id = 20"); /* the order is kept */
    submit(&sync, DB_SYNC, NULL);
    assert_string_equal(end(&sync), "io");
    assert_int_equal(count(), 1);
    limit_files(RLIM_INFINITY);
    submit(&sync, DB_SYNC, NULL);
    assert_string_equal(end(&sync), "ok");
    assert_int_equal(number("SELECT sum(id) FROM t"), 201);
}

static void test_later_is_tried_again_though_nobody_waits(void **state)
{
    (void)state;
    assert_string_equal(write_one("INSERT INTO t VALUES (1, 0)"), "ok");
    fill_disk();
    later("INSERT INTO t VALUES (2, 0)");
    uv_run(&loop, UV_RUN_NOWAIT); /* this wakes the thread */
    while (!in_trouble())
        uv_sleep(1);
    limit_files(RLIM_INFINITY);
    while (in_trouble())
        uv_sleep(1);
    assert_int_equal(count(), 2);
}

static void test_later_that_is_wrong_keeps_nobody_up(void **state)
{
    struct call sync;
    (void)state;
    assert_string_equal(write_one("INSERT INTO t VALUES (1, 0)"), "ok");
    fill_disk();
    later("INSERT INTO t VALUES (2, 0)");
    later("INSERT INTO t VALUES (1, 0)");
    submit(&sync, DB_SYNC, NULL);
    assert_string_equal(end(&sync), "exists");
    submit(&sync, DB_SYNC, NULL);
    assert_string_equal(end(&sync), "io");
    limit_files(RLIM_INFINITY);
    submit(&sync, DB_SYNC, NULL);
    assert_string_equal(end(&sync), "ok");
    assert_int_equal(count(), 2);
}

static void test_a_full_database_keeps_what_it_had(void **state)
{
    struct call a, b;
    (void)state;
    assert_string_equal(write_one("PRAGMA max_page_count = 10"), "ok");
    submit(&a, DB_WRITE, "INSERT INTO t VALUES (1, zeroblob(100000))");
    submit_insert(&b, 2);
    assert_string_equal(end(&a), "no_space");
    const char *other =
        end(&b); /* it may lose its transaction with the other */
    assert_true(strcmp(other, "ok") == 0 || strcmp(other, "no_space") == 0);
    assert_int_equal(count(), strcmp(other, "ok") == 0);
    assert_string_equal(write_one("INSERT INTO t VALUES (3, 0)"), "ok");
}

static void test_a_write_of_many_statements_is_whole(void **state)
{
    struct call c = {0};
    (void)state;
    add(&c.buf, "INSERT INTO t VALUES (1, 0)");
    add(&c.buf, "INSERT INTO t VALUES (2, 0)");
    add(&c.buf, "INSERT INTO t VALUES (1, 0)");
    c.job = (struct db_job){.kind = DB_WRITE,
                            .data = c.buf.data,
                            .len = c.buf.len,
                            .done = on_done,
                            .arg = &c};
    db_submit(db, &c.job);
    assert_string_equal(end(&c), "exists");
    assert_int_equal(count(), 0);
}

/* What is being written counts as well. */
static void test_too_much_later_is_told(void **state)
{
    static char sql[1 << 20];
    struct call slow;
    rlim_t before = wal_size();
    (void)state;
    snprintf(sql, sizeof sql, "INSERT INTO t (v) VALUES ('%*s')",
             (int)sizeof sql - 40, "");
    struct db_job *first = later_job(sql, 40), *second = later_job(sql, 40);
    submit(&slow, DB_ROWS, ENDLESS); /* in one batch with the first */
    db_submit(db, first);
    uv_run(&loop, UV_RUN_NOWAIT);
    for (int ms = 0; ms < 1000 && wal_size() == before; ms++)
        usleep(1000);
    db_submit(db, second);
    db_cancel(&slow.job);
    end(&slow);
    assert_string_equal(write_one("INSERT INTO t VALUES (99, 0)"), "busy");
    assert_string_equal(write_one("INSERT INTO t VALUES (99, 0)"), "ok");
    assert_int_equal(count(), 41);
}

/* Without turning the loop: the last to close a file removes its WAL. */
static void wait_until_closed(void)
{
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", path);
    while (access(wal, F_OK) == 0)
        usleep(1000);
    usleep(1000); /* and free the connection */
}

/* Its connection may be gone by the time a task that waits is cancelled. */
static void test_cancelling_what_is_done_touches_nothing(void **state)
{
    struct call c;
    (void)state;
    submit_insert(&c, 1);
    db_close(db, NULL, NULL);
    uv_run(&loop, UV_RUN_NOWAIT); /* the thread begins */
    wait_until_closed();
    db_cancel(&c.job);
    assert_string_equal(end(&c), "ok");
    assert_int_equal(open_db(), 0);
    assert_int_equal(count(), 1);
}

/* As a script may write it over several lines; it is prepared once. */
static void test_blanks_behind_a_statement(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(write_one("INSERT INTO t (v) VALUES (0); \n;\n"),
                            "ok");
        assert_string_equal(write_one("INSERT INTO t (v) VALUES (0)"), "ok");
    }
    assert_int_equal(count(), 6);
    assert_string_equal(write_one(" ;\n"), "invalid");
    assert_string_equal(write_one("SELECT 1; SELECT 2"), "invalid");
}

static void test_closing_the_thread_commits_the_rest(void **state)
{
    const char *why = NULL;
    (void)state;
    for (int i = 0; i < 50; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%d, 0)", i);
        later(sql);
    }
    db_thread_close(thread);
    assert_false(db_usable(db));
    db_close(db, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    thread = db_thread_new(&loop, &why);
    assert_int_equal(open_db(), 0);
    assert_int_equal(count(), 50);
}

int main(void)
{
#define WITH_DB(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_DB(test_one_commit_for_a_turn),
        WITH_DB(test_what_has_not_begun_is_dropped),
        WITH_DB(test_late_failures_find_the_next_that_waits),
        WITH_DB(test_a_commit_that_fails_is_told),
        WITH_DB(test_later_outlives_a_commit_that_fails),
        WITH_DB(test_later_is_tried_again_though_nobody_waits),
        WITH_DB(test_later_that_is_wrong_keeps_nobody_up),
        WITH_DB(test_a_full_database_keeps_what_it_had),
        WITH_DB(test_a_write_of_many_statements_is_whole),
        WITH_DB(test_too_much_later_is_told),
        WITH_DB(test_cancelling_what_is_done_touches_nothing),
        WITH_DB(test_blanks_behind_a_statement),
        WITH_DB(test_closing_the_thread_commits_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
