/* It calls itself, through a pointer so that no compiler makes a loop of it. */
#include "../hostile.h"

static uint64_t deeper(uint64_t depth);
static uint64_t (*volatile again)(uint64_t) = deeper;

static uint64_t deeper(uint64_t depth) { return again(depth + 1) * 31 + depth; }

static void act(samples_t samples) {
    (void)samples;
    if (deeper(1) == 0) say("unlikely");
}
