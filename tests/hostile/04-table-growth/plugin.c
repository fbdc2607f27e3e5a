/* It makes a table of functions larger, a thousand elements at a time, until it may not. C has no words for that. */
#include "../hostile.h"

/* Some call through a pointer has to be there, else the linker finds a table without a name. */
static int same(int x) { return x; }
static int (*volatile through)(int) = same;

__asm__("  .tabletype room, funcref\n"
        "room:\n");

__attribute__((target("reference-types"))) static int grow(int elements) {
    int before;
    __asm__ volatile("ref.null_func\n local.get %1\n table.grow room\n local.set %0" : "=r"(before) : "r"(elements));
    return before;
}

static void act(samples_t samples) {
    (void)samples;
    int elements = through(0);
    while (grow(1000) >= 0) elements += 1000;
    say(elements == 20000 ? "20000 elements" : "more or fewer than 20000 elements");
}
