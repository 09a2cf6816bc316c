/* rawget.c - the floor of downloading: recv and write, nothing else.
 *
 * K connections fetch /out/0.mp4 .. /out/N-1.mp4 from the bench server,
 * each the next file when its last one is whole.  With --sha256 the bytes
 * are hashed too.  HTTP is read only as far as the bench server speaks it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (256u << 10)

static struct {
    const char *out;
    unsigned files, at_once;
    int port;
    bool sha256;
} opt = {.files = 200, .at_once = 8};

static unsigned next, whole;
static uint64_t bytes;
static char buffer[BUFFER];

struct get {
    int sock, fd;
    unsigned index;
    bool body; /* the head has been read */
    uint64_t left;
    size_t head_len;
    char head[2048];
    EVP_MD_CTX *hash;
};

static void die(const char *what)
{
    fprintf(stderr, "rawget: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void path_of(unsigned index, const char *end, char *out, size_t cap)
{
    snprintf(out, cap, "%s/take-%06u.mp4%s", opt.out, index, end);
}

/* Ask for the next file; false if there is none. */
static bool get_next(struct get *g)
{
    char path[512], ask[128];

    if (next == opt.files)
        return false;
    g->index = next++;
    g->body = false;
    g->head_len = 0;
    path_of(g->index, ".part", path, sizeof path);
    g->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (g->fd < 0)
        die(path);
    if (opt.sha256)
        EVP_DigestInit_ex(g->hash, EVP_sha256(), NULL);
    int n = snprintf(ask, sizeof ask,
                     "GET /out/%u.mp4 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
                     g->index, opt.port);
    if (send(g->sock, ask, (size_t)n, MSG_NOSIGNAL) != n)
        die("send");
    return true;
}

static void get_keep(struct get *g, const char *p, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t w = write(g->fd, p + done, n - done);
        if (w < 0)
            die("write");
        done += (size_t)w;
    }
    if (opt.sha256)
        EVP_DigestUpdate(g->hash, p, n);
    g->left -= n;
    bytes += n;
}

static void get_end(struct get *g)
{
    char part[512], path[512];
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (opt.sha256)
        EVP_DigestFinal_ex(g->hash, digest, NULL);
    path_of(g->index, ".part", part, sizeof part);
    path_of(g->index, "", path, sizeof path);
    if (close(g->fd) || rename(part, path))
        die(path);
    whole++;
}

/* The head, and what of the body came with it. */
static void get_head(struct get *g, size_t n)
{
    size_t room = sizeof g->head - 1 - g->head_len;
    size_t take = n < room ? n : room;

    memcpy(g->head + g->head_len, buffer, take);
    g->head[g->head_len + take] = '\0';
    char *stop = strstr(g->head, "\r\n\r\n");
    if (!stop) {
        g->head_len += take;
        if (g->head_len == sizeof g->head - 1)
            die("the head of the answer is too long");
        return;
    }
    char *length = strcasestr(g->head, "\r\nContent-Length:");
    if (strncmp(g->head, "HTTP/1.1 200", 12) || !length || length > stop)
        die("the answer is not a 200 with a length");
    g->left = strtoull(length + 17, NULL, 10);
    g->body = true;
    size_t skip = (size_t)(stop + 4 - g->head) - g->head_len;
    get_keep(g, buffer + skip, n - skip);
}

/* True while the connection has a file to read. */
static bool get_step(struct get *g)
{
    ssize_t n = recv(g->sock, buffer, BUFFER, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0)
        die("the connection ended early");
    if (g->body)
        get_keep(g, buffer, (size_t)n);
    else
        get_head(g, (size_t)n);
    if (!g->body || g->left)
        return true;
    get_end(g);
    return get_next(g);
}

static void get_open(struct get *g, int epoll)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)opt.port)};
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = g};

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g->sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (g->sock < 0 || connect(g->sock, (struct sockaddr *)&at, sizeof at))
        die("connect");
    fcntl(g->sock, F_SETFL, O_NONBLOCK);
    if (opt.sha256)
        g->hash = EVP_MD_CTX_new();
    if (get_next(g))
        epoll_ctl(epoll, EPOLL_CTL_ADD, g->sock, &ev);
}

static void options_read(int argc, char **argv)
{
    static const struct option names[] = {
        {"port", 1, NULL, 'p'},   {"out", 1, NULL, 'o'},
        {"files", 1, NULL, 'n'},  {"at-once", 1, NULL, 'k'},
        {"sha256", 0, NULL, 's'}, {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'p':
            opt.port = atoi(optarg);
            break;
        case 'o':
            opt.out = optarg;
            break;
        case 'n':
            opt.files = (unsigned)atoi(optarg);
            break;
        case 'k':
            opt.at_once = (unsigned)atoi(optarg);
            break;
        case 's':
            opt.sha256 = true;
            break;
        default:
            opt.port = 0;
        }
    }
    if (opt.port <= 0 || !opt.out || !opt.files || !opt.at_once) {
        fputs("usage: rawget --port N --out DIR [--files N] [--at-once K] "
              "[--sha256]\n",
              stderr);
        exit(2);
    }
}

static void report(struct timespec from)
{
    struct timespec to;
    struct rusage u;

    clock_gettime(CLOCK_MONOTONIC, &to);
    getrusage(RUSAGE_SELF, &u);
    double user = (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
    double sys = (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6;
    double wall = (double)(to.tv_sec - from.tv_sec) +
                  (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("{\"client\":\"rawget\",\"jobs\":%u,\"ok\":%u,\"wall_s\":%.4f,"
           "\"user_s\":%.4f,\"sys_s\":%.4f,\"mb_per_cpu_s\":%.0f,"
           "\"peak_rss_mb\":%.1f}\n",
           opt.files, whole, wall, user, sys,
           (double)bytes / 1e6 / (user + sys), (double)u.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
    struct epoll_event ev[64];
    struct timespec from;

    options_read(argc, argv);
    if (mkdir(opt.out, 0755) && errno != EEXIST)
        die(opt.out);
    clock_gettime(CLOCK_MONOTONIC, &from);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct get *gets = calloc(opt.at_once, sizeof *gets);
    if (!gets)
        die("calloc");
    for (unsigned i = 0; i < opt.at_once; i++)
        get_open(&gets[i], epoll);
    while (whole < opt.files) {
        int n = epoll_wait(epoll, ev, 64, -1);
        for (int i = 0; i < n; i++) {
            struct get *g = ev[i].data.ptr;
            if (!get_step(g))
                epoll_ctl(epoll, EPOLL_CTL_DEL, g->sock, NULL);
        }
    }
    report(from);
    free(gets);
    return 0;
}
