/* db_value.h - statements with their values, and rows, as bytes: how they go
 * from Lua's thread to SQLite's and back. */
#ifndef DB_VALUE_H
#define DB_VALUE_H

#include <stddef.h>
#include <stdint.h>

enum db_type { DB_NULL, DB_INTEGER, DB_REAL, DB_TEXT };

struct db_value {
    enum db_type type;
    union {
        int64_t i;
        double d;
        struct {
            const char *s; /* followed by a zero byte */
            size_t n;
        };
    };
};

/* Grows as it is written to. All zero is an empty one. */
struct db_buf {
    char *data;
    size_t len, size;
};

/* 0, or -1 when memory is out. */
int db_put(struct db_buf *b, const struct db_value *v);
int db_put_count(struct db_buf *b, uint32_t n);

/* Read what was put at `at`; where the next one is. The text stays there. */
const char *db_get(const char *at, struct db_value *v);
const char *db_get_count(const char *at, uint32_t *n);

#endif
