/* slab.c - owns chunks, cut into blocks; free blocks are linked by size. */
#include "slab.h"

#include <stdlib.h>
#include <string.h>

#define GRAIN 16u          /* block sizes are multiples of it */
#define SMALL 1536u        /* larger blocks are malloc's */
#define CHUNK (128u << 10) /* from malloc, so below its mmap threshold */
#define CLASSES (SMALL / GRAIN + 1)

struct free_block {
    struct free_block *next;
};

struct chunk {
    struct chunk *next;
    _Alignas(GRAIN) char bytes[];
};

struct slab {
    struct free_block *free[CLASSES];
    struct chunk *chunks;
    char *at, *end; /* of the newest chunk, not yet cut */
};

static unsigned class_of(size_t size)
{
    return (unsigned)((size + GRAIN - 1) / GRAIN);
}

struct slab *slab_new(void)
{
    return calloc(1, sizeof(struct slab));
}

/* What the old chunk has left becomes a free block. */
static int more(struct slab *s)
{
    struct chunk *c = malloc(CHUNK);
    if (!c)
        return -1;
    size_t rest = (size_t)(s->end - s->at);
    if (rest >= GRAIN) {
        struct free_block *b = (struct free_block *)(void *)s->at;
        b->next = s->free[rest / GRAIN];
        s->free[rest / GRAIN] = b;
    }
    c->next = s->chunks;
    s->chunks = c;
    s->at = c->bytes;
    s->end = c->bytes + (CHUNK - sizeof *c) / GRAIN * GRAIN;
    return 0;
}

static void *take(struct slab *s, size_t size)
{
    if (size > SMALL)
        return malloc(size);
    unsigned k = class_of(size);
    struct free_block *b = s->free[k];
    if (b) {
        s->free[k] = b->next;
        /* what a sweep has freed is cold when its turn comes */
        __builtin_prefetch(b->next, 1);
        return b;
    }
    if ((size_t)(s->end - s->at) < k * GRAIN && more(s) < 0)
        return NULL;
    void *block = s->at;
    s->at += k * GRAIN;
    return block;
}

static void give(struct slab *s, void *block, size_t size)
{
    if (size > SMALL) {
        free(block);
        return;
    }
    struct free_block *b = block;
    b->next = s->free[class_of(size)];
    s->free[class_of(size)] = b;
}

void *slab_alloc(void *slab, void *block, size_t old_size, size_t new_size)
{
    struct slab *s = slab;
    if (!block)
        return new_size ? take(s, new_size) : NULL;
    if (new_size == 0) {
        give(s, block, old_size);
        return NULL;
    }
    if (old_size > SMALL && new_size > SMALL)
        return realloc(block, new_size);
    if (old_size <= SMALL && new_size <= SMALL &&
        class_of(old_size) == class_of(new_size))
        return block;
    void *other = take(s, new_size);
    if (!other)
        return new_size < old_size ? block : NULL; /* shrinking never fails */
    memcpy(other, block, old_size < new_size ? old_size : new_size);
    give(s, block, old_size);
    return other;
}

void slab_free(struct slab *s)
{
    struct chunk *c;
    while ((c = s->chunks)) {
        s->chunks = c->next;
        free(c);
    }
    free(s);
}
