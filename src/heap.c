/* heap.c - owns nothing but the array of due times. */
#include "heap.h"

#include <stdlib.h>

/* Children of an entry: four are 64 bytes, and half as many nodes have to be
 * told their new place as with two, each of them far away in memory. */
#define WIDTH 4

static void put(struct heap *h, uint32_t i, struct heap_entry e)
{
    h->entries[i] = e;
    e.node->at = i + 1;
}

static void rise(struct heap *h, uint32_t i)
{
    struct heap_entry e = h->entries[i];
    while (i > 0) {
        uint32_t up = (i - 1) / WIDTH;
        if (h->entries[up].due <= e.due)
            break;
        put(h, i, h->entries[up]);
        i = up;
    }
    put(h, i, e);
}

/* h->n or more if there is none. */
static uint32_t least_child(const struct heap *h, uint32_t i)
{
    uint32_t least = WIDTH * i + 1, end = least + WIDTH;
    if (end > h->n)
        end = h->n;
    for (uint32_t k = least + 1; k < end; k++)
        if (h->entries[k].due < h->entries[least].due)
            least = k;
    return least;
}

static void sink(struct heap *h, uint32_t i)
{
    struct heap_entry e = h->entries[i];
    for (;;) {
        uint32_t down = least_child(h, i);
        if (down >= h->n || h->entries[down].due >= e.due)
            break;
        put(h, i, h->entries[down]);
        i = down;
    }
    put(h, i, e);
}

int heap_push(struct heap *h, struct heap_node *node, uint64_t due)
{
    if (h->n == h->room) {
        uint32_t room = h->room ? h->room * 2 : 64;
        void *more = realloc(h->entries, room * sizeof *h->entries);
        if (!more)
            return -1;
        h->entries = more;
        h->room = room;
    }
    h->entries[h->n] = (struct heap_entry){due, node};
    rise(h, h->n++);
    return 0;
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    if (node->at == 0)
        return;
    uint32_t i = node->at - 1;
    node->at = 0;
    struct heap_entry last = h->entries[--h->n];
    if (last.node == node)
        return;
    put(h, i, last);
    rise(h, i);
    sink(h, last.node->at - 1);
}

struct heap_node *heap_first(const struct heap *h, uint64_t *due)
{
    if (h->n == 0)
        return NULL;
    *due = h->entries[0].due;
    return h->entries[0].node;
}

void heap_fini(struct heap *h)
{
    free(h->entries);
    *h = (struct heap){0};
}
