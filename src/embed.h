/* embed.h - the Lua files inside the binary; the table is made by tools/embed.c
 * and sorted by name. */
#ifndef EMBED_H
#define EMBED_H

#include <stddef.h>

struct embed_file {
    const char *name; /* as required: "rt.task" */
    size_t offset, size;
};

extern const struct embed_file embed_files[];
extern const size_t embed_count;
extern const char embed_blob[];

#endif
