/* lazy.h - libraries that are loaded at first use, because linking them costs
 * every start of the program some milliseconds.
 *
 * A library is a list macro of the functions that we use:
 *
 *     #define FOO_FUNCTIONS(X) X(foo_open) X(foo_close)
 *     struct foo_api { FOO_FUNCTIONS(LAZY_FIELD) };
 *     extern struct foo_api foo;        then: foo.foo_open(...)
 *     int foo_load(const char **why);   calls lazy_load(), see lazy_mhd.c
 *
 * so the types are those of the library's own header. */
#ifndef LAZY_H
#define LAZY_H

#include <stddef.h>

#define LAZY_FIELD(fn) __typeof__(fn) *fn;
#define LAZY_NAME(fn) #fn,

/* Open `soname` and fill `table`, `n` function pointers in the order of
 * `names`. Returns 0, or a negative libuv code with a sentence in *why that
 * stays valid. The library is never unloaded. */
int lazy_load(const char *soname, void *table, const char *const *names,
              size_t n, const char **why);

#endif
