/* needs: refs_rules.c image.c hash.c lazy.c lazy_crypto.c */
#include "refs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "2222222222222222222222222222222222222222222222222222222222222222"
#define H3 "3333333333333333333333333333333333333333333333333333333333333333"

#define DATA_MAX 5242880

static const struct refs_rules character = {.kind = "character",
                                            .ratio_min = REFS_RATIO_MIN,
                                            .ratio_max = REFS_RATIO_MAX};
static const struct refs_rules asset = {.kind = "asset", .any_media = 1};

static void assert_says(char *why, const char *words)
{
    assert_non_null(why);
    if (!strstr(why, words))
        fail_msg("\"%s\" does not say \"%s\"", why, words);
    free(why);
}

/* ---- versions ---- */

static void new_bytes_are_a_new_version(void **state)
{
    (void)state;
    struct refs *r = refs_new();
    assert_int_equal(refs_version(r, "character", "hero", H1), 1);
    assert_int_equal(refs_version(r, "character", "hero", H1), 1);
    assert_int_equal(refs_version(r, "character", "hero", H2), 2);
    assert_int_equal(refs_version(r, "character", "hero", H1), 1);
    assert_int_equal(refs_version(r, "character", "hero", H3), 3);
    assert_int_equal(refs_version(r, "style", "hero", H3), 1);
    assert_int_equal(refs_version(r, "character", "villain", H1), 1);
    refs_free(r);
}

static void numbers_go_on_from_earlier_runs(void **state)
{
    (void)state;
    struct refs *r = refs_new();
    assert_int_equal(refs_restore(r, "prop", "watch", 3, H3), 0);
    assert_int_equal(refs_restore(r, "prop", "watch", 1, H1), 0);
    assert_int_equal(refs_restore(r, "prop", "watch", 1, H1), 0);
    assert_int_equal(refs_restore(r, "prop", "watch", 1, H2), -EEXIST);
    assert_int_equal(refs_version(r, "prop", "watch", H1), 1);
    assert_int_equal(refs_version(r, "prop", "watch", H3), 3);
    assert_int_equal(refs_version(r, "prop", "watch", H2), 4);
    refs_free(r);
}

static void many_references(void **state)
{
    (void)state;
    struct refs *r = refs_new();
    char name[32];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            snprintf(name, sizeof name, "ref %d", i);
            assert_int_equal(refs_version(r, "prop", name, round ? H2 : H1),
                             round + 1);
        }
    refs_free(r);
}

/* ---- forms ---- */

static struct refs_file picture(uint64_t bytes)
{
    struct refs_file f = {.bytes = bytes, .hash = H1};
    f.info = (struct image_info){.type = "image/png", .kind = IMAGE_PICTURE};
    return f;
}

static void the_data_uri_limit_counts_characters(void **state)
{
    (void)state;
    struct refs *r = refs_new();
    const char *uri = NULL;
    char *why = NULL;
    /* 22 characters of "data:image/png;base64,", then 4 for 3 bytes */
    struct refs_file fits = picture((DATA_MAX - 22) / 4 * 3);
    struct refs_file over = picture((DATA_MAX - 22) / 4 * 3 + 1);
    assert_int_equal(refs_resolve(r, "a", &fits, DATA_MAX, NULL, 0, &uri, &why),
                     REFS_DATA);
    assert_int_equal(
        refs_resolve(r, "a", &over, DATA_MAX, "acc", 0, &uri, &why),
        REFS_NEEDS_UPLOAD);
    assert_int_equal(
        refs_resolve(r, "a.png", &over, DATA_MAX, NULL, 0, &uri, &why),
        REFS_NONE);
    assert_says(why, "3.8 MB at most");
    struct refs_file big = picture(20u << 20);
    assert_int_equal(
        refs_resolve(r, "a.png", &big, DATA_MAX, NULL, 0, &uri, &why),
        REFS_NONE);
    assert_says(why, "\"a.png\" has 20.0 MB");
    refs_free(r);
}

static enum refs_form form_at(struct refs *r, const char *account, double now,
                              const char **uri)
{
    struct refs_file big = picture(20u << 20);
    char *why = NULL;
    return refs_resolve(r, "a", &big, DATA_MAX, account, now, uri, &why);
}

static void an_upload_is_used_again_until_it_is_about_to_expire(void **state)
{
    (void)state;
    struct refs *r = refs_new();
    const char *uri = NULL;
    double day = 86400, t = 1000;
    assert_int_equal(refs_uploaded(r, H1, "acc", "runway://1", day, t), 0);
    assert_int_equal(form_at(r, "acc", t + day - 3601, &uri), REFS_UPLOADED);
    assert_string_equal(uri, "runway://1");
    assert_int_equal(form_at(r, "acc", t + day - 3599, &uri),
                     REFS_NEEDS_UPLOAD);
    assert_int_equal(form_at(r, "other", t, &uri), REFS_NEEDS_UPLOAD);
    assert_int_equal(refs_uploaded(r, H1, "acc", "runway://2", 100, t), 0);
    assert_int_equal(form_at(r, "acc", t + 89, &uri), REFS_UPLOADED);
    assert_string_equal(uri, "runway://2");
    assert_int_equal(form_at(r, "acc", t + 91, &uri), REFS_NEEDS_UPLOAD);
    refs_free(r);
}

/* ---- files ---- */

static char dir[] = "/tmp/rushes-refs-XXXXXX";

static const char *write_file(const char *name, const void *data, size_t len,
                              off_t size)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    if (size)
        assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
    return path;
}

static const char *write_png(unsigned width, unsigned height)
{
    unsigned char png[33] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    for (int i = 0; i < 4; i++) {
        png[16 + i] = (unsigned char)(width >> (24 - 8 * i));
        png[20 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    return write_file("a.png", png, sizeof png, 0);
}

static void refused(const char *path, const struct refs_rules *rules,
                    int status, const char *words)
{
    struct refs_file f = {.bytes = 0};
    char *why = NULL;
    assert_int_equal(refs_measure(path, rules, NULL, &f, &why), status);
    assert_says(why, words);
}

static void what_cannot_be_a_reference_is_a_sentence(void **state)
{
    (void)state;
    refused("/no/such.png", &character, -ENOENT, "no file \"/no/such.png\"");
    refused(dir, &character, -EINVAL, "is a folder");
    refused("/dev/null", &character, -EINVAL, "ordinary file");
    refused(write_file("e.png", "", 0, 0), &character, -EINVAL, "is empty");
    refused(write_file("t.png", "text", 4, 0), &character, -EINVAL,
            "is not a picture: by its content it must be PNG, JPEG or WebP");
    refused(write_file("g.png", "GIF89a\1\1\1\1", 10, 0), &character, -ENOTSUP,
            "is a GIF picture, which is not accepted; convert it to PNG");
    refused(write_file("c.png", "\x89PNG\r\n\x1a\n\0\0\0\r", 12, 0), &character,
            -EINVAL, "cut off");
    refused(write_file("v.mp4",
                       "\0\0\0\x18"
                       "ftypisom",
                       12, 0),
            &character, -EINVAL, "MP4 video, but a character needs a picture");
    refused(write_file("v.avi", "RIFF\0\0\0\0AVI ", 12, 0), &asset, -ENOTSUP,
            "AVI video, which is not accepted; convert it to MP4");
    refused(write_file("l.png", "x", 1, (off_t)REFS_UPLOAD_MAX + 1), &character,
            -EFBIG, "nothing larger than 200 MB");
    refused(write_png(2359, 1000), &character, -EINVAL,
            "too wide: 2359 x 1000");
    refused(write_png(499, 1000), &character, -EINVAL, "too tall");
}

static void measure(const char *path, const struct refs_rules *rules,
                    struct refs_file *f)
{
    char *why = NULL;
    memset(f, 0, sizeof *f);
    assert_int_equal(refs_measure(path, rules, NULL, f, &why), 0);
}

static void what_can_be_one_is_measured(void **state)
{
    (void)state;
    struct refs_file f;
    measure(write_png(2358, 1000), &character, &f);
    assert_int_equal(f.info.width, 2358);
    assert_int_equal(f.bytes, 33);
    assert_int_equal(strlen(f.hash), 64);
    assert_null(f.warning);
    measure(write_png(9000, 9000), &character, &f);
    assert_says(f.warning, "8000 pixels");
    measure(write_png(100, 100), &character, &f);
    assert_says(f.warning, "640 x 640");
    measure(write_png(8000, 100), &asset, &f); /* no rule for assets */
    free(f.warning);
    measure(write_file("v.mp4",
                       "\0\0\0\x18"
                       "ftypisom",
                       12, 0),
            &asset, &f);
    assert_string_equal(f.info.type, "video/mp4");
}

static void a_file_that_has_changed_is_noticed(void **state)
{
    (void)state;
    struct refs_file f;
    char *why = NULL;
    const char *path = write_png(1000, 1000);
    measure(path, &character, &f);
    assert_int_equal(refs_unchanged(path, &f, NULL, &why), 0);
    struct timespec touched[2] = {{1, 0}, {1, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, touched, 0), 0);
    assert_int_equal(refs_unchanged(path, &f, NULL, &why), 0);
    write_png(1000, 1001);
    assert_int_equal(refs_unchanged(path, &f, NULL, &why), -EINVAL);
    assert_says(why, "has changed since it was registered");
    unlink(path);
    assert_int_equal(refs_unchanged(path, &f, NULL, &why), -ENOENT);
    free(why);
}

/* ---- tags and URLs ---- */

static void tags(void **state)
{
    (void)state;
    char *why = NULL;
    static const char *const good[] = {"abc", "Eiffel_Tower", "a23",
                                       "abcdefghijklmnop"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(refs_check_tag(good[i], &why), 0);
    static const char *const bad[] = {
        "",    "ab",    "1ab",         "_ab",
        "a-b", "a b c", "h\xc3\xa9ro", "abcdefghijklmnopq"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(refs_check_tag(bad[i], &why), -EINVAL);
        assert_says(why, "3 to 16");
    }
}

static void any_name_becomes_a_legal_tag(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"hero", "hero"},
        {"Night Watch", "night_watch"},
        {"x", "x_ref"},
        {"", "ref"},
        {"\xc3\x84", "ref"},
        {"2049", "ref_2049"},
        {"the very long name of a place", "the_very_long_na"},
        {"--a--b--", "a_b"},
        {"refs/hero.png", "refs_hero_png"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char tag[REFS_TAG_MAX + 1], *why = NULL;
        refs_make_tag(names[i][0], tag);
        assert_string_equal(tag, names[i][1]);
        assert_int_equal(refs_check_tag(tag, &why), 0);
    }
}

static void urls(void **state)
{
    (void)state;
    char *why = NULL;
    assert_int_equal(refs_check_url("https://example.com/a.jpg?k=1", &why), 0);
    assert_int_equal(refs_check_url("HTTPS://1password.com:8443", &why), 0);
    assert_int_equal(refs_check_url("http://example.com/a.jpg?key=1", &why),
                     -EINVAL);
    assert_null(strstr(why, "key=1"));
    assert_says(why, "not an https URL");
    static const char *const addresses[] = {"https://10.0.0.1/a",
                                            "https://[::1]/a", "https:///a"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(refs_check_url(addresses[i], &why), -EINVAL);
        assert_says(why, "domain name");
    }
    assert_int_equal(refs_check_url("https://me:pw@example.com/", &why),
                     -EINVAL);
    assert_null(strstr(why, "pw"));
    assert_says(why, "user or password");
    assert_int_equal(refs_check_url("https://example.com/a b", &why), -EINVAL);
    assert_says(why, "%XX");
    char url[2100] = "https://example.com/";
    memset(url + strlen(url), 'a', sizeof url - 1 - strlen(url));
    assert_int_equal(refs_check_url(url, &why), -EINVAL);
    assert_says(why, "2099 characters");
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

int main(void)
{
    const char *why = NULL;
    if (hash_load(&why) < 0)
        return fprintf(stderr, "%s\n", why), 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_bytes_are_a_new_version),
        cmocka_unit_test(numbers_go_on_from_earlier_runs),
        cmocka_unit_test(many_references),
        cmocka_unit_test(the_data_uri_limit_counts_characters),
        cmocka_unit_test(an_upload_is_used_again_until_it_is_about_to_expire),
        cmocka_unit_test(what_cannot_be_a_reference_is_a_sentence),
        cmocka_unit_test(what_can_be_one_is_measured),
        cmocka_unit_test(a_file_that_has_changed_is_noticed),
        cmocka_unit_test(tags),
        cmocka_unit_test(any_name_becomes_a_legal_tag),
        cmocka_unit_test(urls),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
