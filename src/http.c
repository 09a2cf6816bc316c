/* http.c - owns the jobs: the gate in front of libcurl, deadlines, the way
 * from libcurl's messages to a job's callback. */
#include "http_impl.h"

#include <stdlib.h>
#include <string.h>

/* Body bytes in flight: reading and encoding references is cheap, holding
 * hundreds of them in socket buffers is not. */
#define UPLOAD_MAX ((size_t)64 << 20)
#define REDIRECTS_MAX 5

/* ---- what to send ---- */

static char *add(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

struct http_spec *http_spec_new(const struct http_spec_options *o)
{
    size_t url_len = strlen(o->url), size = url_len + 1 + o->data_len;
    for (size_t i = 0; i < o->n_headers; i++)
        size += strlen(o->headers[i]) + 1;
    struct http_spec *s = malloc(sizeof *s + size);
    if (!s) {
        if (o->body)
            body_unref(o->body);
        return NULL;
    }
    *s = (struct http_spec){.body = o->body,
                            .max_body = o->max_body,
                            .data_len = o->data_len,
                            .timeout_ms = o->timeout_ms,
                            .url_len = (uint32_t)url_len,
                            .n_headers = (uint16_t)o->n_headers,
                            .method = (uint8_t)o->method,
                            .flags = (uint8_t)o->flags};
    char *at = add(s->text, o->url, url_len + 1);
    for (size_t i = 0; i < o->n_headers; i++)
        at = add(at, o->headers[i], strlen(o->headers[i]) + 1);
    if (o->data_len)
        add(at, o->data, o->data_len);
    return s;
}

void http_spec_free(struct http_spec *s)
{
    if (!s)
        return;
    if (s->body)
        body_unref(s->body);
    free(s);
}

/* ---- deadlines ---- */

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void on_wheel(uv_timer_t *timer);

/* Most deadlines are later than the armed one and never reached, so a timer
 * is armed only for an earlier one and looks again when it fires. */
static void arm(struct http *h)
{
    uint64_t due;
    if (!heap_first(&h->deadlines, &due) || (h->armed && h->armed <= due))
        return;
    uint64_t now = now_ms();
    h->armed = due > 0 ? due : 1;
    uv_update_time(h->curl.loop);
    uv_timer_start(&h->wheel, on_wheel, due > now ? due - now : 0, 0);
}

static void release(struct http_xfer *x);
static void finish(struct http_xfer *x, CURLcode code);

static void on_wheel(uv_timer_t *timer)
{
    struct http *h = timer->data;
    struct heap_node *node;
    uint64_t due, now = now_ms();
    h->armed = 0;
    while ((node = heap_first(&h->deadlines, &due)) && due <= now) {
        struct http_xfer *x =
            (struct http_xfer *)((char *)node -
                                 offsetof(struct http_xfer, deadline));
        x->timed_out = true;
        curl.curl_multi_remove_handle(h->curl.multi, x->easy);
        finish(x, CURLE_OPERATION_TIMEDOUT);
    }
    arm(h);
}

/* ---- the gate ---- */

static void answer_failure(struct http_job *job, const char *code,
                           const char *why)
{
    struct http_answer a = {
        .code = code, .why = why, .retry_after = -1, .url = ""};
    job->done(job, &a);
}

static struct http_xfer *take_xfer(struct http_client *c)
{
    struct http_xfer *x = TAILQ_FIRST(&c->idle);
    if (!x)
        return http_xfer_new(c);
    TAILQ_REMOVE(&c->idle, x, link);
    return x;
}

static size_t upload_size(const struct http_spec *s)
{
    return s->body ? body_size(s->body) : 0;
}

static void begin(struct http_client *c, struct http_job *job)
{
    struct http *h = c->http;
    struct http_xfer *x = take_xfer(c);
    if (!x) {
        answer_failure(job, "no_memory", "not enough memory for a request");
        return;
    }
    x->job = job;
    job->xfer = x;
    c->running++;
    x->upload = upload_size(job->spec);
    h->uploading += x->upload;
    uint32_t ms = job->spec->timeout_ms;
    x->ends = now_ms() + (ms ? ms : c->timeout_ms);
    HTTP_CRASH_POINT(job, "add");
    /* prepare explains its own failures in x->error */
    char why[CURL_ERROR_SIZE] = "not enough memory for a request";
    const char *code = "no_memory";
    if (http_xfer_prepare(x, job) < 0) {
        code = "invalid";
        memcpy(why, x->error, sizeof why);
    } else if (heap_push(&h->deadlines, &x->deadline, x->ends) == 0 &&
               curl.curl_multi_add_handle(h->curl.multi, x->easy) == CURLM_OK) {
        h->requests[job->cls]++;
        arm(h);
        return;
    }
    job->xfer = NULL;
    release(x);
    answer_failure(job, code, why);
}

static struct http_job *next_job(struct http_client *c)
{
    for (int cls = 0; cls < HTTP_CLASSES; cls++) {
        struct http_job *job = TAILQ_FIRST(&c->queue[cls]);
        if (!job)
            continue;
        size_t size = upload_size(job->spec), busy = c->http->uploading;
        if (size && busy && busy + size > UPLOAD_MAX)
            continue; /* until others have been sent; small ones may pass */
        return job;
    }
    return NULL;
}

static void unqueue(struct http_job *job)
{
    TAILQ_REMOVE(&job->client->queue[job->cls], job, link);
    job->queued = 0;
}

static void pump(struct http_client *c)
{
    struct http_job *job;
    http_client_ref(c); /* a callback may drop the last job */
    while (c->running < c->slots && (job = next_job(c))) {
        unqueue(job);
        begin(c, job);
    }
    http_client_unref(c);
}

static void pump_starved(struct http_loop *l)
{
    struct http *h = (struct http *)l;
    struct http_client *c = LIST_FIRST(&h->clients), *next;
    for (; c; c = next) {
        next = LIST_NEXT(c, link);
        if (!c->starved)
            continue;
        c->starved = false;
        pump(c);
        next = LIST_FIRST(&h->clients); /* the list may have changed */
    }
}

/* Upload room is shared, so any client may now have something to start. */
static void wake_all(struct http *h)
{
    struct http_client *c;
    LIST_FOREACH(c, &h->clients, link)
    c->starved = true;
    http_loop_kick(&h->curl);
}

/* The exchange has left libcurl: make its slot free. Its job is not touched,
 * it may be gone. */
static void release(struct http_xfer *x)
{
    struct http_client *c = x->client;
    struct http *h = c->http;
    heap_remove(&h->deadlines, &x->deadline);
    h->uploading -= x->upload;
    if (x->upload)
        wake_all(h);
    x->job = NULL;
    c->running--;
    http_xfer_reset(x);
    TAILQ_INSERT_HEAD(&c->idle, x, link); /* warm memory first */
}

/* ---- from libcurl's end to the job's ---- */

static struct http_spec *spec_at(const struct http_spec *old, const char *url)
{
    const char *headers[HTTP_HEADERS_MAX];
    const char *at = old->text + old->url_len + 1;
    for (int i = 0; i < old->n_headers; i++, at += strlen(at) + 1)
        headers[i] = at;
    return http_spec_new(
        &(struct http_spec_options){.method = old->method,
                                    .flags = old->flags | HTTP_ABSOLUTE,
                                    .url = url,
                                    .headers = headers,
                                    .n_headers = old->n_headers,
                                    .timeout_ms = old->timeout_ms,
                                    .max_body = old->max_body});
}

/* True: the job goes on at another address. */
static bool redirect(struct http_xfer *x, struct http_job *job,
                     const struct http_answer *a)
{
    const char *to = NULL;
    if (!(job->spec->flags & HTTP_FOLLOW) || a->code || a->status < 301 ||
        a->status > 308 || job->redirects >= REDIRECTS_MAX)
        return false;
    curl.curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &to);
    if (!http_client_follows(x->client, &x->route, x->secret_sent, to))
        return false;
    struct http_spec *s = spec_at(job->spec, to);
    if (!s)
        return false;
    http_spec_free(job->spec);
    job->spec = s;
    job->redirects++;
    return true;
}

static void finish(struct http_xfer *x, CURLcode code)
{
    struct http_client *c = x->client;
    struct http_job *job = x->job;
    struct http_answer a;
    struct http_failure f;
    http_client_ref(c);
    http_explain(x, code, &a, &f);
    job->xfer = NULL;
    if (redirect(x, job, &a)) {
        job->queued = 1;
        TAILQ_INSERT_HEAD(&c->queue[job->cls], job, link);
    } else {
        HTTP_CRASH_POINT(job, "answer");
        job->done(job, &a); /* reads from the exchange's buffers */
    }
    release(x);
    pump(c);
    http_client_unref(c);
}

static void on_ended(struct http_loop *l, CURL *easy, CURLcode code)
{
    struct http_xfer *x = NULL;
    (void)l;
    curl.curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&x);
    finish(x, code);
}

/* ---- jobs ---- */

void http_job_init(struct http_job *job, struct http_client *client,
                   struct http_spec *spec, enum http_class cls)
{
    job->client = http_client_ref(client);
    job->spec = spec;
    job->cls = (uint8_t)cls;
}

void http_job_start(struct http_job *job)
{
    struct http_client *c = job->client;
    job->redirects = 0;
    job->queued = 1;
    TAILQ_INSERT_TAIL(&c->queue[job->cls], job, link);
    pump(c);
}

void http_job_stop(struct http_job *job)
{
    struct http_xfer *x = job->xfer;
    if (job->queued)
        unqueue(job);
    if (!x)
        return;
    struct http_client *c = x->client;
    curl.curl_multi_remove_handle(c->http->curl.multi, x->easy);
    job->xfer = NULL;
    release(x);
    c->starved = true; /* not now: at the end, everything is stopped */
    http_loop_kick(&c->http->curl);
}

void http_job_fini(struct http_job *job)
{
    http_job_stop(job);
    http_spec_free(job->spec);
    job->spec = NULL;
    if (job->client)
        http_client_unref(job->client);
    job->client = NULL;
}

/* ---- the engine ---- */

void http_unref(struct http *h)
{
    if (--h->refs == 0)
        free(h);
}

static void on_closed(uv_handle_t *handle)
{
    http_unref(handle->data);
}

struct http *http_new(uv_loop_t *loop, const char **why)
{
    if (curl_load(why) < 0)
        return NULL;
    *why = "not enough memory";
    struct http *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    if (http_env_init(h) < 0 || http_loop_init(&h->curl, loop) < 0) {
        http_env_fini(h);
        free(h);
        return NULL;
    }
    h->curl.ended = on_ended;
    h->curl.turn = pump_starved;
    uv_timer_init(loop, &h->wheel);
    h->wheel.data = h;
    h->refs = 4; /* the owner and three handles */
    return h;
}

void http_close(struct http *h)
{
    struct http_client *c;
    LIST_FOREACH(c, &h->clients, link)
    {
        struct http_xfer *x;
        while ((x = TAILQ_FIRST(&c->idle))) {
            TAILQ_REMOVE(&c->idle, x, link);
            http_xfer_free(x);
        }
    }
    http_loop_close(&h->curl, on_closed);
    uv_close((uv_handle_t *)&h->wheel, on_closed);
    heap_fini(&h->deadlines);
    http_env_fini(h);
    http_unref(h);
}

void http_stats(const struct http *h, struct http_stats *out)
{
    memcpy(out->requests, h->requests, sizeof out->requests);
    out->connections = atomic_load(&h->curl.opened);
}
