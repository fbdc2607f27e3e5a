/* It writes bytes that are no text, in UTF-8 that is cut off. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    uint8_t bytes[] = {0xe6, 0x96, 0xff, 0xfe};
    rule_string_t line = {bytes, sizeof bytes};
    campanile_plugin_log_write(CAMPANILE_PLUGIN_LOG_LEVEL_INFO, &line);
}
