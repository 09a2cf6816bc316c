/* needs: httpd_body.c httpd_reply.c lazy.c lazy_mhd.c */
/* test_httpd.c - what a Range header means. The rest of the server is tested
 * with a real client: tests/lua/httpd_test.lua. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "httpd.h"

struct row {
    const char *range;
    uint64_t size;
    int result;
    uint64_t first, last;
};

static const struct row rows[] = {
    {"bytes=0-0", 10, 1, 0, 0},
    {"bytes=2-5", 10, 1, 2, 5},
    {"bytes=2-", 10, 1, 2, 9},
    {"bytes=2-99", 10, 1, 2, 9},
    {"bytes=-3", 10, 1, 7, 9},
    {"bytes=-99", 10, 1, 0, 9},
    {"bytes=10-", 10, -1, 0, 0},
    {"bytes=-0", 10, -1, 0, 0},
    {"bytes=-5", 0, -1, 0, 0},
    {"bytes=0-", 0, -1, 0, 0},
    /* not understood: send everything */
    {NULL, 10, 0, 0, 0},
    {"bytes=5-2", 10, 0, 0, 0},
    {"bytes=", 10, 0, 0, 0},
    {"bytes=-", 10, 0, 0, 0},
    {"bytes=a-b", 10, 0, 0, 0},
    {"bytes=1-2,4-5", 10, 0, 0, 0},
    {"bytes=1-2x", 10, 0, 0, 0},
    {"lines=1-2", 10, 0, 0, 0},
    {"bytes=99999999999999999999-", 10, 0, 0, 0},
};

static void test_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t first = 0, last = 0;
        int result = httpd_range(rows[i].range, rows[i].size, &first, &last);
        assert_int_equal(result, rows[i].result);
        assert_int_equal(first, rows[i].first);
        assert_int_equal(last, rows[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_range)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
