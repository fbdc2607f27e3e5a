/* The director of a drill: where it rains hard the guard reports, and the trainees are asked whether the barrier at the
 * canteen goes up. Each is said once.
 *
 * `drill.h` is made from the contract by the build; it lies in target/c. Every `bool` there is "it worked". Lists that the
 * host gives are the plugin's to free, by the `_free` of their type. */
#include <stdlib.h>
#include <string.h>

#include "drill.h"

typedef campanile_plugin_types_words_t words_t;
typedef campanile_plugin_types_denial_t denial_t;

static const char *const ACTION = "barrier-canteen"; /* what a yes begins */
static double rain_mm = 20;

static drill_string_t text(const char *literal) {
    drill_string_t string;
    drill_string_set(&string, literal);
    return string;
}

static words_t words(const char *zh_cn, const char *en) { return (words_t){text(zh_cn), text(en)}; }

static bool is(drill_string_t string, const char *literal) {
    return string.len == strlen(literal) && memcmp(string.ptr, literal, string.len) == 0;
}

static bool fail(drill_string_t *err, const char *why, denial_t *denial) {
    campanile_plugin_types_denial_free(denial);
    drill_string_dup(err, why);
    return false;
}

/* A whole number; settings are text. */
static bool whole(drill_string_t string, double *number) {
    double sum = 0;
    for (size_t i = 0; i < string.len; i++) {
        if (string.ptr[i] < '0' || string.ptr[i] > '9') return false;
        sum = 10 * sum + (string.ptr[i] - '0');
    }
    *number = sum;
    return string.len > 0;
}

bool exports_campanile_plugin_handler_start(drill_list_tuple2_string_string_t *settings, drill_string_t *err) {
    bool done = true;
    for (size_t i = 0; i < settings->len && done; i++)
        if (is(settings->ptr[i].f0, "rain_mm")) done = whole(settings->ptr[i].f1, &rain_mm);
    if (!done) drill_string_dup(err, "rain_mm is a whole number");
    drill_list_tuple2_string_string_free(settings);
    return done;
}

/* In the store, since this instance may be gone at the next tick. */
static bool was_asked(bool *asked, denial_t *denial) {
    drill_string_t key = text("asked");
    drill_option_list_u8_t kept;
    if (!campanile_plugin_store_get(&key, &kept, denial)) return false;
    *asked = kept.is_some;
    drill_option_list_u8_free(&kept);
    return true;
}

static bool remember(denial_t *denial) {
    uint8_t yes = 1;
    drill_string_t key = text("asked");
    drill_list_u8_t value = {&yes, 1};
    return campanile_plugin_store_set(&key, &value, denial);
}

bool exports_campanile_plugin_handler_on_tick(campanile_plugin_types_time_t now, drill_string_t *err) {
    (void)now;
    denial_t denial;
    campanile_plugin_drills_situation_t situation;
    if (!campanile_plugin_drills_now(&situation, &denial)) return fail(err, "there is no drill", &denial);
    bool pours = situation.rain_hour_mm >= rain_mm, asked;
    campanile_plugin_drills_situation_free(&situation);
    if (!was_asked(&asked, &denial)) return fail(err, "the store was refused", &denial);
    if (!pours || asked) return true;

    words_t guard = words("保安", "Guard");
    words_t message = words("雨很大，食堂门口开始积水", "It pours, and water stands at the canteen");
    if (!campanile_plugin_drills_tell(&guard, &message, &denial)) return fail(err, "telling was refused", &denial);
    drill_string_t id = text("barrier");
    words_t question = words("食堂门口上挡水板吗？", "Does the barrier at the canteen go up?");
    words_t answers[] = {words("上", "Yes"), words("再等等", "Not yet")};
    campanile_plugin_drills_list_words_t all = {answers, 2};
    if (!campanile_plugin_drills_ask(&id, &question, &all, &denial)) return fail(err, "asking was refused", &denial);
    if (!remember(&denial)) return fail(err, "the store was refused", &denial);
    return true;
}

bool exports_campanile_plugin_directing_on_decision(exports_campanile_plugin_directing_decision_t *decision,
                                                    drill_string_t *err) {
    bool yes = is(decision->id, "barrier") && decision->answer == 0;
    exports_campanile_plugin_directing_decision_free(decision);
    if (!yes) return true;
    denial_t denial;
    drill_string_t action = text(ACTION);
    /* One that is begun already is passed over. */
    if (!campanile_plugin_drills_begin(&action, &denial)) return fail(err, "the barrier was refused", &denial);
    return true;
}

/* The contract has these as well; this drill needs none of them. What they are given is theirs to free. */
bool exports_campanile_plugin_handler_on_samples(exports_campanile_plugin_handler_batch_t *samples,
                                                 drill_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_batch_free(samples);
    return true;
}

bool exports_campanile_plugin_handler_on_alarms(exports_campanile_plugin_handler_list_alarm_change_t *changes,
                                                drill_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_list_alarm_change_free(changes);
    return true;
}

bool exports_campanile_plugin_handler_on_panel(exports_campanile_plugin_handler_panel_event_t *event,
                                               drill_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_panel_event_free(event);
    return true;
}
