/* It writes ten thousand lines. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    for (int turn = 0; turn < 10000; turn++) say("noise");
}
