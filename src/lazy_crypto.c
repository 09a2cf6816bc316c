/* lazy_crypto.c - owns the table of libcrypto's functions. */
#include "lazy_crypto.h"

struct crypto_api crypto;

static const char *const names[] = {CRYPTO_FUNCTIONS(LAZY_NAME)};

int crypto_load(const char **why)
{
    static int loaded;
    if (loaded)
        return 0;
    int status = lazy_load("libcrypto.so.3", &crypto, names,
                           sizeof names / sizeof *names, why);
    loaded = status == 0;
    return status;
}
