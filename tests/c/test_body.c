/* test_body.c - bodies of text and files, read in pieces of every size. */
/* needs: lazy.c lazy_crypto.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "body.h"

static char path[] = "/tmp/rushes-body-XXXXXX";

static void write_file(size_t n)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    for (size_t i = 0; i < n; i++)
        fputc((int)(i * 31 % 251), f);
    fclose(f);
}

/* All of a body, read `room` bytes at a time; the caller frees it. */
static char *slurp(struct body *b, size_t room)
{
    size_t size = body_size(b), at = 0;
    char *all = malloc(size + room), piece[200000];
    struct body_reader *r = body_reader_new(b);
    ssize_t n;
    while ((n = body_read(r, piece, room)) > 0) {
        assert_true(at + (size_t)n <= size);
        memcpy(all + at, piece, (size_t)n);
        at += (size_t)n;
    }
    assert_int_equal(n, 0);
    assert_int_equal(at, size);
    body_reader_free(r);
    all[size] = '\0';
    return all;
}

static struct body *make(const struct body_part *parts, size_t n)
{
    int status;
    size_t which;
    struct body *b = body_new(parts, n, &status, &which);
    assert_non_null(b);
    return b;
}

static void test_base64(void **state)
{
    static const char *const want[] = {"<>", "<AA==>", "<AB8=>", "<AB8+>",
                                       "<AB8+XQ==>"};
    const struct body_part parts[] = {{BODY_TEXT, "<", 1, NULL},
                                      {BODY_BASE64, NULL, 0, path},
                                      {BODY_TEXT, ">", 1, NULL}};
    (void)state;
    for (size_t n = 0; n < 5; n++) {
        write_file(n);
        struct body *b = make(parts, 3);
        for (size_t room = 1; room < 12; room++) {
            char *all = slurp(b, room);
            assert_string_equal(all, want[n]);
            free(all);
        }
        body_unref(b);
    }
}

/* Longer than a piece, in three sizes that end in every kind of padding. */
static void test_large_files(void **state)
{
    const struct body_part parts[] = {{BODY_BASE64, NULL, 0, path},
                                      {BODY_TEXT, "|", 1, NULL},
                                      {BODY_FILE, NULL, 0, path}};
    (void)state;
    for (size_t n = 300000; n < 300003; n++) {
        write_file(n);
        struct body *b = make(parts, 3);
        assert_int_equal(body_size(b), (n + 2) / 3 * 4 + 1 + n);
        char *once = slurp(b, 16384), *again = slurp(b, 199999);
        assert_memory_equal(once, again, body_size(b));
        unsigned char *raw = (unsigned char *)once + body_size(b) - n;
        for (size_t i = 0; i < n; i++)
            assert_int_equal(raw[i], i * 31 % 251);
        free(once);
        free(again);
        body_unref(b);
    }
}

static void test_what_cannot_be_read(void **state)
{
    const struct body_part parts[] = {{BODY_TEXT, "", 0, NULL},
                                      {BODY_FILE, NULL, 0, "/no/such/file"}};
    const struct body_part folder = {BODY_FILE, NULL, 0, "/tmp"};
    int status;
    size_t which;
    (void)state;
    assert_null(body_new(parts, 2, &status, &which));
    assert_int_equal(status, UV_ENOENT);
    assert_int_equal(which, 1);
    assert_null(body_new(&folder, 1, &status, &which));
    assert_int_equal(status, UV_EISDIR);
}

static void test_a_file_that_shrinks(void **state)
{
    const struct body_part part = {BODY_BASE64, NULL, 0, path};
    char out[1000];
    (void)state;
    write_file(300000);
    struct body *b = make(&part, 1);
    struct body_reader *r = body_reader_new(b);
    assert_int_equal(body_read(r, out, sizeof out), sizeof out);
    assert_null(body_reader_path(r));
    assert_int_equal(truncate(path, 1000), 0);
    ssize_t n;
    while ((n = body_read(r, out, sizeof out)) > 0)
        ;
    assert_int_equal(n, UV_EIO);
    assert_string_equal(body_reader_path(r), path);
    body_reader_free(r);
    body_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_large_files),
        cmocka_unit_test(test_what_cannot_be_read),
        cmocka_unit_test(test_a_file_that_shrinks),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
