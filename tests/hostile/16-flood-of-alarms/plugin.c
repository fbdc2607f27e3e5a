/* It raises an alarm ten thousand times, and one that is not its own. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    for (int turn = 0; turn < 10000; turn++) raise("");
    raise_as("fire", "");
    raise("no/such/place");
}
