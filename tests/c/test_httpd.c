/* needs: httpd_body.c httpd_reply.c lazy.c lazy_mhd.c */
/* test_httpd.c - what a Range header means, and headers for which there is no
 * memory. The rest of the server is tested with a real client:
 * tests/lua/httpd_test.lua. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "httpd_int.h"

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

/* ---- no memory ---- */

static int copies; /* that can be made; -1: any number */

/* In place of the C library's. */
char *strdup(const char *s)
{
    if (copies == 0)
        return NULL;
    copies -= copies > 0;
    size_t size = strlen(s) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, s, size) : NULL;
}

static int two_pairs(struct MHD_Connection *con, enum MHD_ValueKind kind,
                     MHD_KeyValueIterator fn, void *arg)
{
    (void)con;
    return fn(arg, kind, "Name", "Value") == MHD_YES &&
           fn(arg, kind, "name", NULL) == MHD_YES;
}

static void are_whole(const struct httpd_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        assert_non_null(l->v[i].name);
        assert_non_null(l->v[i].value);
    }
}

static void test_pairs_without_memory(void **state)
{
    (void)state;
    mhd.MHD_get_connection_values = two_pairs;
    for (int n = 0; n <= 8; n++) {
        struct httpd_private p = {.fd = -1, .x.body.fd = -1};
        copies = n;
        assert_int_equal(httpd_read_pairs(&p), n < 8 ? -1 : 0);
        copies = -1;
        are_whole(&p.x.headers);
        are_whole(&p.x.query);
        assert_int_equal(p.x.headers.n + p.x.query.n, n / 2);
        httpd_request_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_pairs_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
