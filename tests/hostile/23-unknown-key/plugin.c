/* It does nothing wrong: it is its package that is not what it should be. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    say("well");
}
