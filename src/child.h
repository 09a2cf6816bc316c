/* child.h - one child process with its pipes, on the loop.
 *
 * A child leads a process group and session of its own, so that Ctrl-C reaches
 * us and not it, and a kill reaches what it has started. It gets no descriptor
 * of ours but the three that are meant for it, and dies by SIGKILL when we die
 * in whatever way (what it has started itself does not).
 *
 * Owners hold references. The last one to let go closes the pipes, and kills
 * the process if it still runs; the memory goes when libuv has let go too. */
#ifndef CHILD_H
#define CHILD_H

#include <uv.h>

enum child_stdio {
    CHILD_NULL,   /* /dev/null */
    CHILD_PIPE,   /* ours is the other end */
    CHILD_INHERIT /* the one that we have; 1 and 2 only */
};

struct child_opts {
    char **argv; /* argv[0] is looked up in the PATH of env */
    char **env;
    const char *cwd; /* NULL: ours */
    enum child_stdio stdio[3];
};

struct child;

/* Start it. 0 and a child with one reference, or a negative UV_E... */
int child_spawn(uv_loop_t *loop, const struct child_opts *opts,
                struct child **child);
void child_ref(struct child *c);
void child_unref(struct child *c);

/* At the end of the program: close every pipe, read or not. Children that run
 * are ended by whoever awaits their exit. */
void child_close_all(void);

/* Call `fn` once when the process has ended, from the loop; whoever asks when
 * child_running() is 0 already is not called. */
void child_on_exit(struct child *c, void (*fn)(void *arg), void *arg);
int child_running(const struct child *c);
int child_pid(const struct child *c);

/* 0..255, and the signal that ended it or 0. */
int child_code(const struct child *c);
int child_signal(const struct child *c);

/* Send a signal to its group. UV_ESRCH when it has ended. */
int child_kill(struct child *c, int signal);

/* SIGTERM now, SIGKILL after `grace_ms`; once it has ended its pipes are
 * closed, read or not. Harmless when repeated. */
void child_terminate(struct child *c, unsigned grace_ms);

/* What a read leads to: n > 0 bytes, 0 at the end, or a negative UV_E... */
typedef void child_read_fn(void *arg, ssize_t n);

/* Read once from pipe 1 or 2 into `buf`, which must stay until `fn` is called,
 * now or later. UV_EBUSY while another read waits, UV_EBADF without a pipe. */
int child_read(struct child *c, int pipe, char *buf, size_t size,
               child_read_fn *fn, void *arg);
/* End that read: `fn` is called with UV_ECANCELED before this returns. */
void child_read_cancel(struct child *c, int pipe);

/* Write `len` bytes, which must stay until `fn` is called with 0 or an error.
 * UV_EBADF without a pipe or after child_end_input(). */
int child_write(struct child *c, const char *data, size_t len,
                void (*fn)(void *arg, int status), void *arg);

/* Close its standard input once what was written has gone. */
void child_end_input(struct child *c);

/* Close it at once; writes that wait end with UV_ECANCELED. */
void child_break_input(struct child *c);

#endif
