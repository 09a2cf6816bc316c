/* lsys.c - module "rt.c.sys": facts about the process and the machine that
 * Lua cannot ask for. Nothing here waits. */
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lazy_crypto.h"
#include "linit.h"
#include "rushes.h"

static int check_fd(lua_State *L)
{
    lua_Integer fd = luaL_checkinteger(L, 1);
    luaL_argcheck(L, fd >= 0 && fd <= 2, 1, "must be 0, 1 or 2");
    return (int)fd;
}

/* isatty(fd) -> boolean                                      [-0, +1, v] */
static int l_isatty(lua_State *L)
{
    lua_pushboolean(L, isatty(check_fd(L)));
    return 1;
}

/* window(fd) -> columns, rows | nothing if it is no terminal [-0, +2, v] */
static int l_window(lua_State *L)
{
    struct winsize w;
    if (ioctl(check_fd(L), TIOCGWINSZ, &w) < 0 || !w.ws_col || !w.ws_row)
        return 0;
    lua_pushinteger(L, w.ws_col);
    lua_pushinteger(L, w.ws_row);
    return 2;
}

/* disk(path) -> free bytes, all bytes | nil, err             [-0, +2, v] */
static int l_disk(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct statvfs s;
    if (statvfs(path, &s) < 0) {
        int e = errno;
        return rushes_push_error(L, uv_translate_sys_error(e),
                                 "cannot read the free space of \"%s\": %s",
                                 path, strerror(e));
    }
    lua_pushinteger(L, (lua_Integer)s.f_bavail * (lua_Integer)s.f_frsize);
    lua_pushinteger(L, (lua_Integer)s.f_blocks * (lua_Integer)s.f_frsize);
    return 2;
}

/* open_files() -> soft limit, hard limit; math.huge for none [-0, +2, -] */
static int l_open_files(lua_State *L)
{
    struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};
    getrlimit(RLIMIT_NOFILE, &r);
    const rlim_t values[] = {r.rlim_cur, r.rlim_max};
    for (int i = 0; i < 2; i++)
        lua_pushnumber(L, values[i] == RLIM_INFINITY ? (lua_Number)HUGE_VAL
                                                     : (lua_Number)values[i]);
    return 2;
}

/* cwd() -> the current folder; nil where it is gone           [-0, +1, m] */
static int l_cwd(lua_State *L)
{
    char path[PATH_MAX];
    lua_pushstring(L, getcwd(path, sizeof path));
    return 1;
}

/* exe() -> path of this program                              [-0, +1, m] */
static int l_exe(lua_State *L)
{
    char path[4096];
    size_t size = sizeof path;
    if (uv_exepath(path, &size) < 0)
        lua_pushliteral(L, "/proc/self/exe");
    else
        lua_pushlstring(L, path, size);
    return 1;
}

/* process() -> pid, host name: who holds a show's lock        [-0, +2, m] */
static int l_process(lua_State *L)
{
    char name[UV_MAXHOSTNAMESIZE];
    size_t size = sizeof name;
    lua_pushinteger(L, (lua_Integer)uv_os_getpid());
    lua_pushstring(L, uv_os_gethostname(name, &size) < 0 ? "?" : name);
    return 2;
}

typedef const char *version_fn(void);

/* The version of a library that is loaded at first use, or why it is not
 * there, into the table on the top of the stack.             [-0, +0, m] */
static void set_library(lua_State *L, const char *name, const char *soname,
                        const char *function)
{
    version_fn *version;
    const char *why;
    if (lazy_load(soname, &version, &function, 1, &why) < 0)
        lua_pushfstring(L, "missing (%s)", why);
    else
        lua_pushstring(L, version());
    lua_setfield(L, -2, name);
}

/* versions() -> what the binary is and what it uses          [-0, +1, m]
 * Loads the libraries that are otherwise loaded at first use: milliseconds. */
static int l_versions(lua_State *L)
{
    lua_createtable(L, 0, 7);
    lua_pushliteral(L, RUSHES_VERSION);
    lua_setfield(L, -2, "rushes");
    lua_pushliteral(L, LUA_VERSION_MAJOR "." LUA_VERSION_MINOR
                                         "." LUA_VERSION_RELEASE);
    lua_setfield(L, -2, "lua");
    lua_pushstring(L, uv_version_string());
    lua_setfield(L, -2, "libuv");
    const char *why;
    if (crypto_load(&why) < 0)
        lua_pushfstring(L, "missing (%s)", why);
    else
        lua_pushstring(L, crypto.OpenSSL_version(OPENSSL_VERSION_STRING));
    lua_setfield(L, -2, "libcrypto");
    set_library(L, "libcurl", "libcurl.so.4", "curl_version");
    set_library(L, "libmicrohttpd", "libmicrohttpd.so.12", "MHD_get_version");
    set_library(L, "sqlite", "libsqlite3.so.0", "sqlite3_libversion");
    return 1;
}

int luaopen_rt_sys(lua_State *L)
{
    static const luaL_Reg lib[] = {
        {"isatty", l_isatty},
        {"window", l_window},
        {"disk", l_disk},
        {"open_files", l_open_files},
        {"versions", l_versions},
        {"exe", l_exe},
        {"process", l_process},
        {"cwd", l_cwd},
        {NULL, NULL},
    };
    luaL_newlib(L, lib);
    return 1;
}
