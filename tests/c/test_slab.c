/* test_slab.c - blocks keep their bytes and never overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slab.h"

#define N 400

struct block {
    unsigned char *at;
    size_t size;
    unsigned char mark;
};

static void paint(struct block *b)
{
    if (b->at)
        memset(b->at, b->mark, b->size);
}

static void check(const struct block *b, size_t upto)
{
    for (size_t i = 0; b->at && i < upto; i++)
        assert_int_equal(b->at[i], b->mark);
}

static size_t any_size(void)
{
    static const size_t ends[] = {40, 300, 1600, 5000};
    return (size_t)rand() % ends[rand() % 4];
}

static void test_random(void **state)
{
    struct slab *s = slab_new();
    struct block blocks[N] = {{0}};
    (void)state;
    assert_non_null(s);
    srand(7);
    for (int step = 0; step < 40000; step++) {
        struct block *b = &blocks[rand() % N];
        size_t size = any_size();
        check(b, b->size);
        unsigned char *at = slab_alloc(s, b->at, b->at ? b->size : 3, size);
        assert_true((at != NULL) == (size > 0));
        assert_int_equal((uintptr_t)at % 16, 0);
        b->at = at;
        check(b, b->size < size ? b->size : size);
        b->size = size;
        b->mark = (unsigned char)step;
        paint(b);
    }
    for (int i = 0; i < N; i++) {
        check(&blocks[i], blocks[i].size);
        slab_alloc(s, blocks[i].at, blocks[i].size, 0);
    }
    slab_free(s);
}

static void test_a_freed_block_is_used_again(void **state)
{
    struct slab *s = slab_new();
    (void)state;
    void *a = slab_alloc(s, NULL, 0, 100);
    slab_alloc(s, a, 100, 0);
    assert_ptr_equal(slab_alloc(s, NULL, 0, 97), a);
    assert_ptr_equal(slab_alloc(s, a, 97, 112), a); /* the same class */
    slab_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_a_freed_block_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
