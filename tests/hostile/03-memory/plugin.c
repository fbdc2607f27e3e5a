/* It takes a page of memory after another, until it gets no more, and writes into each. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    for (;;) {
        size_t page = __builtin_wasm_memory_grow(0, 1);
        if (page == SIZE_MAX) break;
        *(volatile uint8_t *)(page << 16) = 1;
    }
    say("no more");
}
