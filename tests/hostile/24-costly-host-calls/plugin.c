/* It has the host look through all points for ever. Only what the host looks at is counted here: its own work is small. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    rule_string_t glob = text("none/of/**");
    for (;;) {
        campanile_plugin_points_list_info_t found;
        denial_t denial;
        if (!campanile_plugin_points_find(&glob, &found, &denial)) campanile_plugin_types_denial_free(&denial);
    }
}
