/* crash.c - owns the count of crash points.
 *
 * RUSHES_CRASH_AT=N   die by SIGKILL at the N-th one, from 1
 * RUSHES_CRASH_LOG=F  append "N name" to the file F at each */
#include "crash.h"

#ifdef RUSHES_CRASH_POINTS

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static long at;
static int log_fd = -1;

static void read_environment(void)
{
    const char *n = getenv("RUSHES_CRASH_AT");
    const char *path = getenv("RUSHES_CRASH_LOG");
    at = n ? atol(n) : 0;
    if (path)
        log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

static void log_point(long n, const char *name)
{
    char line[128];
    int len = snprintf(line, sizeof line, "%ld %s\n", n, name);
    if (log_fd >= 0 && write(log_fd, line, (size_t)len) != len)
        abort(); /* a harness that cannot count tests nothing */
}

void crash_point(const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static atomic_long passed;
    pthread_once(&once, read_environment);
    long n = atomic_fetch_add(&passed, 1) + 1;
    log_point(n, name);
    if (n != at)
        return;
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

#endif
