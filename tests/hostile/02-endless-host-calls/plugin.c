/* It asks for the time for ever. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    for (;;) campanile_plugin_clock_now();
}
