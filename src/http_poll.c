/* http_poll.c - owns the heap of waiting polls and its timer. */
#include "http_poll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash.h"

/* Due together, asked together: fewer wake-ups. A share of the interval. */
#define BUCKETS 64
#define BUCKET_MIN_MS 16
#define BUCKET_MAX_MS 128

#define BACKOFF_CAP_MS 60000
#define RETRY_AFTER_CAP_MS 300000

struct http_polls {
    uv_timer_t timer;
    struct heap heap;
    uint64_t armed; /* ms; 0: not */
    uint64_t random;
};

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* ---- the clock ---- */

static void on_timer(uv_timer_t *timer);

static void arm(struct http_polls *ps)
{
    uint64_t due, now = now_ms();
    if (!heap_first(&ps->heap, &due) || (ps->armed && ps->armed <= due))
        return;
    ps->armed = due;
    uv_update_time(ps->timer.loop);
    uv_timer_start(&ps->timer, on_timer, due > now ? due - now : 0, 0);
}

/* 0 to `below` - 1, by xorshift: only to spread the polls. */
static uint64_t some(struct http_polls *ps, uint64_t below)
{
    uint64_t r = ps->random;
    r ^= r << 13;
    r ^= r >> 7;
    r ^= r << 17;
    ps->random = r;
    return r % below;
}

static uint64_t jitter(struct http_polls *ps, uint64_t ms)
{
    return ms - ms / 10 + some(ps, ms / 10 * 2 + 1);
}

static void give_up(struct http_poll *p)
{
    struct http_answer a = {.code = "timeout",
                            .transient = true,
                            .sent = true,
                            .status = p->status,
                            .retry_after = -1,
                            .url = "",
                            .why = "the deadline passed and the answer had "
                                   "not changed"};
    char why[128];
    if (p->misses && p->status)
        snprintf(why, sizeof why,
                 "the deadline passed; the last answer was HTTP %d", p->status);
    else if (p->misses)
        snprintf(why, sizeof why, "the deadline passed without an answer");
    if (p->misses)
        a.why = why;
    p->done(p, &a);
}

static void wait(struct http_poll *p, uint64_t ms)
{
    struct http_polls *ps = p->polls;
    uint64_t bucket = ms / BUCKETS / BUCKET_MIN_MS * BUCKET_MIN_MS;
    if (bucket < BUCKET_MIN_MS)
        bucket = BUCKET_MIN_MS;
    if (bucket > BUCKET_MAX_MS)
        bucket = BUCKET_MAX_MS;
    uint64_t due = (now_ms() + ms + bucket - 1) / bucket * bucket;
    if (due > p->deadline)
        due = p->deadline;
    if (heap_push(&ps->heap, &p->node, due) < 0) {
        struct http_answer a = {.code = "no_memory",
                                .why = "not enough memory to wait",
                                .sent = true,
                                .retry_after = -1,
                                .url = ""};
        p->done(p, &a);
        return;
    }
    arm(ps);
}

static void ask(struct http_poll *p, uint64_t left)
{
    struct http_spec *s = p->job.spec;
    if (left < (s->timeout_ms ? s->timeout_ms : HTTP_TIMEOUT_MS))
        s->timeout_ms = (uint32_t)left;
    http_job_start(&p->job);
}

static void on_timer(uv_timer_t *timer)
{
    struct http_polls *ps = timer->data;
    struct heap_node *node;
    uint64_t due, now = now_ms();
    ps->armed = 0;
    while ((node = heap_first(&ps->heap, &due)) && due <= now) {
        struct http_poll *p =
            (struct http_poll *)((char *)node -
                                 offsetof(struct http_poll, node));
        heap_remove(&ps->heap, node);
        if (now >= p->deadline)
            give_up(p);
        else
            ask(p, p->deadline - now);
    }
    arm(ps);
}

/* ---- answers ---- */

static bool may_pass(const struct http_answer *a)
{
    if (a->code)
        return a->transient;
    return a->status >= 500 || a->status == 408 || a->status == 429 ||
           (a->html && a->status < 400);
}

static void ride_out(struct http_poll *p, const struct http_answer *a)
{
    unsigned shift = p->misses < 6 ? p->misses : 6;
    uint64_t ms = (uint64_t)p->every << shift;
    if (ms > BACKOFF_CAP_MS)
        ms = p->every > BACKOFF_CAP_MS ? p->every : BACKOFF_CAP_MS;
    ms = jitter(p->polls, ms);
    if (a->retry_after * 1000 > RETRY_AFTER_CAP_MS)
        ms = RETRY_AFTER_CAP_MS;
    else if (a->retry_after * 1000 > (double)ms)
        ms = (uint64_t)(a->retry_after * 1000);
    if (p->misses < UINT8_MAX)
        p->misses++;
    p->status = (uint16_t)a->status;
    wait(p, ms);
}

static void on_answer(struct http_job *job, const struct http_answer *a)
{
    struct http_poll *p = (struct http_poll *)job; /* its first member */
    if (may_pass(a)) {
        ride_out(p, a);
    } else if (!a->code && a->status == 200 && p->seen &&
               http_poll_digest(a->body, a->body_len) == p->seen) {
        p->misses = 0;
        p->status = 200;
        wait(p, jitter(p->polls, p->every));
    } else {
        crash_point("net.poll.answer");
        p->done(p, a);
    }
}

/* ---- public ---- */

struct http_polls *http_polls_new(uv_loop_t *loop)
{
    struct http_polls *ps = calloc(1, sizeof *ps);
    if (!ps)
        return NULL;
    uv_timer_init(loop, &ps->timer);
    ps->timer.data = ps;
    ps->random = uv_hrtime() | 1;
    return ps;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void http_polls_close(struct http_polls *ps)
{
    heap_fini(&ps->heap);
    uv_close((uv_handle_t *)&ps->timer, on_closed);
}

static uint64_t to_ms(double seconds)
{
    return seconds > 0 ? (uint64_t)(seconds * 1000) : 0;
}

void http_poll_start(struct http_polls *ps, struct http_poll *p,
                     struct http_client *client, struct http_spec *spec,
                     const struct http_poll_options *o)
{
    http_job_init(&p->job, client, spec, HTTP_POLL);
    p->job.done = on_answer;
    p->polls = ps;
    p->seen = o->seen;
    p->every = (uint32_t)to_ms(o->every);
    p->deadline = now_ms() + to_ms(o->deadline);
    uint64_t first = to_ms(o->first); /* never sooner: it would be in vain */
    wait(p, first + some(ps, first / 10 + 1));
}

void http_poll_stop(struct http_poll *p)
{
    heap_remove(&p->polls->heap, &p->node);
    http_job_fini(&p->job);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    __extension__ typedef unsigned __int128 wide;
    wide m = (wide)(h ^ v) * 0x9e3779b97f4a7c15u;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t http_poll_digest(const char *data, size_t len)
{
    uint64_t h = mix(0x243f6a8885a308d3u, len), v = 0;
    for (; len >= sizeof v; len -= sizeof v, data += sizeof v) {
        memcpy(&v, data, sizeof v);
        h = mix(h, v);
    }
    v = 0;
    memcpy(&v, data, len);
    h = mix(mix(h, v), 0x13198a2e03707344u);
    return h ? h : 1;
}
