/* image.c - owns the signatures of media files and where formats keep their
 * width and height. The bytes are hostile: every offset is checked. */
#include "image.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HEAD 4096

/* A JPEG keeps its size behind any number of segments of up to 64 KB: colour
 * profiles, thumbnails, edit histories. */
#define JPEG_SEGMENTS 4096
#define EXIF_ENTRIES 256

static const struct signature {
    unsigned char offset, len;
    const char *bytes;
    const char *type, *name;
    enum image_kind kind;
} signatures[] = {
    {0, 8, "\x89PNG\r\n\x1a\n", "image/png", "PNG", IMAGE_PICTURE},
    {0, 3, "\xff\xd8\xff", "image/jpeg", "JPEG", IMAGE_PICTURE},
    {0, 6, "GIF87a", "image/gif", "GIF", IMAGE_PICTURE},
    {0, 6, "GIF89a", "image/gif", "GIF", IMAGE_PICTURE},
    {0, 2, "BM", "image/bmp", "BMP", IMAGE_PICTURE},
    {0, 4, "II*\0", "image/tiff", "TIFF", IMAGE_PICTURE},
    {0, 4, "MM\0*", "image/tiff", "TIFF", IMAGE_PICTURE},
    {0, 4, "8BPS", "image/vnd.adobe.photoshop", "Photoshop", IMAGE_PICTURE},
    {0, 4, "\x76\x2f\x31\x01", "image/x-exr", "OpenEXR", IMAGE_PICTURE},
    {0, 4, "SDPX", "image/x-dpx", "DPX", IMAGE_PICTURE},
    {0, 4, "XPDS", "image/x-dpx", "DPX", IMAGE_PICTURE},
    {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", "image/jp2", "JPEG 2000",
     IMAGE_PICTURE},
    {0, 2, "\xff\x0a", "image/jxl", "JPEG XL", IMAGE_PICTURE},
    {0, 12, "\0\0\0\x0cJXL \r\n\x87\n", "image/jxl", "JPEG XL", IMAGE_PICTURE},
    {0, 4, "<svg", "image/svg+xml", "SVG", IMAGE_PICTURE},
    {0, 4, "fLaC", "audio/flac", "FLAC", IMAGE_AUDIO},
    {0, 3, "ID3", "audio/mpeg", "MP3", IMAGE_AUDIO},
    {0, 5, "%PDF-", "application/pdf", "PDF", IMAGE_OTHER},
    {0, 4, "PK\3\4", "application/zip", "ZIP", IMAGE_OTHER},
    /* MOV files from before there was "ftyp" */
    {4, 4, "moov", "video/quicktime", "MOV", IMAGE_VIDEO},
    {4, 4, "mdat", "video/quicktime", "MOV", IMAGE_VIDEO},
    {4, 4, "wide", "video/quicktime", "MOV", IMAGE_VIDEO},
};

/* Major brands of the ISO base media format; anything else is MP4. */
static const struct signature brands[] = {
    {8, 4, "qt  ", "video/quicktime", "MOV", IMAGE_VIDEO},
    {8, 4, "M4A ", "audio/mp4", "M4A", IMAGE_AUDIO},
    {8, 4, "M4B ", "audio/mp4", "M4A", IMAGE_AUDIO},
    {8, 3, "3gp", "video/3gpp", "3GP", IMAGE_VIDEO},
    {8, 3, "avi", "image/avif", "AVIF", IMAGE_PICTURE},
    {8, 3, "hei", "image/heic", "HEIC", IMAGE_PICTURE},
    {8, 3, "hev", "image/heic", "HEIC", IMAGE_PICTURE},
    {8, 3, "mif", "image/heif", "HEIF", IMAGE_PICTURE},
    {8, 3, "msf", "image/heif", "HEIF", IMAGE_PICTURE},
    {8, 0, "", "video/mp4", "MP4", IMAGE_VIDEO},
};

/* After RIFF. */
static const struct signature forms[] = {
    {8, 4, "WEBP", "image/webp", "WebP", IMAGE_PICTURE},
    {8, 4, "WAVE", "audio/wav", "WAV", IMAGE_AUDIO},
    {8, 4, "AVI ", "video/x-msvideo", "AVI", IMAGE_VIDEO},
};

static uint32_t be16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const unsigned char *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static uint32_t le16(const unsigned char *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t le24(const unsigned char *p)
{
    return (uint32_t)p[2] << 16 | le16(p);
}

static uint32_t le32(const unsigned char *p)
{
    return le16(p + 2) << 16 | le16(p);
}

/* Exactly n bytes: 1, or 0 if there are fewer, or a negative errno. */
static int read_at(const struct image_source *src, uint64_t offset, void *buf,
                   size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t k =
            src->read(src->arg, offset + got, (char *)buf + got, n - got);
        if (k <= 0)
            return (int)k;
        got += (size_t)k;
    }
    return 1;
}

static int sized(struct image_info *info, uint32_t width, uint32_t height)
{
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
        return IMAGE_DAMAGED;
    info->width = width;
    info->height = height;
    return 0;
}

/* ---- formats ---- */

static int probe_png(const unsigned char *h, size_t n, struct image_info *info)
{
    if (n < 24 || memcmp(h + 8, "\0\0\0\rIHDR", 8))
        return IMAGE_DAMAGED;
    return sized(info, be32(h + 16), be32(h + 20));
}

static int probe_gif(const unsigned char *h, size_t n, struct image_info *info)
{
    return n < 10 ? IMAGE_DAMAGED : sized(info, le16(h + 6), le16(h + 8));
}

static int probe_webp(const unsigned char *h, size_t n, struct image_info *info)
{
    if (n < 30)
        return IMAGE_DAMAGED;
    const unsigned char *p = h + 20; /* after RIFF, WEBP and the chunk's head */
    if (!memcmp(h + 12, "VP8X", 4))
        return sized(info, le24(p + 4) + 1, le24(p + 7) + 1);
    if (!memcmp(h + 12, "VP8L", 4) && p[0] == 0x2f) {
        uint32_t bits = le32(p + 1);
        return sized(info, (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
    }
    if (!memcmp(h + 12, "VP8 ", 4) && !memcmp(p + 3, "\x9d\x01\x2a", 3))
        return sized(info, le16(p + 6) & 0x3fff, le16(p + 8) & 0x3fff);
    return IMAGE_DAMAGED;
}

/* The orientation in an EXIF segment of `len` bytes at `at`: 1 (upright) when
 * it says nothing that makes sense, 0 when it is another kind of segment. */
static unsigned exif_orientation(const struct image_source *src, uint64_t at,
                                 uint32_t len)
{
    unsigned char head[14], entry[12];
    if (len < sizeof head || read_at(src, at, head, sizeof head) <= 0 ||
        memcmp(head, "Exif\0\0", 6))
        return 0;
    const unsigned char *tiff = head + 6;
    int little = !memcmp(tiff, "II*\0", 4);
    if (!little && memcmp(tiff, "MM\0*", 4))
        return 1;
    uint32_t ifd = little ? le32(tiff + 4) : be32(tiff + 4), room = len - 6;
    if (ifd > room || room - ifd < 2 ||
        read_at(src, at + 6 + ifd, entry, 2) <= 0)
        return 1;
    uint32_t count = little ? le16(entry) : be16(entry);
    if (count > EXIF_ENTRIES)
        return 1;
    for (uint32_t i = 0; i < count && i * 12 + 14 <= room - ifd; i++) {
        if (read_at(src, at + 8 + ifd + i * 12, entry, 12) <= 0)
            return 1;
        if ((little ? le16(entry) : be16(entry)) != 0x0112)
            continue;
        uint32_t v = little ? le16(entry + 8) : be16(entry + 8);
        return v >= 1 && v <= 8 ? v : 1;
    }
    return 1;
}

/* Start of frame: all of C0..CF but DHT, JPG and DAC. */
static int is_frame(unsigned marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
           marker != 0xc8 && marker != 0xcc;
}

static int probe_jpeg(const struct image_source *src, struct image_info *info)
{
    unsigned char b[9]; /* ff marker, length, precision, height, width */
    unsigned turn = 0;
    uint64_t at = 2;
    for (int i = 0; i < JPEG_SEGMENTS; i++) {
        int status = read_at(src, at, b, 4);
        if (status <= 0)
            return status < 0 ? status : IMAGE_DAMAGED;
        if (b[0] != 0xff)
            return IMAGE_DAMAGED;
        if (b[1] == 0xff) { /* a fill byte */
            at++;
            continue;
        }
        uint32_t len = be16(b + 2);
        if (b[1] == 0xd9 || b[1] == 0xda || len < 2)
            return IMAGE_DAMAGED; /* the picture begins or ends, size unsaid */
        if (is_frame(b[1])) {
            status = read_at(src, at, b, sizeof b);
            if (status <= 0)
                return status < 0 ? status : IMAGE_DAMAGED;
            uint32_t h = be16(b + 5), w = be16(b + 7);
            return turn >= 5 ? sized(info, h, w) : sized(info, w, h);
        }
        if (b[1] == 0xe1 && !turn)
            turn = exif_orientation(src, at + 4, len - 2);
        at += 2 + len;
    }
    return IMAGE_DAMAGED;
}

/* ---- signatures ---- */

static int take(struct image_info *info, const char *type, const char *name,
                enum image_kind kind)
{
    *info = (struct image_info){.type = type, .name = name, .kind = kind};
    return 0;
}

static int fits(const struct signature *s, const unsigned char *head, size_t n)
{
    return n >= (size_t)s->offset + s->len &&
           !memcmp(head + s->offset, s->bytes, s->len);
}

static int sniff_table(const struct signature *table, size_t rows,
                       const unsigned char *head, size_t n,
                       struct image_info *info)
{
    for (const struct signature *s = table; s < table + rows; s++)
        if (fits(s, head, n))
            return take(info, s->type, s->name, s->kind);
    return IMAGE_UNKNOWN;
}

/* Matroska and WebM say which they are in the "DocType" of their head. */
static int sniff_ebml(const unsigned char *head, size_t n,
                      struct image_info *info)
{
    const unsigned char *p = memmem(head, n, "\x42\x82", 2);
    size_t left = p ? n - (size_t)(p - head) : 0;
    if (left >= 7 && !memcmp(p + 3, "webm", 4))
        return take(info, "video/webm", "WebM", IMAGE_VIDEO);
    return take(info, "video/x-matroska", "MKV", IMAGE_VIDEO);
}

/* MPEG audio has no signature, only frames that begin with eleven ones. */
static int sniff_frames(const unsigned char *h, size_t n,
                        struct image_info *info)
{
    if (n < 4 || h[0] != 0xff)
        return IMAGE_UNKNOWN;
    if ((h[1] & 0xf6) == 0xf0 && (h[2] >> 2 & 15) < 13)
        return take(info, "audio/aac", "AAC", IMAGE_AUDIO);
    int version = h[1] >> 3 & 3, layer = h[1] >> 1 & 3;
    int rate = h[2] >> 4, frequency = h[2] >> 2 & 3;
    if ((h[1] & 0xe0) == 0xe0 && version != 1 && layer == 1 && rate > 0 &&
        rate < 15 && frequency != 3)
        return take(info, "audio/mpeg", "MP3", IMAGE_AUDIO);
    return IMAGE_UNKNOWN;
}

#define ROWS(table) (sizeof(table) / sizeof *(table))

static int sniff(const unsigned char *head, size_t n, struct image_info *info)
{
    if (n >= 12 && !memcmp(head + 4, "ftyp", 4))
        return sniff_table(brands, ROWS(brands), head, n, info);
    if (n >= 12 && !memcmp(head, "RIFF", 4))
        return sniff_table(forms, ROWS(forms), head, n, info);
    if (n >= 4 && !memcmp(head, "\x1a\x45\xdf\xa3", 4))
        return sniff_ebml(head, n, info);
    if (n >= 4 && !memcmp(head, "OggS", 4))
        return memmem(head, n, "\x80theora", 7)
                   ? take(info, "video/ogg", "OGV", IMAGE_VIDEO)
                   : take(info, "audio/ogg", "Ogg", IMAGE_AUDIO);
    int status = sniff_table(signatures, ROWS(signatures), head, n, info);
    return status ? sniff_frames(head, n, info) : 0;
}

int image_probe(const struct image_source *src, struct image_info *info)
{
    unsigned char head[HEAD];
    size_t n = 0;
    *info = (struct image_info){.kind = IMAGE_OTHER};
    while (n < sizeof head) {
        ssize_t got = src->read(src->arg, n, head + n, sizeof head - n);
        if (got < 0)
            return (int)got;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    int status = sniff(head, n, info);
    if (status)
        return status;
    if (!strcmp(info->name, "PNG"))
        return probe_png(head, n, info);
    if (!strcmp(info->name, "GIF"))
        return probe_gif(head, n, info);
    if (!strcmp(info->name, "WebP"))
        return probe_webp(head, n, info);
    return strcmp(info->name, "JPEG") ? 0 : probe_jpeg(src, info);
}

static ssize_t read_fd(void *arg, uint64_t offset, void *buf, size_t n)
{
    ssize_t got;
    do
        got = pread(*(int *)arg, buf, n, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

int image_probe_fd(int fd, struct image_info *info)
{
    return image_probe(&(struct image_source){read_fd, &fd}, info);
}
