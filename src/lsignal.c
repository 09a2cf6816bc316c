/* lsignal.c - module "rt.c.signal": signals that a script waits for, counted
 * by a handler of our own. Those that end the program are main.c's. */
#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <string.h>

#include "linit.h"
#include "rt.h"
#include "signames.h"

/* What a program may want to be told. The others end it, or are libuv's. */
static const int watchable[] = {SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGQUIT};

#define N_WATCHABLE (sizeof watchable / sizeof *watchable)

static volatile sig_atomic_t counts[N_WATCHABLE], any;
static struct rushes_rt *host; /* for the handler only */

static int index_of(int number)
{
    for (size_t i = 0; i < N_WATCHABLE; i++)
        if (watchable[i] == number)
            return (int)i;
    return -1;
}

static void on_signal(int number)
{
    int e = errno, i = index_of(number);
    counts[i]++;
    any = 1;
    rt_wake(host);
    errno = e;
}

/* watch(name) -> it can be watched                           [-0, +1, v]
 * From here on the signal is counted and has no other effect. */
static int l_watch(lua_State *L)
{
    int number = signal_number(luaL_checkstring(L, 1));
    if (index_of(number) < 0)
        return lua_pushboolean(L, 0), 1;
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&sa.sa_mask);
    host = rt_of(L);
    lua_pushboolean(L, sigaction(number, &sa, NULL) == 0);
    return 1;
}

/* came() -> something has come since this was last asked     [-0, +1, -] */
static int l_came(lua_State *L)
{
    lua_pushboolean(L, any);
    any = 0;
    return 1;
}

/* count(name) -> how many have come                          [-0, +1, v] */
static int l_count(lua_State *L)
{
    int i = index_of(signal_number(luaL_checkstring(L, 1)));
    luaL_argcheck(L, i >= 0, 1, "this signal cannot be watched");
    lua_pushinteger(L, counts[i]);
    return 1;
}

/* number(name) -> integer | nil                              [-0, +1, v] */
static int l_number(lua_State *L)
{
    int number = signal_number(luaL_checkstring(L, 1));
    if (number < 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, number);
    return 1;
}

/* Before the runtime is freed: the handler must not run any more. */
static int l_unwatch_all(lua_State *L)
{
    (void)L;
    for (size_t i = 0; i < N_WATCHABLE; i++) {
        struct sigaction sa;
        if (sigaction(watchable[i], NULL, &sa) == 0 &&
            sa.sa_handler == on_signal)
            signal(watchable[i], SIG_DFL);
    }
    return 0;
}

int luaopen_rt_signal(lua_State *L)
{
    static const luaL_Reg lib[] = {
        {"watch", l_watch},   {"came", l_came}, {"count", l_count},
        {"number", l_number}, {NULL, NULL},
    };
    luaL_newlib(L, lib);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_unwatch_all);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return 1;
}
