/* needs: lazy.c lazy_crypto.c */
#include "hash.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void sha256_gives_the_published_digests(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } vectors[] = {
        {"",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char hex[HASH_HEX];
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const char *text = vectors[i].text;
        assert_int_equal(hash_sha256(text, strlen(text), hex), 0);
        assert_string_equal(hex, vectors[i].hex);
    }
}

static void a_file_is_hashed_in_pieces(void **state)
{
    (void)state;
    char path[] = "/tmp/rushes-hash-XXXXXX", hex[HASH_HEX];
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    for (int i = 0; i < 1000; i++) /* a million times "a": FIPS 180-2, B.3 */
        for (int j = 0; j < 1000; j++)
            fputc('a', f);
    fclose(f);
    uint64_t bytes = 0;
    assert_int_equal(hash_file(path, NULL, hex, &bytes), 0);
    assert_string_equal(
        hex,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_int_equal(bytes, 1000000);
    atomic_int stop = 1;
    assert_int_equal(hash_file(path, &stop, hex, &bytes), -ECANCELED);
    unlink(path);
    assert_int_equal(hash_file(path, NULL, hex, &bytes), -ENOENT);
    assert_int_equal(hash_file("/tmp", NULL, hex, &bytes), -EISDIR);
}

/* RFC 4648, section 10. */
static const char *const rfc[][2] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void base64_gives_the_published_texts(void **state)
{
    (void)state;
    char text[16];
    unsigned char bytes[16];
    for (size_t i = 0; i < sizeof rfc / sizeof *rfc; i++) {
        size_t n = strlen(rfc[i][0]), len = strlen(rfc[i][1]);
        hash_base64(rfc[i][0], n, text);
        assert_string_equal(text, rfc[i][1]);
        assert_int_equal(HASH_BASE64(n), len);
        assert_int_equal(hash_unbase64(rfc[i][1], len, bytes), n);
        assert_memory_equal(bytes, rfc[i][0], n);
    }
}

static void large_data_survives_the_way_there_and_back(void **state)
{
    (void)state;
    size_t n = (3u << 20) * 2 + 1; /* more than libcrypto gets at once */
    unsigned char *data = malloc(n), *back = malloc(n + 3);
    char *text = malloc(HASH_BASE64(n) + 1);
    for (size_t i = 0; i < n; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 13);
    hash_base64(data, n, text);
    assert_int_equal(strlen(text), HASH_BASE64(n));
    assert_int_equal(hash_unbase64(text, HASH_BASE64(n), back), n);
    assert_memory_equal(data, back, n);
    free(data);
    free(back);
    free(text);
}

static void what_is_not_base64_is_refused_where_it_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int at; /* index, from 0 */
    } bad[] = {
        {"Zm9", 3},    {"Z", 1},    {"====", 0}, {"Zm=v", 2},
        {"Zm9v\n", 4}, {"Z m9", 1}, {"Zm9-", 3}, {"Zh==", 1},
        {"Zm9=", 2},   {"Z===", 1}, {"Zg=", 2},  {"Zg==Zg==", 2},
    };
    unsigned char out[16];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(hash_unbase64(bad[i].text, strlen(bad[i].text), out),
                         -1 - bad[i].at);
}

int main(void)
{
    const char *why = NULL;
    if (hash_load(&why) < 0)
        return fprintf(stderr, "%s\n", why), 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_digests),
        cmocka_unit_test(a_file_is_hashed_in_pieces),
        cmocka_unit_test(base64_gives_the_published_texts),
        cmocka_unit_test(large_data_survives_the_way_there_and_back),
        cmocka_unit_test(what_is_not_base64_is_refused_where_it_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
