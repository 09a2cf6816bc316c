/* lazy_crypto.h - libcrypto, loaded at first use: an empty script hashes
 * nothing, and linking it would cost half of the time that one may take. */
#ifndef LAZY_CRYPTO_H
#define LAZY_CRYPTO_H

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lazy.h"

#define CRYPTO_FUNCTIONS(X)                                                    \
    X(EVP_DecodeBlock)                                                         \
    X(EVP_DigestFinal_ex)                                                      \
    X(EVP_DigestInit_ex)                                                       \
    X(EVP_DigestUpdate)                                                        \
    X(EVP_EncodeBlock)                                                         \
    X(EVP_MD_CTX_free)                                                         \
    X(EVP_MD_CTX_new)                                                          \
    X(EVP_sha256)                                                              \
    X(OpenSSL_version)

struct crypto_api {
    CRYPTO_FUNCTIONS(LAZY_FIELD)
};

extern struct crypto_api crypto;

/* Load it, once, on the loop's thread. 0, or UV_ENOTSUP with a sentence in
 * *why. */
int crypto_load(const char **why);

#endif
