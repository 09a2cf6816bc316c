/* floor.c - the bare C floor's takes: submit, wait, poll, download.
 *
 * Prints one line of JSON, as every client of the benchmark does. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "floor.h"

static struct options opt;
static uv_loop_t *loop;
static struct engine api, fetcher;
static uv_loop_t fetch_loop; /* with --thread */
static struct job *jobs;
static struct heap due;
static uv_timer_t due_timer;
static unsigned begun, ended, ok, lost, failed, waiting;
static uint64_t polls, polls_seen, watch_ns;
static double watch_cpu;
static long rss_start_kb, rss_wait_kb;

/* Between the loops with --thread: jobs out, jobs back. */
static struct {
    pthread_mutex_t lock;
    struct queue jobs;
    uv_async_t wake;
} to_fetch, from_fetch;
static atomic_bool all_done;

static double cpu_s(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double cpu_now(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return cpu_s(&u.ru_utime) + cpu_s(&u.ru_stime);
}

static long rss_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f && fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * 4;
}

static void fetch_push(struct job *j)
{
    if (!opt.thread) {
        engine_push(&fetcher, FETCH, j);
        engine_pump(&fetcher);
        return;
    }
    pthread_mutex_lock(&to_fetch.lock);
    STAILQ_INSERT_TAIL(&to_fetch.jobs, j, next);
    pthread_mutex_unlock(&to_fetch.lock);
    uv_async_send(&to_fetch.wake);
}

static void begin_more(void)
{
    while (begun < opt.jobs && begun - ended < opt.window) {
        struct job *j = &jobs[begun];
        j->index = begun++;
        if (!opt.fetch_only) {
            engine_push(&api, SUBMIT, j);
            continue;
        }
        char url[256];
        snprintf(url, sizeof url, "%s/out/%u.mp4", opt.base, j->index);
        j->url = must(strdup(url));
        fetch_push(j);
    }
    engine_pump(&api);
}

static void take_end(struct job *j, bool good)
{
    free(j->url);
    j->url = NULL;
    ended++;
    ok += good;
    failed += !good;
    begin_more();
    if (ended == opt.jobs)
        uv_stop(loop);
}

static void on_watched(uv_timer_t *t)
{
    (void)t;
    uv_stop(loop);
}

/* Everything is submitted and asleep: from here on only polls count. */
static void watch_begin(void)
{
    static uv_timer_t end;

    rss_wait_kb = rss_kb();
    watch_cpu = cpu_now();
    watch_ns = uv_hrtime();
    polls_seen = polls;
    uv_timer_init(loop, &end);
    uv_timer_start(&end, on_watched, opt.for_ms, 0);
}

static void on_due(uv_timer_t *t);

static void due_arm(void)
{
    uint64_t now = uv_now(loop);

    if (due.n)
        uv_timer_start(&due_timer, on_due,
                       due.v[0].at > now ? due.v[0].at - now : 1, 0);
}

static void on_due(uv_timer_t *t)
{
    struct job *j;

    (void)t;
    while ((j = heap_pop(&due, uv_now(loop))))
        engine_push(&api, POLL, j);
    engine_pump(&api);
    due_arm();
}

static void wait_for(struct job *j, uint64_t ms)
{
    uint64_t at = uv_now(loop) + ms;
    bool sooner = !due.n || at < due.v[0].at;

    heap_add(&due, at, j);
    if (sooner)
        due_arm();
}

static void submitted(struct slot *s, CURLcode rc, long status)
{
    if (rc == CURLE_OK && status == 200 && answer_id(s)) {
        wait_for(s->job, opt.gen_ms);
        if (++waiting == opt.jobs && opt.poll_only)
            watch_begin();
        return;
    }
    lost += rc != CURLE_OK; /* sent, no answer: unknown, never repeated */
    take_end(s->job, false);
}

static void polled(struct slot *s, CURLcode rc, long status)
{
    int state = rc == CURLE_OK && status == 200 ? answer_task(s) : -1;

    polls++;
    if (state == 1)
        fetch_push(s->job);
    else if (state == 0 || rc != CURLE_OK)
        wait_for(s->job, opt.every_ms);
    else
        take_end(s->job, false);
}

static void on_api_done(struct slot *s, CURLcode rc, long status)
{
    if (s->kind == SUBMIT)
        submitted(s, rc, status);
    else
        polled(s, rc, status);
}

static void on_fetch_done(struct slot *s, CURLcode rc, long status)
{
    struct job *j = s->job;
    bool good = fetch_close(s, &opt, rc == CURLE_OK && status == 200);

    if (!opt.thread) {
        take_end(j, good);
        return;
    }
    j->id[0] = good ? 'y' : 'n';
    pthread_mutex_lock(&from_fetch.lock);
    STAILQ_INSERT_TAIL(&from_fetch.jobs, j, next);
    pthread_mutex_unlock(&from_fetch.lock);
    uv_async_send(&from_fetch.wake);
}

static void on_to_fetch(uv_async_t *a)
{
    (void)a;
    pthread_mutex_lock(&to_fetch.lock);
    STAILQ_CONCAT(&fetcher.wait[FETCH], &to_fetch.jobs);
    pthread_mutex_unlock(&to_fetch.lock);
    engine_pump(&fetcher);
    if (all_done)
        uv_stop(&fetch_loop);
}

static void on_from_fetch(uv_async_t *a)
{
    struct queue back = STAILQ_HEAD_INITIALIZER(back);
    struct job *j;

    (void)a;
    pthread_mutex_lock(&from_fetch.lock);
    STAILQ_CONCAT(&back, &from_fetch.jobs);
    pthread_mutex_unlock(&from_fetch.lock);
    while ((j = STAILQ_FIRST(&back))) {
        STAILQ_REMOVE_HEAD(&back, next);
        take_end(j, j->id[0] == 'y');
    }
}

static void *fetch_main(void *unused)
{
    (void)unused;
    uv_run(&fetch_loop, UV_RUN_DEFAULT);
    return NULL;
}

static void fetch_stop(pthread_t thread)
{
    if (!opt.thread)
        return;
    all_done = true;
    uv_async_send(&to_fetch.wake);
    pthread_join(thread, NULL);
}

static void report(double wall)
{
    struct rusage u;
    double n = opt.jobs;

    getrusage(RUSAGE_SELF, &u);
    double cpu = cpu_s(&u.ru_utime) + cpu_s(&u.ru_stime);
    printf("{\"client\":\"floor\",\"jobs\":%u,\"ok\":%u,\"unknown\":%u,"
           "\"failed\":%u,\"wall_s\":%.4f,\"user_s\":%.4f,\"sys_s\":%.4f,"
           "\"cpu_us_per_job\":%.2f,\"requests\":%llu,\"connections\":%llu,"
           "\"peak_rss_mb\":%.1f,\"gap_ms\":%.1f",
           opt.jobs, ok, lost, failed - lost, wall, cpu_s(&u.ru_utime),
           cpu_s(&u.ru_stime), cpu / n * 1e6,
           (unsigned long long)(api.requests + fetcher.requests),
           (unsigned long long)(api.connections + fetcher.connections),
           (double)u.ru_maxrss / 1024, (double)api.gap_ns / 1e6);
    if (opt.poll_only) {
        uint64_t seen = polls - polls_seen;
        printf(",\"polls\":%llu,\"cpu_us_per_poll\":%.2f,\"watch_s\":%.2f,"
               "\"bytes_per_job\":%.0f",
               (unsigned long long)seen,
               seen ? (cpu - watch_cpu) / (double)seen * 1e6 : 0.0,
               (double)(uv_hrtime() - watch_ns) / 1e9,
               (double)(rss_wait_kb - rss_start_kb) * 1024 / n);
    }
    printf("}\n");
}

static void engines_start(void)
{
    engine_init(&api, loop, &opt, opt.slots, on_api_done);
    if (opt.thread)
        uv_loop_init(&fetch_loop);
    engine_init(&fetcher, opt.thread ? &fetch_loop : loop, &opt, opt.dl_slots,
                on_fetch_done);
    uv_timer_init(loop, &due_timer);
    if (!opt.thread)
        return;
    pthread_mutex_init(&to_fetch.lock, NULL);
    pthread_mutex_init(&from_fetch.lock, NULL);
    STAILQ_INIT(&to_fetch.jobs);
    STAILQ_INIT(&from_fetch.jobs);
    uv_async_init(&fetch_loop, &to_fetch.wake, on_to_fetch);
    uv_async_init(loop, &from_fetch.wake, on_from_fetch);
}

int main(int argc, char **argv)
{
    pthread_t thread = 0;

    options_read(&opt, argc, argv);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    request_init(&opt);
    loop = uv_default_loop();
    if (mkdir(opt.out, 0755) && errno != EEXIST) {
        perror(opt.out);
        return 1;
    }
    engines_start();
    rss_start_kb = rss_kb();
    jobs = must(calloc(opt.jobs, sizeof *jobs));
    uint64_t from = uv_hrtime();
    begin_more();
    if (opt.thread && pthread_create(&thread, NULL, fetch_main, NULL))
        return 1;
    uv_run(loop, UV_RUN_DEFAULT);
    fetch_stop(thread);
    report((double)(uv_hrtime() - from) / 1e9);
    return ok == opt.jobs || opt.poll_only ? 0 : 1;
}
