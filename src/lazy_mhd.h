/* lazy_mhd.h - libmicrohttpd, loaded at first use. */
#ifndef LAZY_MHD_H
#define LAZY_MHD_H

#include <microhttpd.h>

#include "lazy.h"

#define MHD_FUNCTIONS(X)                                                       \
    X(MHD_add_response_header)                                                 \
    X(MHD_create_post_processor)                                               \
    X(MHD_create_response_from_buffer)                                         \
    X(MHD_create_response_from_callback)                                       \
    X(MHD_create_response_from_fd_at_offset64)                                 \
    X(MHD_destroy_post_processor)                                              \
    X(MHD_destroy_response)                                                    \
    X(MHD_get_connection_info)                                                 \
    X(MHD_get_connection_values)                                               \
    X(MHD_get_daemon_info)                                                     \
    X(MHD_get_timeout)                                                         \
    X(MHD_lookup_connection_value)                                             \
    X(MHD_post_process)                                                        \
    X(MHD_queue_response)                                                      \
    X(MHD_quiesce_daemon)                                                      \
    X(MHD_resume_connection)                                                   \
    X(MHD_run)                                                                 \
    X(MHD_start_daemon)                                                        \
    X(MHD_stop_daemon)                                                         \
    X(MHD_suspend_connection)

struct mhd_api {
    MHD_FUNCTIONS(LAZY_FIELD)
};

extern struct mhd_api mhd;

/* Load it, once. 0, or UV_ENOTSUP with a sentence in *why. */
int mhd_load(const char **why);

#endif
