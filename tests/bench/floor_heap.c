/* floor_heap.c - a binary heap of due times. */
#include <stdlib.h>

#include "floor.h"

/* Neighbours become due together: one wake-up serves many polls. */
#define BUCKET_MS 10

void heap_add(struct heap *h, uint64_t at_ms, struct job *job)
{
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 1024;
        h->v = must(realloc(h->v, h->cap * sizeof *h->v));
    }
    at_ms = (at_ms + BUCKET_MS - 1) / BUCKET_MS * BUCKET_MS;
    size_t i = h->n++;
    while (i && h->v[(i - 1) / 2].at > at_ms) {
        h->v[i] = h->v[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->v[i] = (struct due){at_ms, job};
}

struct job *heap_pop(struct heap *h, uint64_t now_ms)
{
    if (!h->n || h->v[0].at > now_ms)
        return NULL;
    struct job *job = h->v[0].job;
    struct due last = h->v[--h->n];
    size_t i = 0, c;
    while ((c = 2 * i + 1) < h->n) {
        if (c + 1 < h->n && h->v[c + 1].at < h->v[c].at)
            c++;
        if (h->v[c].at >= last.at)
            break;
        h->v[i] = h->v[c];
        i = c;
    }
    h->v[i] = last;
    return job;
}
