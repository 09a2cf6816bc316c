/* lazy_curl.h - libcurl, loaded at first use. */
#ifndef LAZY_CURL_H
#define LAZY_CURL_H

#define CURL_DISABLE_TYPECHECK /* macros that would hide the functions */
#include <curl/curl.h>
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

#include "lazy.h"

#define CURL_FUNCTIONS(X)                                                      \
    X(curl_easy_cleanup)                                                       \
    X(curl_easy_getinfo)                                                       \
    X(curl_easy_init)                                                          \
    X(curl_easy_setopt)                                                        \
    X(curl_free)                                                               \
    X(curl_global_init)                                                        \
    X(curl_multi_add_handle)                                                   \
    X(curl_multi_assign)                                                       \
    X(curl_multi_cleanup)                                                      \
    X(curl_multi_info_read)                                                    \
    X(curl_multi_init)                                                         \
    X(curl_multi_perform)                                                      \
    X(curl_multi_poll)                                                         \
    X(curl_multi_remove_handle)                                                \
    X(curl_multi_setopt)                                                       \
    X(curl_multi_socket_action)                                                \
    X(curl_multi_wakeup)                                                       \
    X(curl_url)                                                                \
    X(curl_url_cleanup)                                                        \
    X(curl_url_get)                                                            \
    X(curl_url_set)                                                            \
    X(curl_version_info)

struct curl_api {
    CURL_FUNCTIONS(LAZY_FIELD)
};
extern struct curl_api curl;

/* Load and initialise libcurl; again is free. 0, or a negative libuv code
 * with a sentence in *why. On the loop's thread, before any other use. */
int curl_load(const char **why);

#endif
