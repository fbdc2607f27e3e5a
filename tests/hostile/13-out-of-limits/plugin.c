/* It wants temperatures that the point does not allow, and commands that hold for ever. */
#include "../hostile.h"

static void act(samples_t samples) {
    point_t point = target(samples);
    command(point, 99, 12, 60);
    command(point, -40, 12, 60);
    command(point, 1e308, 12, 60);
    command(point, 24, 12, 0);
    command(point, 24, 12, 1e9);
}
