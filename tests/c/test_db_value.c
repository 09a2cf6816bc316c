/* test_db_value.c - what is put comes out again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "db_value.h"

static void test_values(void **state)
{
    struct db_buf b = {0};
    struct db_value in[] = {{.type = DB_NULL},
                            {.type = DB_INTEGER, .i = INT64_MIN},
                            {.type = DB_REAL, .d = -0.5},
                            {.type = DB_TEXT, .s = "a\0b", .n = 3},
                            {.type = DB_TEXT, .s = "", .n = 0}};
    size_t n = sizeof in / sizeof *in;
    (void)state;
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(db_put(&b, &in[i % n]), 0);
    const char *at = b.data;
    for (size_t i = 0; i < 1000; i++) {
        struct db_value v = {0}, w = in[i % n];
        at = db_get(at, &v);
        assert_int_equal(v.type, w.type);
        if (v.type == DB_TEXT) {
            assert_int_equal(v.n, w.n);
            assert_memory_equal(v.s, w.s, w.n);
            assert_int_equal(v.s[v.n], 0);
        } else if (v.type != DB_NULL) {
            assert_int_equal(v.i, w.i);
        }
    }
    assert_ptr_equal(at, b.data + b.len);
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
