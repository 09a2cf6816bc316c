/* lnet.h - what the files of module "rt.c.net" share. */
#ifndef LNET_H
#define LNET_H

#include "http.h"
#include "http_poll.h"
#include "rushes.h"

struct download_pool;

/* One per program, made at the first client or secret. */
struct net {
    uv_loop_t *loop;
    struct http *http;
    struct http_polls *polls;
    struct download_pool *downloads; /* made at the first download */
};

#define NET_CLIENT "rt.net.Client"
#define NET_SECRET "rt.net.Secret"
#define NET_BODY "rt.net.Body"
#define NET_COUNTER "rt.net.Counter"

/* The network, made if need be. NULL with a sentence in *why.  [-0, +0, v] */
struct net *net_open(lua_State *L, const char **why);

/* The network of a client, which exists.  [-0, +0, -] */
struct net *net_of(lua_State *L);

/* Raises if it is none.  [-0, +0, v] */
struct http_client *net_check_client(lua_State *L, int arg);
struct body *net_check_body(lua_State *L, int arg);

/* lnet_exchange.c */
int l_net_exchange(lua_State *L);
int l_net_poll(lua_State *L);

/* lnet_answer.c */
struct net_result;

/* A copy of the answer, for free(). `safe`: its request may be repeated. NULL
 * when memory is out. */
struct net_result *net_result_new(const struct http_answer *a, bool safe);

/* Push answer | nil, err and free the result: the operation itself may wait
 * for the garbage collector, which does not know how much hangs on it.
 *                                                            [-0, +(1|2), m] */
int net_push_result(lua_State *L, const struct rushes_op *op,
                    struct net_result **result);

int l_net_answer_meta(lua_State *L);
int l_net_headers(lua_State *L);

/* lnet_download.c */
int l_net_download(lua_State *L);
int l_net_counter(lua_State *L);
int l_net_counted(lua_State *L);

#endif
