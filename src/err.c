/* err.c - owns the error object's shape and the table from libuv's numbers to
 * our codes. The codes are a closed list: docs/errors.md. */
#include "rt.h"

#include <lauxlib.h>
#include <stdarg.h>

static const char meta_key;

struct row {
    int status;
    const char *code;
    unsigned char retryable;
};

static const struct row rows[] = {
    {UV_ECANCELED, "cancelled", 0},  {UV_ETIMEDOUT, "timeout", 1},
    {UV_ENOENT, "not_found", 0},     {UV_ENOTDIR, "not_found", 0},
    {UV_EEXIST, "exists", 0},        {UV_EACCES, "denied", 0},
    {UV_EPERM, "denied", 0},         {UV_EROFS, "denied", 0},
    {UV_ENOSPC, "no_space", 0},      {UV_EFBIG, "too_large", 0},
    {UV_E2BIG, "too_large", 0},      {UV_EMSGSIZE, "too_large", 0},
    {UV_EINVAL, "invalid", 0},       {UV_EISDIR, "invalid", 0},
    {UV_EBUSY, "busy", 1},           {UV_EADDRINUSE, "busy", 0},
    {UV_EAGAIN, "busy", 1},          {UV_EMFILE, "busy", 1},
    {UV_ECONNREFUSED, "network", 1}, {UV_ECONNRESET, "network", 1},
    {UV_ECONNABORTED, "network", 1}, {UV_EPIPE, "network", 1},
    {UV_EHOSTUNREACH, "network", 1}, {UV_ENETUNREACH, "network", 1},
    {UV_EAI_NONAME, "network", 1},   {UV_EAI_AGAIN, "network", 1},
    {UV_EPROTO, "protocol", 0},      {UV_ENOTSUP, "unsupported", 0},
    {UV_EOF, "closed", 0},           {UV_ENOMEM, "no_memory", 0},
};

static const struct row *row_of(int status)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == status)
            return &rows[i];
    return NULL;
}

/* tostring(err): the sentence; the code is for programs. */
static int l_tostring(lua_State *L)
{
    lua_getfield(L, 1, "message");
    if (lua_type(L, -1) != LUA_TSTRING)
        lua_pushliteral(L, "unknown error");
    return 1;
}

void rt_push_error_meta(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &meta_key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, l_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "rt.Err");
    lua_setfield(L, -2, "__name");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &meta_key);
}

/* The message is on the top of the stack: turn it into nil, err. */
static int push_object(lua_State *L, const char *code, int retryable)
{
    lua_createtable(L, 0, 4); /* msg err */
    lua_insert(L, -2);        /* err msg */
    lua_setfield(L, -2, "message");
    lua_pushstring(L, code);
    lua_setfield(L, -2, "code");
    lua_pushboolean(L, retryable);
    lua_setfield(L, -2, "retryable");
    rt_push_error_meta(L);
    lua_setmetatable(L, -2);
    lua_pushnil(L);
    lua_insert(L, -2); /* nil err */
    return 2;
}

int rushes_push_error_code(lua_State *L, const char *code, int retryable,
                           const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    lua_pushvfstring(L, fmt, ap);
    va_end(ap);
    return push_object(L, code, retryable);
}

int rushes_push_error(lua_State *L, int status, const char *fmt, ...)
{
    const struct row *row = row_of(status);
    if (fmt) {
        va_list ap;
        va_start(ap, fmt);
        lua_pushvfstring(L, fmt, ap);
        va_end(ap);
    } else {
        lua_pushstring(L, uv_strerror(status));
    }
    int n = push_object(L, row ? row->code : "io", row ? row->retryable : 0);
    lua_pushstring(L, uv_err_name(status));
    lua_setfield(L, -2, "errno");
    return n;
}
