/* It never returns. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    for (;;) __asm__ volatile("");
}
