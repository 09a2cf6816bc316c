/* test_heap.c - due times come out in order, whoever leaves in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "heap.h"

#define N 1000

struct item {
    struct heap_node node;
    uint64_t due;
};

static struct item items[N];

static struct item *item_of(struct heap_node *node)
{
    return (struct item *)((char *)node - offsetof(struct item, node));
}

static void fill(struct heap *h, unsigned seed)
{
    srand(seed);
    for (int i = 0; i < N; i++) {
        items[i] = (struct item){.due = (uint64_t)rand() % 500};
        assert_int_equal(heap_push(h, &items[i].node, items[i].due), 0);
    }
}

/* Take everything out; how many there were. */
static int drain(struct heap *h)
{
    uint64_t due, last = 0;
    struct heap_node *node;
    int n = 0;
    for (; (node = heap_first(h, &due)); n++) {
        assert_true(due >= last);
        assert_int_equal(item_of(node)->due, due);
        last = due;
        heap_remove(h, node);
        assert_int_equal(node->at, 0);
    }
    return n;
}

static void test_order(void **state)
{
    struct heap h = {0};
    (void)state;
    fill(&h, 1);
    assert_int_equal(drain(&h), N);
    heap_fini(&h);
}

static void test_leaving_early(void **state)
{
    struct heap h = {0};
    (void)state;
    for (unsigned seed = 2; seed < 20; seed++) {
        fill(&h, seed);
        int gone = 0;
        for (int i = 0; i < N; i += 1 + rand() % 3, gone++)
            heap_remove(&h, &items[i].node);
        heap_remove(&h, &items[0].node); /* again: nothing happens */
        assert_int_equal(drain(&h), N - gone);
    }
    heap_fini(&h);
}

static void test_empty(void **state)
{
    struct heap h = {0};
    uint64_t due;
    (void)state;
    assert_null(heap_first(&h, &due));
    heap_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_leaving_early),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
