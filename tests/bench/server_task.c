/* server_task.c - task ids that remember their birth, and number sets. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "server.h"

/* Spread the bits of n (splitmix64's last step). */
static uint64_t mix(uint64_t n)
{
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9u;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebu;
    return n ^ (n >> 31);
}

/* 24 bits that only this server's ids carry. */
static uint32_t seal(const struct server *s, uint32_t ms, uint64_t seq)
{
    return (uint32_t)(mix(mix(seq) ^ ms ^ s->opt.seed) & 0xffffff);
}

/* A version 4 UUID by shape: age, seal, number. */
void task_id(struct server *s, char out[ID_LEN + 1])
{
    uint32_t ms = (uint32_t)(uv_now(&s->loop) - s->start_ms);
    uint64_t seq = ++s->seq;
    uint32_t mark = seal(s, ms, seq);

    snprintf(out, ID_LEN + 1, "%08x-%04x-4%03x-a%03x-%012llx", ms,
             (mark >> 12) & 0xfff, mark & 0xfff, (unsigned)(mix(seq) & 0xfff),
             (unsigned long long)seq & 0xffffffffffffu);
}

/* n hex digits at p, or UINT64_MAX. */
static uint64_t hex(const char *p, int n)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            return UINT64_MAX;
        v = v << 4 | (uint64_t)d;
    }
    return v;
}

bool task_find(struct server *s, struct text id, uint64_t *seq, uint64_t *age)
{
    if (id.len != ID_LEN)
        return false;
    uint64_t ms = hex(id.at, 8);
    uint64_t high = hex(id.at + 9, 4), low = hex(id.at + 15, 3);
    *seq = hex(id.at + 24, 12);
    if (ms == UINT64_MAX || high == UINT64_MAX || low == UINT64_MAX ||
        *seq == UINT64_MAX || *seq == 0 || *seq > s->seq)
        return false;
    if (seal(s, (uint32_t)ms, *seq) != (high << 12 | low))
        return false;
    uint64_t born = s->start_ms + ms;
    uint64_t now = uv_now(&s->loop);
    *age = now > born ? now - born : 0;
    return !set_has(&s->deleted, *seq);
}

uint64_t hash_bytes(const char *p, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
    return mix(h);
}

/* Where n is, or the empty slot where it belongs.  0 marks empty. */
static size_t set_slot(const struct set *set, uint64_t n)
{
    size_t i = mix(n) & (set->cap - 1);

    while (set->slot[i] && set->slot[i] != n)
        i = (i + 1) & (set->cap - 1);
    return i;
}

static void set_grow(struct set *set)
{
    struct set old = *set;

    set->cap = old.cap ? old.cap * 2 : 1024;
    set->slot = calloc(set->cap, sizeof *set->slot);
    if (!set->slot) {
        fputs("bench server: out of memory\n", stderr);
        exit(1);
    }
    for (size_t i = 0; i < old.cap; i++)
        if (old.slot[i])
            set->slot[set_slot(set, old.slot[i])] = old.slot[i];
    free(old.slot);
}

bool set_add(struct set *set, uint64_t n)
{
    if (set->used * 2 >= set->cap)
        set_grow(set);
    n = n ? n : 1;
    size_t i = set_slot(set, n);
    if (set->slot[i])
        return false;
    set->slot[i] = n;
    set->used++;
    return true;
}

bool set_has(const struct set *set, uint64_t n)
{
    return set->cap && set->slot[set_slot(set, n ? n : 1)] != 0;
}
