/* measure.c - run a command and say what it cost, from outside.
 *
 * measure FILE COMMAND ARGS... writes one line of JSON to FILE: wall, user,
 * system seconds, peak resident memory, exit status.  A program's children
 * count when it has waited for them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct rusage u;
    int status;

    if (argc < 3) {
        fputs("usage: measure FILE COMMAND ARGS...\n", stderr);
        return 2;
    }
    FILE *out = fopen(argv[1], "we");
    if (!out) {
        perror(argv[1]);
        return 2;
    }
    double from = now();
    /* vfork: the child must not inherit our size as its peak memory */
    pid_t pid = vfork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    while (pid > 0 && wait4(pid, &status, 0, &u) < 0 && errno == EINTR)
        continue;
    if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
        fprintf(stderr, "measure: cannot run %s\n", argv[2]);
        return 127;
    }
    fprintf(out,
            "{\"wall_s\":%.6f,\"user_s\":%.6f,\"sys_s\":%.6f,"
            "\"peak_rss_mb\":%.2f,\"exit\":%d}\n",
            now() - from, seconds(&u.ru_utime), seconds(&u.ru_stime),
            (double)u.ru_maxrss / 1024,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return fclose(out) ? 2 : 0;
}
