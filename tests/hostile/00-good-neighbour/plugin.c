/* Not hostile: it works beside each of the others, and nobody may keep it from that. */
#include "../hostile.h"

static void act(samples_t samples) {
    if (samples.points.len == 1) command(target(samples), 24, 12, 60);
    set("key", 100);
}
