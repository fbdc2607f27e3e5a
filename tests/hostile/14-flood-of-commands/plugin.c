/* It gives five thousand commands at once, and a thousand and one in one call. */
#include "../hostile.h"

static void act(samples_t samples) {
    point_t point = target(samples);
    for (int turn = 0; turn < 5; turn++) command_many(point, 1000);
    command_many(point, 1001);
}
