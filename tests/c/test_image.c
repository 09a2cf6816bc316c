/* The heads here are written out by hand from the formats' specifications;
 * tests/lua/refs_test.lua tries files that ffmpeg has made. */
#include "image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct bytes {
    const unsigned char *data;
    size_t size;
    size_t read; /* furthest byte asked for */
};

static ssize_t read_bytes(void *arg, uint64_t offset, void *buf, size_t n)
{
    struct bytes *b = arg;
    if (offset + n > b->read)
        b->read = (size_t)offset + n;
    if (offset >= b->size)
        return 0;
    if (n > b->size - offset)
        n = b->size - offset;
    memcpy(buf, b->data + offset, n);
    return (ssize_t)n;
}

static int probe(const void *data, size_t size, struct image_info *info)
{
    struct bytes b = {data, size, 0};
    return image_probe(&(struct image_source){read_bytes, &b}, info);
}

/* A literal without its final zero. */
#define PROBE(literal, info) probe(literal, sizeof(literal) - 1, info)

static void assert_image(int status, const struct image_info *info,
                         const char *type, unsigned width, unsigned height)
{
    assert_int_equal(status, 0);
    assert_string_equal(info->type, type);
    assert_int_equal(info->kind, IMAGE_PICTURE);
    assert_int_equal(info->width, width);
    assert_int_equal(info->height, height);
}

#define PNG_HEAD "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"

static void png(void **state)
{
    (void)state;
    struct image_info i;
    int status = PROBE(PNG_HEAD "\0\0\x05\0\0\0\x02\xd0\x08\x06\0\0\0", &i);
    assert_image(status, &i, "image/png", 1280, 720);
    assert_int_equal(PROBE(PNG_HEAD "\0\0\x05\0\0\0\x02", &i), IMAGE_DAMAGED);
    assert_int_equal(PROBE(PNG_HEAD "\0\0\0\0\0\0\x02\xd0", &i), IMAGE_DAMAGED);
    assert_int_equal(PROBE(PNG_HEAD "\xff\0\0\0\0\0\x02\xd0", &i),
                     IMAGE_DAMAGED);
    assert_string_equal(i.name, "PNG");
}

static void gif(void **state)
{
    (void)state;
    struct image_info i;
    int status = PROBE("GIF89a\x40\x01\xf0\0\0\0\0", &i);
    assert_image(status, &i, "image/gif", 320, 240);
    assert_int_equal(PROBE("GIF87a\x40\x01", &i), IMAGE_DAMAGED);
}

static void webp(void **state)
{
    (void)state;
    struct image_info i;
    int status = PROBE("RIFF\0\0\0\0WEBPVP8 \0\0\0\0\x30\x01\0\x9d\x01\x2a"
                       "\x80\x02\x68\x41",
                       &i); /* the upper two bits are a scale */
    assert_image(status, &i, "image/webp", 640, 360);
    status =
        PROBE("RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x7f\xc2\x59\0\0\0\0\0\0", &i);
    assert_image(status, &i, "image/webp", 640, 360);
    status =
        PROBE("RIFF\0\0\0\0WEBPVP8X\0\0\0\0\x10\0\0\0\x7f\x02\0\x67\x01\0", &i);
    assert_image(status, &i, "image/webp", 640, 360);
    assert_int_equal(PROBE("RIFF\0\0\0\0WEBPVP8X\0\0\0\0\x10\0\0\0\x7f", &i),
                     IMAGE_DAMAGED);
    assert_int_equal(PROBE("RIFF\0\0\0\0WEBPxxxx\0\0\0\0\x10\0\0\0\x7f\x02\0"
                           "\x67\x01\0",
                           &i),
                     IMAGE_DAMAGED);
}

/* APP1 with one EXIF entry, the orientation, in either byte order. */
#define EXIF_LE(turn)                                                          \
    "\xff\xe1\0\x22"                                                           \
    "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" turn               \
    "\0\0\0\0\0\0\0"
#define EXIF_BE(turn)                                                          \
    "\xff\xe1\0\x22"                                                           \
    "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" turn             \
    "\0\0\0\0\0\0"
#define SOF "\xff\xc2\0\x0b\x08\x02\xd0\x05\0\x01\x01\x11\0"

static void jpeg(void **state)
{
    (void)state;
    struct image_info i;
    assert_image(PROBE("\xff\xd8\xff\xe0\0\x04JF" SOF, &i), &i, "image/jpeg",
                 1280, 720);
    assert_image(PROBE("\xff\xd8\xff\xff\xff" SOF, &i), &i, "image/jpeg", 1280,
                 720);
    assert_int_equal(PROBE("\xff\xd8\xff\xc0\0\x0b\x08\x02", &i),
                     IMAGE_DAMAGED);
    assert_int_equal(PROBE("\xff\xd8\xff\xda\0\x04xx" SOF, &i), IMAGE_DAMAGED);
    assert_int_equal(PROBE("\xff\xd8\xff\xe0\0\x01" SOF, &i), IMAGE_DAMAGED);
    assert_int_equal(
        PROBE("\xff\xd8\xff\xc0\0\x0b\x08\0\0\x05\0\x01\x01\x11\0", &i),
        IMAGE_DAMAGED); /* height "later": no file has that */
    assert_int_equal(PROBE("\xff\xd8\xff\xe0\xff\xff", &i), IMAGE_DAMAGED);
}

static void jpeg_turned_by_exif_is_sized_as_displayed(void **state)
{
    (void)state;
    struct image_info i;
    assert_image(PROBE("\xff\xd8" EXIF_LE("\x06") SOF, &i), &i, "image/jpeg",
                 720, 1280);
    assert_image(PROBE("\xff\xd8" EXIF_BE("\x08") SOF, &i), &i, "image/jpeg",
                 720, 1280);
    assert_image(PROBE("\xff\xd8" EXIF_LE("\x03") SOF, &i), &i, "image/jpeg",
                 1280, 720);
    assert_image(PROBE("\xff\xd8" EXIF_LE("\x09") SOF, &i), &i, "image/jpeg",
                 1280, 720);
    /* APP1 is also XMP, and only the first EXIF counts */
    assert_image(PROBE("\xff\xd8\xff\xe1\0\x10http://ns.ado"
                       "x" EXIF_BE("\x05") EXIF_BE("\x01") SOF,
                       &i),
                 &i, "image/jpeg", 720, 1280);
    /* a directory beyond the segment */
    assert_image(PROBE("\xff\xd8\xff\xe1\0\x22"
                       "Exif\0\0II*\0\xff\xff\xff\xff\x01\0\x12\x01\x03\0\x01\0"
                       "\0\0\x06\0\0\0\0\0\0\0" SOF,
                       &i),
                 &i, "image/jpeg", 1280, 720);
}

static void jpeg_with_large_profiles_is_read_in_small_pieces(void **state)
{
    (void)state;
    static unsigned char data[40 * 65537 + 64];
    struct image_info i;
    size_t at = 2;
    memcpy(data, "\xff\xd8", 2);
    for (int k = 0; k < 40; k++, at += 65537)
        memcpy(data + at, "\xff\xe2\xff\xff", 4);
    memcpy(data + at, SOF, sizeof SOF - 1);
    assert_image(probe(data, sizeof data, &i), &i, "image/jpeg", 1280, 720);
}

/* clang-format off */
static const struct {
    const char *head;
    size_t n;
    const char *type;
    enum image_kind kind;
} media[] = {
#define ROW(head, type, kind) {head "________", sizeof head + 7, type, kind}
    ROW("\0\0\0\x18" "ftypisom", "video/mp4", IMAGE_VIDEO),
    ROW("\0\0\0\x18" "ftypmp42", "video/mp4", IMAGE_VIDEO),
    ROW("\0\0\0\x14" "ftypqt  ", "video/quicktime", IMAGE_VIDEO),
    ROW("\0\0\0\x08" "wide\0\0\0\0mdat", "video/quicktime", IMAGE_VIDEO),
    ROW("\0\0\0\x18" "ftyp3gp5", "video/3gpp", IMAGE_VIDEO),
    ROW("\0\0\0\x18" "ftypM4A ", "audio/mp4", IMAGE_AUDIO),
    ROW("\0\0\0\x18" "ftypheic", "image/heic", IMAGE_PICTURE),
    ROW("\0\0\0\x18" "ftypavif", "image/avif", IMAGE_PICTURE),
    ROW("\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "video/webm", IMAGE_VIDEO),
    ROW("\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", "video/x-matroska", IMAGE_VIDEO),
    ROW("OggS\0\2\0\0\x80theora", "video/ogg", IMAGE_VIDEO),
    ROW("OggS\0\2\0\0\1vorbis", "audio/ogg", IMAGE_AUDIO),
    ROW("RIFF\0\0\0\0WAVEfmt ", "audio/wav", IMAGE_AUDIO),
    ROW("RIFF\0\0\0\0AVI LIST", "video/x-msvideo", IMAGE_VIDEO),
    ROW("ID3\4\0", "audio/mpeg", IMAGE_AUDIO),
    ROW("\xff\xfb\x90\x64", "audio/mpeg", IMAGE_AUDIO),
    ROW("\xff\xf1\x50\x80", "audio/aac", IMAGE_AUDIO),
    ROW("fLaC\0", "audio/flac", IMAGE_AUDIO),
    ROW("II*\0", "image/tiff", IMAGE_PICTURE),
    ROW("8BPS", "image/vnd.adobe.photoshop", IMAGE_PICTURE),
    ROW("\x76\x2f\x31\x01", "image/x-exr", IMAGE_PICTURE),
    ROW("%PDF-1.7", "application/pdf", IMAGE_OTHER),
};
/* clang-format on */

static void other_media_are_known_by_their_bytes(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof media / sizeof *media; k++) {
        struct image_info i;
        assert_int_equal(probe(media[k].head, media[k].n, &i), 0);
        assert_string_equal(i.type, media[k].type);
        assert_int_equal(i.kind, media[k].kind);
    }
}

static void what_is_no_media_is_unknown(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "x",
        "<!DOCTYPE html><html>",
        "local x = 1\n",
        "RIFF....XXXX",
        "\xff\xfe<\xff",
    };
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        struct image_info i;
        assert_int_equal(probe(texts[k], strlen(texts[k]), &i), IMAGE_UNKNOWN);
        assert_null(i.type);
    }
}

/* Every beginning of a good file is damaged or unknown, never a wrong size. */
static void no_cut_makes_up_a_size(void **state)
{
    (void)state;
    static const char file[] =
        "\xff\xd8" EXIF_LE("\x06") "\xff\xdb\0\x04xx" SOF;
    for (size_t n = 0; n < sizeof file - 1 - 4; n++) {
        struct image_info i;
        int status = probe(file, n, &i);
        assert_int_equal(status, n < 3 ? IMAGE_UNKNOWN : IMAGE_DAMAGED);
        assert_int_equal(i.width, 0);
    }
}

/* A JPEG whose second segment cannot be read. */
static ssize_t read_bad_disk(void *arg, uint64_t offset, void *buf, size_t n)
{
    (void)arg;
    static const unsigned char head[] = "\xff\xd8\xff\xe0\xff\xff";
    struct bytes b = {head, sizeof head - 1, 0};
    return offset > sizeof head ? -EIO : read_bytes(&b, offset, buf, n);
}

static void a_disk_that_fails_is_not_a_damaged_picture(void **state)
{
    (void)state;
    struct image_info i;
    assert_int_equal(
        image_probe(&(struct image_source){read_bad_disk, NULL}, &i), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png),
        cmocka_unit_test(gif),
        cmocka_unit_test(webp),
        cmocka_unit_test(jpeg),
        cmocka_unit_test(jpeg_turned_by_exif_is_sized_as_displayed),
        cmocka_unit_test(jpeg_with_large_profiles_is_read_in_small_pieces),
        cmocka_unit_test(other_media_are_known_by_their_bytes),
        cmocka_unit_test(what_is_no_media_is_unknown),
        cmocka_unit_test(no_cut_makes_up_a_size),
        cmocka_unit_test(a_disk_that_fails_is_not_a_damaged_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
