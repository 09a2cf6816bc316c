/* lazy_mhd.c - owns the table of libmicrohttpd's functions. */
#include "lazy_mhd.h"

struct mhd_api mhd;

static const char *const names[] = {MHD_FUNCTIONS(LAZY_NAME)};

int mhd_load(const char **why)
{
    static int loaded;
    if (loaded)
        return 0;
    int status = lazy_load("libmicrohttpd.so.12", &mhd, names,
                           sizeof names / sizeof *names, why);
    loaded = status == 0;
    return status;
}
