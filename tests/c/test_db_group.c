/* test_db_group.c - the transaction when a statement of its own fails, as for
 * want of memory: nothing of it is there, and the next one is as always. */
/* needs: db_conn.c db_error.c db_file.c db_tail.c */
/* needs: db_value.c lazy.c lazy_sqlite.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db_impl.h"

static char dir[64], path[96];
static struct db *db; /* without the thread */

/* ---- statements of ours that fail ---- */

static const char *const none[] = {NULL};
static const char *const *broken = none; /* the next ones, NULL at the end */
static bool takes_all; /* the transaction goes with the first */
static int (*real_step)(sqlite3_stmt *stmt);

static int step(sqlite3_stmt *stmt)
{
    if (!*broken || strcmp(sqlite.sqlite3_sql(stmt), *broken) != 0)
        return real_step(stmt);
    broken++;
    if (takes_all)
        sqlite.sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    takes_all = false;
    return SQLITE_NOMEM;
}

/* ---- one batch ---- */

struct write {
    struct db_job job;
    struct db_buf buf;
};

static void add(struct write *w, const char *sql)
{
    struct db_value v = {.type = DB_TEXT};
    v.s = sql;
    v.n = strlen(sql);
    assert_int_equal(db_put(&w->buf, &v), 0);
    assert_int_equal(db_put_count(&w->buf, 0), 0);
}

static const char *end(struct write *w)
{
    const char *code = w->job.error ? w->job.error->code : "ok";
    db_error_free(w->job.error);
    free(w->buf.data);
    return code;
}

/* Write 1 twice, which fails, then 2; the codes of both. */
static void commit(enum db_kind first, const char *codes[2])
{
    struct write a = {.job.kind = first}, b = {.job.kind = DB_WRITE};
    struct write *all[] = {&a, &b};
    struct db_jobs batch = TAILQ_HEAD_INITIALIZER(batch);
    add(&a, "INSERT INTO t VALUES (1)");
    add(&a, "INSERT INTO t VALUES (1)");
    add(&b, "INSERT INTO t VALUES (2)");
    for (int i = 0; i < 2; i++) {
        all[i]->job.data = all[i]->buf.data;
        all[i]->job.len = all[i]->buf.len;
        TAILQ_INSERT_TAIL(&batch, &all[i]->job, link);
    }
    db_group_commit(db, &batch);
    codes[0] = end(&a);
    codes[1] = end(&b);
}

static int on_sum(void *arg, int n, char **values, char **names)
{
    (void)n, (void)names;
    *(int *)arg = values[0] ? atoi(values[0]) : 0;
    return 0;
}

static int sum(void)
{
    int n = -1;
    sqlite.sqlite3_exec(db->handle, "SELECT sum(id) FROM t", on_sum, &n, NULL);
    return n;
}

/* ---- one database for each test ---- */

static int set_up(void **state)
{
    const char *why, *base = getenv("TMPDIR");
    struct db_job job = {.kind = DB_OPEN};
    (void)state;
    snprintf(dir, sizeof dir, "%s/db_group.XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir) || sqlite_load(&why) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/a.db", dir);
    db = calloc(1, sizeof *db);
    db->path = path;
    db->mode = DB_CREATE;
    db_conn_open(db, &job);
    real_step = sqlite.sqlite3_step;
    sqlite.sqlite3_step = step;
    return job.error ||
           sqlite.sqlite3_exec(db->handle,
                               "CREATE TABLE t (id INTEGER PRIMARY KEY)", NULL,
                               NULL, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    sqlite.sqlite3_step = real_step;
    db_conn_close(db);
    db_error_free(db->lost);
    free(db);
    unlink(path);
    return rmdir(dir);
}

/* ---- tests ---- */

/* Then all of it is given up, and the next batch finds nothing of it. */
static void is_lost(const char *const *statements, bool all, const char *first)
{
    const char *codes[2];
    broken = statements;
    takes_all = all;
    commit(DB_WRITE, codes);
    assert_null(*broken);
    broken = none;
    assert_string_equal(codes[0], first);
    assert_string_equal(codes[1], "no_memory");
    assert_non_null(db->lost);
    db_error_free(db->lost);
    db->lost = NULL;
    commit(DB_WRITE, codes);
    assert_null(db->lost);
    assert_string_equal(codes[0], "exists");
    assert_string_equal(codes[1], "ok");
    assert_int_equal(sum(), 2);
}

static void test_a_savepoint_that_fails(void **state)
{
    static const char *const statements[] = {"SAVEPOINT one", NULL};
    (void)state;
    is_lost(statements, true, "no_memory");
}

static void test_an_undo_that_fails(void **state)
{
    static const char *const statements[] = {"ROLLBACK TO one", NULL};
    (void)state;
    is_lost(statements, false, "exists");
}

static void test_a_release_that_fails(void **state)
{
    static const char *const statements[] = {"RELEASE one", NULL};
    (void)state;
    is_lost(statements, true, "exists");
}

static void test_a_rollback_that_fails(void **state)
{
    static const char *const statements[] = {"ROLLBACK", NULL};
    (void)state;
    is_lost(statements, false, "no_memory");
}

static void test_a_last_rollback_that_fails(void **state)
{
    static const char *const statements[] = {"COMMIT", "ROLLBACK", NULL};
    (void)state;
    is_lost(statements, false, "exists");
}

/* Its own failure is told, and it is not tried again. */
static void test_an_undo_of_a_later_that_fails(void **state)
{
    static const char *const statements[] = {"ROLLBACK TO one", NULL};
    const char *codes[2];
    (void)state;
    broken = statements;
    commit(DB_LATER, codes);
    assert_string_equal(codes[0], "ok");
    assert_string_equal(codes[1], "no_memory");
    assert_non_null(db->late);
    assert_string_equal(db->late->code, "exists");
    assert_int_equal(sum(), 0);
    db_error_free(db->late);
}

int main(void)
{
#define WITH_DB(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_DB(test_a_savepoint_that_fails),
        WITH_DB(test_an_undo_that_fails),
        WITH_DB(test_a_release_that_fails),
        WITH_DB(test_a_rollback_that_fails),
        WITH_DB(test_a_last_rollback_that_fails),
        WITH_DB(test_an_undo_of_a_later_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
