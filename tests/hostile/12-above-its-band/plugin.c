/* It wants slots that are people's, and such as are none. */
#include "../hostile.h"

static void act(samples_t samples) {
    point_t point = target(samples);
    command(point, 24, 1, 60);
    command(point, 24, 8, 60);
    command(point, 24, 11, 60);
    command(point, 24, 15, 60);
    command(point, 24, 0, 60);
    command(point, 24, 255, 60);
}
