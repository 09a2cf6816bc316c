/* server_api.c - the routes: create, task, output, and the rig's own. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "server.h"

/* As long as a real signed query, so that URLs cost what they cost there. */
#define TOKEN                                                                  \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJrZXlIYXNoIjoiNDJkNWI5MTZhZDk1"    \
    "NTZhMyIsImJ1Y2tldCI6InJ1bndheS10YXNrLWFydGlmYWN0cyIsInN0YWdlIjoicHJv"     \
    "ZCIsImV4cCI6MTc5MDAwMDAwMH0.bench"

static void say(struct reply *r, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct reply *r, int status, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    int n = vsnprintf(r->body, sizeof r->body, format, ap);
    va_end(ap);
    r->status = status;
    r->body_len = n < (int)sizeof r->body ? (size_t)n : sizeof r->body - 1;
}

/* The raw JSON string behind "promptText", or the whole body. */
static struct text prompt_of(const char *body, size_t len)
{
    static const char key[] = "\"promptText\"";
    struct text whole = {body, len};
    const char *end = body + len;
    const char *p = memmem(body, len, key, sizeof key - 1);

    if (!p)
        return whole;
    p += sizeof key - 1;
    while (p < end && (*p == ' ' || *p == ':'))
        p++;
    if (p >= end || *p != '"')
        return whole;
    const char *from = ++p;
    while (p < end && *p != '"')
        p += *p == '\\' ? 2 : 1;
    return p < end ? (struct text){from, (size_t)(p - from)} : whole;
}

/* 0..100, evenly spread. */
static double draw(struct server *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return (double)(s->random >> 11) / (double)(1ull << 53) * 100;
}

/* The task exists either way; some answers never arrive. */
static void lose_some(struct server *s, struct reply *r)
{
    const struct options *o = &s->opt;

    if (o->lose_close <= 0 && o->lose_reset <= 0)
        return;
    double d = draw(s);
    if (d >= o->lose_close + o->lose_reset)
        return;
    r->then = d < o->lose_close ? THEN_LOSE : THEN_RESET;
    s->stats.lost++;
}

static void task_create(struct server *s, const struct request *q,
                        const char *body, struct reply *r)
{
    char id[ID_LEN + 1];
    struct text prompt = prompt_of(body, q->body_len);

    s->stats.posts++;
    if (q->body_len < 2 || body[0] != '{') {
        s->stats.refused++;
        say(r, 400, "{\"error\":\"The body is not a JSON object\"}");
        return;
    }
    if (!set_add(&s->prompts, hash_bytes(prompt.at, prompt.len)))
        s->stats.duplicates++;
    s->stats.tasks++;
    task_id(s, id);
    say(r, 200, "{\"id\":\"%s\",\"estimatedCost\":{\"credits\":60}}", id);
    lose_some(s, r);
}

static void time_text(struct server *s, uint64_t age, char *out, size_t cap)
{
    uint64_t up = uv_now(&s->loop) - s->start_ms;
    int64_t at = s->wall_ms + (int64_t)(up - age);
    time_t t = (time_t)(at / 1000);
    struct tm tm;

    gmtime_r(&t, &tm);
    size_t n = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, cap - n, ".%03dZ", (int)(at % 1000));
}

static void task_show(struct server *s, const struct request *q, struct text id,
                      struct reply *r)
{
    uint64_t seq, age;
    char made[40];
    const struct options *o = &s->opt;

    s->stats.polls++;
    if (!task_find(s, id, &seq, &age)) {
        say(r, 404, "{\"error\":\"Could not find Task\"}");
        return;
    }
    time_text(s, age, made, sizeof made);
    int n = (int)id.len;
    if (!o->hold && age >= o->gen_ms) {
        s->stats.polls_done++;
        say(r, 200,
            "{\"id\":\"%.*s\",\"createdAt\":\"%s\",\"status\":\"SUCCEEDED\","
            "\"output\":[\"%s://%.*s/out/%.*s.mp4?_jwt=" TOKEN "\"],"
            "\"cost\":{\"credits\":60}}",
            n, id.at, made, q->https ? "https" : "http", (int)q->host.len,
            q->host.at, n, id.at);
        return;
    }
    bool pending = !o->steady && age * 10 < o->gen_ms;
    double part = o->steady || o->hold || !o->gen_ms
                      ? 0.5
                      : (double)age / (double)o->gen_ms;
    char progress[40] = "";
    if (!pending)
        snprintf(progress, sizeof progress, "\"progress\":%.3f,", part);
    say(r, 200,
        "{\"id\":\"%.*s\",\"createdAt\":\"%s\",\"status\":\"%s\",%s"
        "\"estimatedCost\":{\"credits\":60}}",
        n, id.at, made, pending ? "PENDING" : "RUNNING", progress);
}

static void task_delete(struct server *s, struct text id, struct reply *r)
{
    uint64_t seq, age;

    s->stats.deletes++;
    if (!task_find(s, id, &seq, &age)) {
        say(r, 404, "{\"error\":\"Could not find Task\"}");
        return;
    }
    set_add(&s->deleted, seq);
    r->status = 204;
}

static void output_send(struct server *s, const struct request *q,
                        struct reply *r)
{
    r->blob = true;
    r->status = 200;
    range_apply(q, s->opt.size, r);
    s->stats.downloads++;
    s->stats.partial += r->status == 206;
}

static bool create_path(struct text path)
{
    static const char *const names[] = {
        "/v1/image_to_video", "/v1/text_to_video",         "/v1/video_to_video",
        "/v1/text_to_image",  "/v1/character_performance", NULL};

    for (const char *const *n = names; *n; n++)
        if (text_is(path, *n))
            return true;
    return false;
}

static void api_v1(struct server *s, const struct request *q, const char *body,
                   struct reply *r)
{
    static const char tasks[] = "/v1/tasks/";
    bool task = text_starts(q->path, tasks);
    struct text id = {q->path.at + sizeof tasks - 1,
                      q->path.len - (task ? sizeof tasks - 1 : 0)};

    if (!q->auth || !q->version) {
        s->stats.refused++;
        say(r, q->auth ? 400 : 401, "{\"error\":\"%s is missing or wrong\"}",
            q->auth ? "X-Runway-Version" : "Authorization");
    } else if (text_is(q->method, "POST") && create_path(q->path)) {
        task_create(s, q, body, r);
    } else if (task && text_is(q->method, "GET")) {
        task_show(s, q, id, r);
    } else if (task && text_is(q->method, "DELETE")) {
        task_delete(s, id, r);
    } else {
        s->stats.refused++;
        say(r, 404, "{\"error\":\"Not found\"}");
    }
}

static void stats_show(struct server *s, struct reply *r)
{
    const struct stats *t = &s->stats;
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                 (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    say(r, 200,
        "{\"posts\":%" PRIu64 ",\"tasks\":%" PRIu64 ",\"duplicates\":%" PRIu64
        ",\"lost\":%" PRIu64 ",\"polls\":%" PRIu64 ",\"polls_done\":%" PRIu64
        ",\"downloads\":%" PRIu64 ",\"partial\":%" PRIu64
        ",\"deletes\":%" PRIu64 ",\"bytes\":%" PRIu64
        ",\"connections\":%" PRIu64 ",\"refused\":%" PRIu64
        ",\"cpu_s\":%.4f}\n",
        t->posts, t->tasks, t->duplicates, t->lost, t->polls, t->polls_done,
        t->downloads, t->partial, t->deletes, t->bytes, t->connections,
        t->refused, cpu);
}

static void api_rig(struct server *s, const struct request *q, struct reply *r)
{
    bool post = text_is(q->method, "POST");

    if (!post && text_is(q->path, "/__stats")) {
        stats_show(s, r);
    } else if (post && text_is(q->path, "/__release")) {
        s->opt.hold = false;
        r->status = 204;
    } else if (post && text_is(q->path, "/__quit")) {
        r->status = 204;
        r->then = THEN_QUIT;
    } else {
        say(r, 404, "{\"error\":\"Not found\"}");
    }
}

void api_answer(struct server *s, const struct request *q, const char *body,
                struct reply *r)
{
    r->then = THEN_KEEP;
    r->blob = false;
    r->from = r->to = r->body_len = 0;
    if (text_starts(q->path, "/v1/"))
        api_v1(s, q, body, r);
    else if (text_starts(q->path, "/out/") && text_is(q->method, "GET"))
        output_send(s, q, r);
    else
        api_rig(s, q, r);
    if (q->close && r->then == THEN_KEEP)
        r->then = THEN_CLOSE;
}
