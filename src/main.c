/* main.c - owns the Lua state and the process: signals that must not kill us,
 * one run of the Lua side (rt.boot), an orderly end. */
#include <fcntl.h>
#include <lauxlib.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "linit.h"
#include "rt.h"
#include "slab.h"

/* The product's command line: a module that returns function(args) -> status.
 */
#define ENTRY "rushes.cli"

static struct rushes_rt *main_rt; /* for the signal handler only */

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};

static void on_signal(int sig)
{
    if (rt_interrupt(main_rt, sig))
        _exit(128 + sig);
}

static void set_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct sigaction old;
        /* nohup and shells without job control have set them to be ignored */
        if (sigaction(ends[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(ends[i], &sa, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}

/* From here on a signal ends the process, whatever still closes. */
static void reset_signals(void)
{
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (signal(ends[i], SIG_DFL) == SIG_IGN)
            signal(ends[i], SIG_IGN);
}

/* A caller may have closed descriptors 0 to 2. Whatever is opened next must not
 * get their numbers: prints would go there, and libuv refuses to close them. */
static void take_standard_fds(void)
{
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
}

/* Thousands of connections need descriptors; the soft limit is for select(). */
static void raise_file_limit(void)
{
    struct rlimit rl;
    if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
        rl.rlim_cur = rl.rlim_max;
        setrlimit(RLIMIT_NOFILE, &rl);
    }
}

static void push_args(lua_State *L, int argc, char **argv)
{
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
}

/* Everything that may raise, under one pcall; leaves the exit status. */
static int l_main(lua_State *L)
{
    int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);
    rt_open(L);
    main_rt = rt_of(L);
    set_signals();
    luaL_openlibs(L);
    linit_preload(L);
    luaL_requiref(L, "rt.c.embed", luaopen_rt_embed, 0);
    lua_getfield(L, -1, "load");
    lua_pushliteral(L, "rt.boot");
    lua_call(L, 1, 1); /* the chunk */
    push_args(L, argc, argv);
    lua_pushvalue(L, -1);
    lua_insert(L, -3); /* args chunk args */
    lua_call(L, 1, 0);
    lua_getglobal(L, "require");
    lua_pushliteral(L, ENTRY);
    lua_call(L, 1, 1); /* args main */
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    return 1;
}

/* Under a pcall as well: making a sentence of an error may fail. */
static int l_report(lua_State *L)
{
    fprintf(stderr, "rushes: %s\n", luaL_tolstring(L, 1, NULL));
    return 0;
}

static void report(lua_State *L)
{
    lua_pushcfunction(L, l_report);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        fprintf(stderr, "rushes: not enough memory\n");
}

/* warn("@on") makes warn() speak, as in the stand-alone interpreter. */
static void on_warn(void *on, const char *text, int more)
{
    static int inside; /* a message may come in pieces */
    int *speak = on;
    if (!inside && !more && *text == '@') {
        if (strcmp(text, "@on") == 0 || strcmp(text, "@off") == 0)
            *speak = text[2] == 'n';
        return;
    }
    if (*speak)
        fprintf(stderr, "%s%s%s", inside ? "" : "Lua warning: ", text,
                more ? "" : "\n");
    inside = more;
}

/* Under AddressSanitizer and valgrind malloc shows more than our allocator. */
static lua_State *new_state(struct slab **slab)
{
    static int speak;
#if defined __SANITIZE_ADDRESS__ || defined RUSHES_PLAIN_MALLOC
    (void)slab;
    lua_State *L = luaL_newstate();
#else
    *slab = slab_new();
    lua_State *L = *slab ? lua_newstate(slab_alloc, *slab) : NULL;
#endif
    if (!L)
        return NULL;
    lua_setwarnf(L, on_warn, &speak);
    return L;
}

int main(int argc, char **argv)
{
    struct slab *slab = NULL;
    lua_State *L = new_state(&slab);
    if (!L)
        return fprintf(stderr, "rushes: not enough memory\n"), 7;
    take_standard_fds();
    raise_file_limit();
    lua_pushcfunction(L, l_main);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    int status = 7;
    if (lua_pcall(L, 2, 1, 0) == LUA_OK)
        status = (int)lua_tointeger(L, -1);
    else
        report(L);
    lua_settop(L, 0);
    if (main_rt)
        reset_signals();
    if (main_rt && rt_close(L))
        fprintf(stderr, "rushes: a handle was left open at exit\n");
    lua_close(L);
    if (slab)
        slab_free(slab);
    return status;
}
