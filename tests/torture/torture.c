/* torture.c - run scripts with the n-th allocation of Lua failing, n = 1 ...
 *
 * usage: torture SECONDS SCRIPT...      at most so long for each script
 *        torture N,BURST SCRIPT         only that: allocation N and on
 *
 * The whole program is linked in, with its main() as rushes_main() and its
 * lua_Alloc replaced by ours. Each n is a child of its own, so AddressSanitizer
 * looks for leaks at its end. An orderly end is an exit status; with an error
 * there must be a sentence for it. A failed allocation is tried once more by
 * Lua after a garbage collection, so two in a row fail, or a burst of eight,
 * which meets the handling of the error too.
 *
 * Every script starts the program in the same way, so that is done with the
 * first one alone; the others begin where they are loaded. */
#include <fcntl.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int rushes_main(int argc, char **argv);
lua_State *__wrap_lua_newstate(lua_Alloc f, void *ud);
lua_State *__real_lua_newstate(lua_Alloc f, void *ud);
int __wrap_luaL_loadfilex(lua_State *L, const char *file, const char *mode);
int __real_luaL_loadfilex(lua_State *L, const char *file, const char *mode);

/* Shared with the child. */
static struct {
    long count;       /* allocations so far */
    long begin;       /* how many there were before the script */
    long first, last; /* those that fail */
} * plan;

static lua_Alloc real; /* the program's own allocator */

static void *allocate(void *ud, void *ptr, size_t old, size_t size)
{
    if (size > 0 && (!ptr || size > old)) { /* Lua relies on shrinking */
        plan->count++;
        if (plan->count >= plan->first && plan->count <= plan->last)
            return NULL;
    }
    return real(ud, ptr, old, size);
}

lua_State *__wrap_lua_newstate(lua_Alloc f, void *ud)
{
    real = f;
    return __real_lua_newstate(allocate, ud);
}

/* The one file that the program loads: the script. */
int __wrap_luaL_loadfilex(lua_State *L, const char *file, const char *mode)
{
    plan->begin = plan->count;
    return __real_luaL_loadfilex(L, file, mode);
}

static void child(char *script, int err)
{
    char *argv[] = {"rushes", "run", "--no-progress", script, NULL};
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    dup2(err, 2);
    alarm(60);
    exit(rushes_main(4, argv));
}

/* Run once; the wait status, what it wrote in `text`. */
static int run(char *script, long first, long burst, char *text, size_t size)
{
    FILE *err = tmpfile();
    plan->count = 0;
    plan->first = first;
    plan->last = first + burst - 1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child(script, fileno(err));
    int status = -1;
    waitpid(pid, &status, 0);
    rewind(err);
    text[fread(text, 1, size - 1, err)] = '\0';
    fclose(err);
    return status;
}

static int orderly(int status, const char *text)
{
    if (!WIFEXITED(status) || strstr(text, "Sanitizer") ||
        strstr(text, "left open"))
        return 0;
    return WEXITSTATUS(status) == 0 || text[0] != '\0';
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Every n from the start of the program, or of the script, if there is time;
 * otherwise evenly spread ones. */
static int torture(char *script, bool whole, double seconds)
{
    static char text[1 << 16];
    double begin = now();
    int status = run(script, 0, 0, text, sizeof text);
    long total = plan->count, tried = 0, refused = 0, bad = 0;
    long first = whole ? 1 : plan->begin + 1;
    if (status != 0) {
        printf("not ok - %s fails by itself:\n%s", script, text);
        return 1;
    }
    double each = now() - begin;
    long step = (long)((double)(total - first) * 2 * each / seconds) + 1;
    for (long n = first; n <= total && bad < 5; n += step) {
        for (int burst = 2; burst <= 8 && now() - begin < seconds * 1.5;
             burst += 6) {
            status = run(script, n, burst, text, sizeof text);
            tried++;
            refused += status != 0;
            if (orderly(status, text))
                continue;
            bad++;
            printf("# %s: allocation %ld of %ld, %d failing: status %x\n%s\n",
                   script, n, total, burst, status, text);
        }
    }
    printf("%s - %s: allocations %ld to %ld, every %ldth, %ld runs, %ld ended "
           "with an error\n",
           bad ? "not ok" : "ok", script, first, total, step, tried, refused);
    return bad > 0;
}

/* One that was found bad, once more. */
static int again(const char *which, char *script)
{
    static char text[1 << 16];
    char *end;
    long n = strtol(which, &end, 10);
    int status = run(script, n, atol(end + 1), text, sizeof text);
    printf("status %x\n%s", status, text);
    return !orderly(status, text);
}

int main(int argc, char **argv)
{
    int failed = 0;
    plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (argc < 3 || plan == MAP_FAILED)
        return fprintf(stderr, "usage: torture SECONDS SCRIPT...\n"), 2;
    if (strchr(argv[1], ','))
        return again(argv[1], argv[2]);
    for (int i = 2; i < argc; i++)
        failed |= torture(argv[i], i == 2, atof(argv[1]));
    return failed;
}
