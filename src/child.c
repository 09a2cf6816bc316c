/* child.c - owns uv_process_t: how a child starts, what it may inherit, how it
 * is ended. */
#include "child.h"

#include <errno.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <unistd.h>

struct pipe {
    uv_pipe_t handle;
    unsigned char open;
    /* the read that waits */
    child_read_fn *fn;
    void *arg;
    char *buf;
    size_t size;
};

struct child {
    LIST_ENTRY(child) link;
    uv_process_t process;
    uv_timer_t grace;
    struct pipe pipes[3];
    int handles; /* not yet closed by libuv */
    int refs;
    int pid;
    int code, signal;
    int writes; /* not yet finished */
    unsigned char running, ending, input_ended;
    void (*on_exit)(void *arg);
    void *arg;
};

static LIST_HEAD(, child) children = LIST_HEAD_INITIALIZER(children);

/* ---- between fork and exec ---- */

/* Set around uv_spawn() only: other forks are not ours to change. */
static volatile sig_atomic_t spawning;
static pid_t host;

/* libuv offers no hook here and pthread_atfork() runs in every fork(), which
 * is what libuv calls. Only async-signal-safe calls. */
static void in_child(void)
{
    if (!spawning)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != host) /* we died before that took effect */
        _exit(127);
    /* Descriptors that a library opened without O_CLOEXEC. Kernels before 5.11
     * refuse, and then libuv's own care has to do. */
    syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

static int spawn(uv_loop_t *loop, uv_process_t *process,
                 const uv_process_options_t *opts)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    host = getpid();
    spawning = 1;
    int status = uv_spawn(loop, process, opts);
    spawning = 0;
    return status;
}

/* ---- lifetime ---- */

static void free_child(struct child *c)
{
    LIST_REMOVE(c, link);
    free(c);
}

static void on_closed(uv_handle_t *h)
{
    struct child *c = h->data;
    if (--c->handles == 0 && c->refs == 0)
        free_child(c);
}

static void close_handle(uv_handle_t *h)
{
    if (!uv_is_closing(h))
        uv_close(h, on_closed);
}

static void finish_read(struct pipe *p, ssize_t n)
{
    child_read_fn *fn = p->fn;
    p->fn = NULL;
    if (fn)
        fn(p->arg, n);
}

static void close_pipe(struct child *c, int i)
{
    struct pipe *p = &c->pipes[i];
    if (!p->open)
        return;
    p->open = 0;
    close_handle((uv_handle_t *)&p->handle);
    finish_read(p, UV_ECANCELED);
}

static void close_pipes(struct child *c)
{
    for (int i = 0; i < 3; i++)
        close_pipe(c, i);
}

void child_ref(struct child *c)
{
    c->refs++;
}

void child_unref(struct child *c)
{
    if (--c->refs > 0)
        return;
    close_pipes(c);
    if (c->running)
        child_kill(c, SIGKILL); /* on_exit closes the rest */
    else if (c->handles == 0)
        free_child(c);
}

void child_close_all(void)
{
    for (struct child *c = LIST_FIRST(&children); c; c = LIST_NEXT(c, link))
        close_pipes(c);
}

static void on_exit_cb(uv_process_t *process, int64_t code, int signal)
{
    struct child *c = process->data;
    c->running = 0;
    c->code = (int)code;
    c->signal = signal;
    c->refs++; /* on_exit may let go of the last reference */
    close_handle((uv_handle_t *)&c->process);
    close_handle((uv_handle_t *)&c->grace);
    close_pipe(c, 0);
    if (c->ending) {
        uv_kill(-c->pid, SIGKILL); /* what it started and left behind */
        close_pipes(c);
    }
    if (c->on_exit)
        c->on_exit(c->arg);
    child_unref(c);
}

/* ---- starting ---- */

static void init_handles(struct child *c, uv_loop_t *loop,
                         const struct child_opts *opts,
                         uv_stdio_container_t *stdio)
{
    c->process.data = c->grace.data = c;
    uv_timer_init(loop, &c->grace);
    c->handles = 2; /* uv_spawn makes the other one, also when it fails */
    for (int i = 0; i < 3; i++) {
        struct pipe *p = &c->pipes[i];
        stdio[i].flags = UV_IGNORE;
        if (opts->stdio[i] == CHILD_INHERIT) {
            stdio[i].flags = UV_INHERIT_FD;
            stdio[i].data.fd = i;
        } else if (opts->stdio[i] == CHILD_PIPE) {
            uv_pipe_init(loop, &p->handle, 0);
            p->handle.data = c;
            p->open = 1;
            c->handles++;
            stdio[i].flags =
                UV_CREATE_PIPE | (i ? UV_WRITABLE_PIPE : UV_READABLE_PIPE);
            stdio[i].data.stream = (uv_stream_t *)&p->handle;
        }
    }
}

int child_spawn(uv_loop_t *loop, const struct child_opts *opts,
                struct child **child)
{
    uv_stdio_container_t stdio[3];
    struct child *c = calloc(1, sizeof *c);
    if (!c)
        return UV_ENOMEM;
    LIST_INSERT_HEAD(&children, c, link);
    init_handles(c, loop, opts, stdio);
    c->refs = 1;
    int status = spawn(loop, &c->process,
                       &(uv_process_options_t){
                           .exit_cb = on_exit_cb,
                           .file = opts->argv[0],
                           .args = opts->argv,
                           .env = opts->env,
                           .cwd = opts->cwd,
                           .flags = UV_PROCESS_DETACHED,
                           .stdio_count = 3,
                           .stdio = stdio,
                       });
    if (status < 0) {
        close_handle((uv_handle_t *)&c->process);
        close_handle((uv_handle_t *)&c->grace);
        child_unref(c);
        return status;
    }
    c->running = 1;
    c->pid = c->process.pid;
    *child = c;
    return 0;
}

void child_on_exit(struct child *c, void (*fn)(void *arg), void *arg)
{
    c->on_exit = fn;
    c->arg = arg;
}

int child_running(const struct child *c)
{
    return c->running;
}

int child_pid(const struct child *c)
{
    return c->pid;
}

int child_code(const struct child *c)
{
    return c->code;
}

int child_signal(const struct child *c)
{
    return c->signal;
}

/* ---- ending ---- */

int child_kill(struct child *c, int signal)
{
    return c->running ? uv_kill(-c->pid, signal) : UV_ESRCH;
}

static void on_grace(uv_timer_t *timer)
{
    child_kill(timer->data, SIGKILL);
}

void child_terminate(struct child *c, unsigned grace_ms)
{
    if (!c->running || c->ending)
        return;
    c->ending = 1;
    child_kill(c, SIGTERM);
    child_kill(c, SIGCONT); /* a stopped one must get to know */
    uv_update_time(c->grace.loop);
    uv_timer_start(&c->grace, on_grace, grace_ms, 0);
}

/* ---- reading ---- */

static struct pipe *pipe_of(uv_handle_t *h)
{
    struct child *c = h->data;
    for (int i = 0; i < 2; i++)
        if (h == (uv_handle_t *)&c->pipes[i].handle)
            return &c->pipes[i];
    return &c->pipes[2];
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct pipe *p = pipe_of(h);
    *buf = uv_buf_init(p->buf, (unsigned)p->size);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    if (n == 0)
        return; /* nothing there yet */
    struct child *c = stream->data;
    struct pipe *p = pipe_of((uv_handle_t *)stream);
    uv_read_stop(stream);
    c->refs++; /* the reader may let go of the last reference */
    finish_read(p, n == UV_EOF ? 0 : n);
    if (n < 0)
        close_pipe(c, (int)(p - c->pipes));
    child_unref(c);
}

int child_read(struct child *c, int pipe, char *buf, size_t size,
               child_read_fn *fn, void *arg)
{
    struct pipe *p = &c->pipes[pipe];
    if (p->fn)
        return UV_EBUSY;
    if (!p->handle.data)
        return UV_EBADF;
    if (!p->open) {
        fn(arg, 0);
        return 0;
    }
    p->fn = fn;
    p->arg = arg;
    p->buf = buf;
    p->size = size;
    int status = uv_read_start((uv_stream_t *)&p->handle, on_alloc, on_read);
    if (status < 0)
        p->fn = NULL;
    return status;
}

void child_read_cancel(struct child *c, int pipe)
{
    struct pipe *p = &c->pipes[pipe];
    if (p->open)
        uv_read_stop((uv_stream_t *)&p->handle);
    finish_read(p, UV_ECANCELED);
}

/* ---- writing ---- */

struct write {
    uv_write_t req;
    struct child *child;
    void (*fn)(void *arg, int status);
    void *arg;
};

static void on_write(uv_write_t *req, int status)
{
    struct write *w = (struct write *)req;
    struct child *c = w->child;
    c->writes--;
    w->fn(w->arg, status);
    free(w);
    if (c->input_ended && c->writes == 0)
        close_pipe(c, 0);
    child_unref(c);
}

int child_write(struct child *c, const char *data, size_t len,
                void (*fn)(void *arg, int status), void *arg)
{
    if (!c->pipes[0].handle.data || c->input_ended)
        return UV_EBADF;
    if (!c->pipes[0].open)
        return UV_EPIPE; /* it has ended */
    struct write *w = malloc(sizeof *w);
    if (!w)
        return UV_ENOMEM;
    *w = (struct write){.child = c, .fn = fn, .arg = arg};
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)len);
    int status = uv_write(&w->req, (uv_stream_t *)&c->pipes[0].handle, &buf, 1,
                          on_write);
    if (status < 0) {
        free(w);
        return status;
    }
    c->writes++;
    child_ref(c);
    return 0;
}

void child_end_input(struct child *c)
{
    c->input_ended = 1;
    if (c->writes == 0)
        close_pipe(c, 0);
}

void child_break_input(struct child *c)
{
    c->input_ended = 1;
    close_pipe(c, 0);
}
