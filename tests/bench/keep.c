/* keep.c - keep this machine's memory from going back to its host.
 *
 * keep FILE MB writes that much to a file on a tmpfs and frees all of it
 * but one page in each megabyte.  A kernel with free page reporting gives
 * back whole free blocks (2 MB), and the next touch of such a page costs a
 * trip to the host, several times what writing to it costs.  With a page in
 * use in every block none goes back, until the file is removed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MB (1 << 20)
#define PAGE 4096

static char block[MB];

int main(int argc, char **argv)
{
    long mb = argc == 3 ? atol(argv[2]) : 0;

    if (mb < 1) {
        fputs("usage: keep FILE MB\n", stderr);
        return 2;
    }
    int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    for (long i = 0; i < mb; i++)
        if (write(fd, block, MB) != MB) {
            perror(argv[1]);
            return 1;
        }
    for (long i = 0; i < mb; i++)
        if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                      (off_t)i * MB + PAGE, MB - PAGE)) {
            perror(argv[1]);
            return 1;
        }
    return close(fd) ? 1 : 0;
}
