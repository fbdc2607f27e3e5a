/* It traps on every call. After five it is not called any more. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    abort();
}
