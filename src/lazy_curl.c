/* lazy_curl.c - owns the table of libcurl's functions. */
#include "lazy_curl.h"

#include <stdio.h>
#include <uv.h>

/* PREREQFUNCTION (7.80), on which "never sent twice" rests, and
 * PROTOCOLS_STR (7.85). */
#define OLDEST 0x075500

struct curl_api curl;

static int init(const char **why)
{
    static char text[160];
    const curl_version_info_data *v = curl.curl_version_info(CURLVERSION_NOW);
    if (v->version_num < OLDEST) {
        snprintf(text, sizeof text,
                 "libcurl %s is too old: 7.85 or newer is needed", v->version);
        *why = text;
        return UV_ENOTSUP;
    }
    if (curl.curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        *why = "libcurl could not be initialised";
        return UV_ENOTSUP;
    }
    return 0;
}

int curl_load(const char **why)
{
    static const char *const names[] = {CURL_FUNCTIONS(LAZY_NAME)};
    static int done;
    if (done)
        return 0;
    int r = lazy_load("libcurl.so.4", &curl, names,
                      sizeof names / sizeof *names, why);
    if (r == 0)
        r = init(why);
    done = r == 0;
    return r;
}
