/* image.h - what a file is, by its bytes and never by its name; for pictures
 * also how large they are. Reads a few small pieces of the head only. */
#ifndef IMAGE_H
#define IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum image_kind { IMAGE_PICTURE, IMAGE_VIDEO, IMAGE_AUDIO, IMAGE_OTHER };

struct image_info {
    const char *type; /* "image/png"; static, NULL if unknown */
    const char *name; /* for sentences: "PNG" */
    enum image_kind kind;
    uint32_t width, height; /* pixels as displayed (EXIF turns are applied); 0
                             * for all but PNG, JPEG, WebP and GIF */
};

/* Where the bytes come from. `read` gives how many it has written to `buf`, 0
 * at the end, or a negative errno, which ends the probe. */
struct image_source {
    ssize_t (*read)(void *arg, uint64_t offset, void *buf, size_t n);
    void *arg;
};

#define IMAGE_UNKNOWN 1 /* no format that we know */
#define IMAGE_DAMAGED 2 /* type is set, but its size cannot be read */

/* 0, one of the two above, or a negative errno. */
int image_probe(const struct image_source *src, struct image_info *info);
int image_probe_fd(int fd, struct image_info *info);

#endif
