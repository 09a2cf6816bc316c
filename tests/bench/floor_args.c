/* floor_args.c - the floor's command line. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "floor.h"

static const char usage[] =
    "usage: floor --base URL --out DIR [options]\n"
    "  --jobs N       takes in all (1000)\n"
    "  --slots K      API requests at once (16)\n"
    "  --dl-slots K   downloads at once (16)\n"
    "  --window W     takes begun and not ended at once (0: all)\n"
    "  --gen-ms N     wait before the first poll (500)\n"
    "  --every-ms N   between polls (500)\n"
    "  --poll-only    submit and poll, print after --for-ms of polling\n"
    "  --for-ms N     how long (0: only the memory of waiting takes)\n"
    "  --fetch-only   download /out/N.mp4, nothing else\n"
    "  --sha256       hash each download\n"
    "  --fsync        fsync each file and the folder\n"
    "  --thread       downloads on a thread, loop and multi of their own\n"
    "  --buffer N     receive buffer of a download (524288)\n"
    "  --h1           no HTTP/2\n"
    "  --cacert FILE  CA for an https base\n";

/* Each option and where it goes. */
#define TEXT(name, field)                                                      \
    {                                                                          \
        name, offsetof(struct options, field), 's'                             \
    }
#define WHOLE(name, field)                                                     \
    {                                                                          \
        name, offsetof(struct options, field), 'n'                             \
    }
#define FLAG(name, field)                                                      \
    {                                                                          \
        name, offsetof(struct options, field), 'f'                             \
    }

static const struct {
    const char *name;
    size_t at;
    char type;
} table[] = {TEXT("base", base),
             TEXT("out", out),
             TEXT("cacert", cacert),
             WHOLE("jobs", jobs),
             WHOLE("slots", slots),
             WHOLE("dl-slots", dl_slots),
             WHOLE("window", window),
             WHOLE("gen-ms", gen_ms),
             WHOLE("every-ms", every_ms),
             WHOLE("for-ms", for_ms),
             WHOLE("buffer", buffer),
             FLAG("poll-only", poll_only),
             FLAG("fetch-only", fetch_only),
             FLAG("sha256", sha256),
             FLAG("fsync", fsync),
             FLAG("thread", thread),
             FLAG("h1", h1)};

#define OPTIONS (sizeof table / sizeof *table)

void *must(void *p)
{
    if (!p) {
        fputs("floor: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

static void usage_exit(void)
{
    fputs(usage, stderr);
    exit(2);
}

static unsigned number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (end == text || *end || n > 100000000) {
        fprintf(stderr, "floor: \"%s\" is not a number of 0..100000000\n",
                text);
        exit(2);
    }
    return (unsigned)n;
}

void options_read(struct options *o, int argc, char **argv)
{
    struct option names[OPTIONS + 1] = {0};
    int i;

    *o = (struct options){.jobs = 1000,
                          .slots = 16,
                          .dl_slots = 16,
                          .gen_ms = 500,
                          .every_ms = 500,
                          .buffer = 524288};
    for (size_t k = 0; k < OPTIONS; k++)
        names[k] =
            (struct option){table[k].name, table[k].type != 'f', NULL, (int)k};
    while ((i = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (i == '?')
            usage_exit();
        char *field = (char *)o + table[i].at;
        if (table[i].type == 'f')
            *(bool *)(void *)field = true;
        else if (table[i].type == 's')
            *(const char **)(void *)field = optarg;
        else
            *(unsigned *)(void *)field = number(optarg);
    }
    if (!o->base || !o->out || !o->jobs || !o->slots || !o->dl_slots)
        usage_exit();
    if (!o->window)
        o->window = o->jobs;
}
