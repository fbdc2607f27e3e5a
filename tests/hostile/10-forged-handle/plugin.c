/* It uses handles that no host has given. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    static const point_t forged[] = {4000000, UINT32_MAX, 1u << 31};
    for (int i = 0; i < 3; i++) {
        command(forged[i], 24, 12, 60);
        relinquish(forged[i]);
        holds(forged[i]);
        read_point(forged[i]);
        range(forged[i], 0, INT64_MAX);
    }
}
