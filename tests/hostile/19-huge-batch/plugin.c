/* It gives the host a hundred thousand values in one call. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    publish_many(100000);
}
