/* It gives what is no number wherever there is one, and asks for the ends of time. */
#include "../hostile.h"

static void act(samples_t samples) {
    const double nan = __builtin_nan(""), infinite = __builtin_inf();
    point_t point = target(samples);
    command(point, nan, 12, 60);
    command(point, infinite, 12, 60);
    command(point, 24, 12, nan);
    publish_one(nan);
    publish_one(-infinite);
    buckets(point, INT64_MIN, INT64_MAX, nan);
    buckets(point, INT64_MIN, INT64_MAX, -1);
    buckets(point, INT64_MIN, INT64_MAX, 60);
    range(point, INT64_MIN, INT64_MAX);
    range(point, INT64_MAX, INT64_MIN);
    campanile_plugin_clock_local_time_t local;
    campanile_plugin_clock_local(INT64_MIN, &local);
    campanile_plugin_clock_local(INT64_MAX, &local);
    say("still here");
}
