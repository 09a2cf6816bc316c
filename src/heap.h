/* heap.h - a heap of due times. An element holds a heap_node, so that
 * it can leave at any moment; 12 to 16 bytes per waiting element in all. */
#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
    uint32_t at; /* 1-based place in the array; 0: not in a heap */
};

struct heap_entry {
    uint64_t due; /* any unit, the same for all */
    struct heap_node *node;
};

struct heap {
    struct heap_entry *entries;
    uint32_t n, room;
};

/* 0, or -1 when memory is out. `node` must not be in a heap. */
int heap_push(struct heap *h, struct heap_node *node, uint64_t due);

/* Take `node` out; nothing happens if it is in no heap. */
void heap_remove(struct heap *h, struct heap_node *node);

/* The earliest, or NULL; its due time in *due. */
struct heap_node *heap_first(const struct heap *h, uint64_t *due);

/* Free the array. The elements are the caller's. */
void heap_fini(struct heap *h);

#endif
