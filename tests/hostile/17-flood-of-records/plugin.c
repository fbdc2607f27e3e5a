/* It keeps ten thousand records. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    for (int turn = 0; turn < 10000; turn++) append();
}
