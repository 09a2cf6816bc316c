/* lazy.c - opens libraries at first use; owns nothing but their handles, which
 * live until the process ends. */
#include "lazy.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static char reason[512];

static int fail(const char **why)
{
    const char *text = dlerror();
    snprintf(reason, sizeof reason, "cannot load a library: %s",
             text ? text : "unknown reason");
    *why = reason;
    return UV_ENOTSUP;
}

int lazy_load(const char *soname, void *table, const char *const *names,
              size_t n, const char **why)
{
    void *lib = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (!lib)
        return fail(why);
    for (size_t i = 0; i < n; i++) {
        void *fn = dlsym(lib, names[i]);
        if (!fn)
            return fail(why);
        /* a function pointer is not a void * in ISO C, but is in POSIX */
        memcpy((char *)table + i * sizeof fn, &fn, sizeof fn);
    }
    return 0;
}
