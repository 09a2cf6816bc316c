/* test_db_tail.c - a database whose end was lost is known, and no other is
 * taken for one: whatever checkpoints, readers and other programs do. */
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

#define MANY                                                                   \
    "5000" /* rows of a page each: more than a checkpoint waits for            \
            */

static char dir[64], path[96], copy[96];
static struct db *db;

/* ---- one connection, without the thread ---- */

static struct db *opened(const char *name, enum db_mode mode)
{
    struct db_job job = {.kind = DB_OPEN};
    struct db *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->path = strdup(name);
    d->mode = mode;
    d->busy = 1000;
    db_conn_open(d, &job);
    assert_null(job.error);
    return d;
}

static void closed(struct db *d)
{
    db_conn_close(d);
    free(d->path);
    free(d);
}

static void run(sqlite3 *handle, const char *sql)
{
    if (sqlite.sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite.sqlite3_errmsg(handle));
}

static void insert(const char *rows)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
             "WHERE i < %s) INSERT INTO t SELECT hex(zeroblob(2000)) FROM n",
             rows);
    run(db->handle, sql);
}

static int on_count(void *arg, int n, char **values, char **names)
{
    (void)n, (void)names;
    *(int *)arg = atoi(values[0]);
    return 0;
}

static int count(struct db *d)
{
    int n = -1;
    sqlite.sqlite3_exec(d->handle, "SELECT count(*) FROM t", on_count, &n,
                        NULL);
    return n;
}

static void guard(struct db *d)
{
    struct db_job job = {.kind = DB_GUARD};
    db_tail_guard(d, &job);
    assert_null(job.error);
}

static void shell(const char *fmt, ...)
{
    char command[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    assert_int_equal(system(command), 0);
}

/* Another program copies it: reading it here would end its locks. */
static void copy_files(bool wal)
{
    shell("rm -f %s*; cp %s %s", copy, path, copy);
    if (wal)
        shell("cp %s-wal %s-wal", path, copy);
}

/* How many rows a copy has; -1 if it is known to lack some. */
static int rows_of_copy(bool wal)
{
    copy_files(wal);
    struct db *d = opened(copy, DB_READONLY);
    int n = d->tail.lost ? -1 : count(d);
    closed(d);
    return n;
}

static int set_up(void **state)
{
    const char *why, *base = getenv("TMPDIR");
    (void)state;
    snprintf(dir, sizeof dir, "%s/db_tail.XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir) || sqlite_load(&why) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/a.db", dir);
    snprintf(copy, sizeof copy, "%s/b.db", dir);
    db = opened(path, DB_CREATE);
    run(db->handle, "CREATE TABLE t (a)");
    guard(db);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (db)
        closed(db);
    shell("rm -rf %s", dir);
    return 0;
}

/* As kill -9 leaves it: the files stay as they are. */
static void killed(void)
{
    copy_files(true);
    closed(db);
    db = NULL;
    shell("mv %s %s; mv %s-wal %s-wal", copy, path, copy, path);
}

/* ---- tests ---- */

static void test_the_main_file_alone_is_not_whole(void **state)
{
    (void)state;
    assert_int_equal(rows_of_copy(false), -1); /* from the first moment */
    insert("1");
    assert_int_equal(rows_of_copy(false), -1);
    assert_int_equal(rows_of_copy(true), 1);
}

static void test_a_wal_without_content_is_none(void **state)
{
    (void)state;
    insert("1");
    for (int bytes = 0; bytes <= 32; bytes += 32) {
        copy_files(true);
        shell("truncate -s %d %s-wal", bytes, copy);
        struct db *d = opened(copy, DB_CREATE);
        assert_true(d->tail.lost);
        closed(d);
    }
}

static void test_a_close_makes_it_whole(void **state)
{
    (void)state;
    insert("1");
    closed(db);
    db = NULL;
    assert_int_not_equal(access(path, F_OK), -1);
    assert_int_equal(rows_of_copy(false), 1);
}

static void test_looking_changes_nothing(void **state)
{
    (void)state;
    insert("1");
    killed();
    shell("cp %s %s; rm %s-wal", path, copy, path);
    for (int mode = DB_EXISTING; mode <= DB_READONLY; mode++) {
        struct db *d = opened(path, (enum db_mode)mode);
        assert_true(d->tail.lost);
        closed(d);
        shell("cmp -s %s %s", path, copy);
    }
}

static void test_guarding_it_again_begins_anew(void **state)
{
    (void)state;
    insert("1");
    killed();
    shell("rm %s-wal", path);
    db = opened(path, DB_CREATE);
    assert_true(db->tail.lost);
    guard(db);
    insert("1");
    closed(db);
    db = NULL;
    assert_int_equal(rows_of_copy(false), 1);
}

static void test_checkpoints_in_between(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        insert(MANY);
        insert("1");
        assert_int_equal(rows_of_copy(false), -1);
        assert_int_equal(rows_of_copy(true), i * 5001);
    }
    /* and they were made: three times as many were written */
    assert_true(db_file_size(db, "-wal") < 2 * 5000 * 4200);
}

static void test_another_program_brings_it_over(void **state)
{
    sqlite3 *other;
    (void)state;
    insert("1");
    killed();
    sqlite.sqlite3_open_v2(path, &other, SQLITE_OPEN_READWRITE, NULL);
    run(other, "SELECT * FROM t");
    sqlite.sqlite3_close(other);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(rows_of_copy(false), 1);
}

/* Another connection: "BEGIN" and a look keep it at what it has seen. */
static sqlite3 *reader(bool looks)
{
    sqlite3 *other;
    sqlite.sqlite3_open_v2(path, &other, SQLITE_OPEN_READONLY, NULL);
    run(other, looks ? "BEGIN; SELECT * FROM t" : "SELECT * FROM t");
    return other;
}

static void test_a_reader_that_only_has_it_open(void **state)
{
    (void)state;
    insert("1");
    sqlite3 *other = reader(false);
    closed(db);
    db = NULL;
    assert_int_equal(rows_of_copy(false), 1);
    sqlite.sqlite3_close(other);
}

static void test_a_reader_that_holds_up_the_checkpoint(void **state)
{
    (void)state;
    insert("1");
    sqlite3 *other = reader(true);
    insert(MANY);
    assert_true(db->tail.part); /* it could not be brought over */
    insert("1");
    assert_int_equal(rows_of_copy(true), 5002);
    run(other, "COMMIT");
    insert("200"); /* until it is tried again */
    assert_false(db->tail.part);
    assert_int_equal(rows_of_copy(false), -1);
    run(other, "BEGIN; SELECT * FROM t");
    insert("1");
    closed(db); /* cannot be whole: somebody looks at what is older */
    db = NULL;
    assert_int_equal(rows_of_copy(true), 5203);
    sqlite.sqlite3_close(other);
    assert_int_equal(rows_of_copy(true), 5203);
}

static void test_a_wal_without_its_file_is_kept(void **state)
{
    (void)state;
    insert("1");
    killed();
    static const char *const lose[] = {"mv %s %s.away", ": >%s"};
    for (int i = 0; i < 2; i++) {
        shell("cp %s %s.kept", path, path);
        shell(lose[i], path, path);
        for (int mode = DB_EXISTING; mode <= DB_READONLY; mode++) {
            struct db d = {.path = path, .mode = (enum db_mode)mode};
            struct db_job job = {.kind = DB_OPEN};
            db_conn_open(&d, &job);
            assert_non_null(job.error);
            assert_string_equal(job.error->code, "damaged");
            assert_non_null(strstr(job.error->text, "a.db-wal"));
            db_error_free(job.error);
        }
        shell("mv %s.kept %s", path, path);
    }
    assert_int_equal(rows_of_copy(true), 1);
}

static void test_a_link_to_it(void **state)
{
    (void)state;
    insert("1");
    shell("mkdir %s/there; ln -s %s %s/there/c.db", dir, path, dir);
    char name[128];
    snprintf(name, sizeof name, "%s/there/c.db", dir);
    struct db *d = opened(name, DB_READONLY);
    assert_false(d->tail.lost);
    assert_int_equal(count(d), 1);
    closed(d);
}

#define WITH_DB(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(test_the_main_file_alone_is_not_whole),
        WITH_DB(test_a_wal_without_content_is_none),
        WITH_DB(test_a_close_makes_it_whole),
        WITH_DB(test_looking_changes_nothing),
        WITH_DB(test_guarding_it_again_begins_anew),
        WITH_DB(test_checkpoints_in_between),
        WITH_DB(test_another_program_brings_it_over),
        WITH_DB(test_a_reader_that_only_has_it_open),
        WITH_DB(test_a_reader_that_holds_up_the_checkpoint),
        WITH_DB(test_a_wal_without_its_file_is_kept),
        WITH_DB(test_a_link_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
