/* server.c - the bench server's start: options, port, loop.
 *
 * Speaks enough of the Runway developer API for a client's benchmark, on
 * 127.0.0.1 only, and counts what it was asked (GET /__stats). */
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "server.h"

static const char usage[] =
    "usage: server [options]\n"
    "  --port N         0 (the default) takes a free one; it is printed\n"
    "  --gen-ms N       how long a generation takes (500)\n"
    "  --size BYTES     size of one output (65536)\n"
    "  --latency-ms N   wait before each answer (0)\n"
    "  --lose-close P   percent of submit answers lost by a clean close\n"
    "  --lose-reset P   percent of submit answers lost by a reset\n"
    "  --seed N         which ones (1)\n"
    "  --hold           nothing finishes before POST /__release\n"
    "  --steady         the answer of a running task never changes\n"
    "  --die-with-parent  leave when the starting process does\n"
    "  --probe-port     print a free port and leave\n";

/* Each option, the largest value it takes, and where it goes. */
#define WHOLE(name, field, max)                                                \
    {                                                                          \
        name, max, offsetof(struct options, field), 'n'                        \
    }
#define PERCENT(name, field)                                                   \
    {                                                                          \
        name, 100, offsetof(struct options, field), '%'                        \
    }
#define FLAG(name, field)                                                      \
    {                                                                          \
        name, 0, offsetof(struct options, field), 'f'                          \
    }

static const struct {
    const char *name;
    double max;
    size_t at;
    char type;
} table[] = {WHOLE("port", port, 65535),
             WHOLE("gen-ms", gen_ms, 1e9),
             WHOLE("size", size, 1e12),
             WHOLE("latency-ms", latency_ms, 1e6),
             WHOLE("seed", seed, 1e15),
             PERCENT("lose-close", lose_close),
             PERCENT("lose-reset", lose_reset),
             FLAG("hold", hold),
             FLAG("steady", steady),
             FLAG("die-with-parent", die_with_parent),
             FLAG("probe-port", probe_port)};

#define OPTIONS (sizeof table / sizeof *table)

static double number(const char *text, double max)
{
    char *end;
    double n = strtod(text, &end);

    if (end == text || *end || !(n >= 0 && n <= max)) {
        fprintf(stderr, "bench server: \"%s\" is not a number of 0..%.0f\n",
                text, max);
        exit(2);
    }
    return n;
}

static void options_read(struct options *o, int argc, char **argv)
{
    struct option names[OPTIONS + 1] = {0};
    int i;

    for (size_t k = 0; k < OPTIONS; k++)
        names[k] =
            (struct option){table[k].name, table[k].type != 'f', NULL, (int)k};
    while ((i = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (i == '?') {
            fputs(usage, stderr);
            exit(2);
        }
        char *field = (char *)o + table[i].at;
        if (table[i].type == 'f')
            *(bool *)(void *)field = true;
        else if (table[i].type == '%')
            *(double *)(void *)field = number(optarg, 100);
        else
            *(uint64_t *)(void *)field = (uint64_t)number(optarg, table[i].max);
    }
}

static int port_of(struct server *s)
{
    struct sockaddr_in at;
    int len = sizeof at;

    uv_tcp_getsockname(&s->listener, (struct sockaddr *)&at, &len);
    return ntohs(at.sin_port);
}

/* As many descriptors as the system lets us have: one per connection. */
static void files_raise(void)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
}

int main(int argc, char **argv)
{
    static struct server s;
    struct timespec now;

    s.opt = (struct options){.gen_ms = 500, .size = 65536, .seed = 1};
    options_read(&s.opt, argc, argv);
    if (s.opt.die_with_parent)
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    files_raise();
    uv_loop_init(&s.loop);
    clock_gettime(CLOCK_REALTIME, &now);
    s.start_ms = uv_now(&s.loop);
    s.wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    s.random = (s.opt.seed + 1) * 0x9e3779b97f4a7c15u;
    conn_listen(&s);
    printf("%d\n", port_of(&s));
    fflush(stdout);
    if (!s.opt.probe_port)
        uv_run(&s.loop, UV_RUN_DEFAULT);
    return 0;
}
