/* test_http_error.c - nothing secret of a URL is shown. */
/* needs: body.c lazy.c lazy_crypto.c lazy_curl.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http_impl.h"

static void test_clean_url(void **state)
{
    static const char *const pairs[][2] = {
        {"https://host/a/b?sig=x#y", "https://host/a/b"},
        {"https://host", "https://host"},
        {"https://host?sig", "https://host"},
        {"https://user:pass@host/a", "https://host/a"},
        {"https://user:p@ss@host/a@b", "https://host/a@b"},
        {"https://host/a@b?c@d", "https://host/a@b"},
        {"https://u:p@host#x", "https://host"},
        {"/path?q", "/path"},
        {"u:p@host/x", "host/x"},
        {"", ""},
    };
    char out[64];
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        http_clean_url(pairs[i][0], out, sizeof out);
        assert_string_equal(out, pairs[i][1]);
    }
    http_clean_url("https://a-long-name/and-a-path?query", out, 14);
    assert_string_equal(out, "https://a-lon");
}

/* Whatever libcurl reports, its own text is shown for TLS only. */
static void test_every_code(void **state)
{
    const char *why;
    (void)state;
    if (curl_load(&why) < 0)
        skip();
    CURL *easy = curl.curl_easy_init();
    for (int code = 1; code < CURL_LAST; code++) {
        struct http_failure f = {0};
        http_classify(easy, (CURLcode)code, "detail", "https://h/p?sig=geheim",
                      &f);
        assert_non_null(f.code);
        assert_null(strstr(f.why, "geheim"));
        assert_non_null(strstr(f.why, "https://h"));
        if (strcmp(f.code, "tls") != 0)
            assert_null(strstr(f.why, "detail"));
    }
    curl.curl_easy_cleanup(easy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clean_url),
                                       cmocka_unit_test(test_every_code)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
