/* needs: image.c */
/* fuzz_image.c - any bytes at all as a media file. */
#include <stdlib.h>
#include <string.h>

#include "image.h"

struct bytes {
    const uint8_t *data;
    size_t size;
    size_t piece; /* at most so many a read, as a pipe or a disk may do */
};

static ssize_t read_bytes(void *arg, uint64_t offset, void *buf, size_t n)
{
    const struct bytes *b = arg;
    if (offset >= b->size)
        return 0;
    if (n > b->size - offset)
        n = b->size - offset;
    if (n > b->piece)
        n = b->piece;
    memcpy(buf, b->data + offset, n);
    return (ssize_t)n;
}

static int probe(const uint8_t *data, size_t size, size_t piece,
                 struct image_info *info)
{
    struct bytes b = {data, size, piece};
    return image_probe(&(struct image_source){read_bytes, &b}, info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image_info whole, pieces;
    int status = probe(data, size, size + 1, &whole);
    if (status < 0 || status > IMAGE_DAMAGED)
        abort(); /* the source never fails */
    if ((status == IMAGE_UNKNOWN) != (whole.type == NULL))
        abort();
    if (status == 0 && (whole.width == 0) != (whole.height == 0))
        abort();
    /* the answer does not depend on how the bytes arrive */
    if (probe(data, size, 7, &pieces) != status || pieces.type != whole.type ||
        pieces.width != whole.width || pieces.height != whole.height)
        abort();
    return 0;
}
