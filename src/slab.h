/* slab.h - memory for a Lua state: small blocks of a few sizes, without a
 * header each, because Lua says how large a block is when it gives it back.
 * Thousands of tasks that come and go cost half of what malloc takes. */
#ifndef SLAB_H
#define SLAB_H

#include <stddef.h>

struct slab;

/* NULL when memory is out. */
struct slab *slab_new(void);

/* A lua_Alloc; `slab` is its user data. One thread. */
void *slab_alloc(void *slab, void *block, size_t old_size, size_t new_size);

/* Free everything that was allocated from it at once. */
void slab_free(struct slab *slab);

#endif
