/* It commands what it may only read: another room's, and a barrier of the site. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    command(find("teaching-a/2f/201/ac/setpoint"), 24, 12, 60);
    command(find("site/barrier-canteen/barrier-up"), 1, 12, 60);
}
