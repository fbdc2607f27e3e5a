/* The probe of activities: does one thing as it is told, so that a test of the host can drive what only activities have.
 * `sdk/probe/README.md` lists the modes; the probe in Rust has the same, with the same words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "activity.h"

typedef campanile_plugin_types_denial_t denial_t;
typedef campanile_plugin_types_words_t words_t;
typedef campanile_plugin_activities_mission_t mission_t;

enum { MOST = 101 }; /* one mission more than there may be */
static const int64_t HOUR = 3600000000;
static const char *const PERSON = "7-2/Swift";

static activity_string_t mode_setting;

/* ---- words ---- */

static activity_string_t text(const char *literal) {
    activity_string_t string;
    activity_string_set(&string, literal);
    return string;
}

static words_t words(const char *zh_cn, const char *en) { return (words_t){text(zh_cn), text(en)}; }

static bool is(activity_string_t string, const char *literal) {
    return string.len == strlen(literal) && memcmp(string.ptr, literal, string.len) == 0;
}

/* A line, put together from texts and numbers. */
typedef struct {
    uint8_t bytes[512];
    size_t len;
} line_t;

static void put(line_t *line, activity_string_t string) {
    for (size_t i = 0; i < string.len && line->len < sizeof line->bytes; i++) line->bytes[line->len++] = string.ptr[i];
}

static void put_number(line_t *line, uint64_t number) {
    uint8_t digits[20];
    size_t first = sizeof digits;
    do digits[--first] = '0' + number % 10;
    while (number /= 10);
    put(line, (activity_string_t){digits + first, sizeof digits - first});
}

static void put_line(line_t *line) {
    activity_string_t string = {line->bytes, line->len};
    campanile_plugin_log_write(CAMPANILE_PLUGIN_LOG_LEVEL_INFO, &string);
}

static void begin(line_t *line, activity_string_t mode) {
    line->len = 0;
    put(line, text("probe: "));
    put(line, mode);
    put(line, text(": "));
}

/* As the contract spells it. */
static const char *name(uint8_t tag) {
    static const char *const names[] = {
        [CAMPANILE_PLUGIN_TYPES_DENIAL_NOT_GRANTED] = "not-granted",
        [CAMPANILE_PLUGIN_TYPES_DENIAL_UNKNOWN_POINT] = "unknown-point",
        [CAMPANILE_PLUGIN_TYPES_DENIAL_INVALID] = "invalid",
        [CAMPANILE_PLUGIN_TYPES_DENIAL_OUT_OF_LIMITS] = "out-of-limits",
        [CAMPANILE_PLUGIN_TYPES_DENIAL_TOO_STRONG] = "too-strong",
        [CAMPANILE_PLUGIN_TYPES_DENIAL_TOO_SOON] = "too-soon",
        [CAMPANILE_PLUGIN_TYPES_DENIAL_INTERLOCKED] = "interlocked",
        [CAMPANILE_PLUGIN_TYPES_DENIAL_QUOTA] = "quota",
        [CAMPANILE_PLUGIN_TYPES_DENIAL_UNAVAILABLE] = "unavailable",
    };
    return names[tag];
}

/* The answer, with a count unless that is negative. */
static void answer(activity_string_t mode, bool done, int64_t count, denial_t *denial) {
    line_t line;
    begin(&line, mode);
    put(&line, text(done ? "ok" : name(denial->tag)));
    if (done && count >= 0) {
        put(&line, text(" "));
        put_number(&line, (uint64_t)count);
    }
    put_line(&line);
    if (!done) campanile_plugin_types_denial_free(denial);
}

/* ---- what activities share with rules ---- */

static bool range(int64_t *count, denial_t *denial) {
    activity_string_t path = text("teaching-a/2f/203/ac/setpoint");
    campanile_plugin_points_info_t info;
    if (!campanile_plugin_points_by_path(&path, &info, denial)) return false;
    int64_t now = campanile_plugin_clock_now();
    campanile_plugin_history_list_sample_t found;
    bool done = campanile_plugin_history_range(info.point, now - HOUR, now, 100, &found, denial);
    campanile_plugin_points_info_free(&info);
    if (!done) return false;
    *count = (int64_t)found.len;
    campanile_plugin_history_list_sample_free(&found);
    return true;
}

static bool show(const char *person, denial_t *denial) {
    campanile_plugin_panels_node_t nodes[3];
    memset(nodes, 0, sizeof nodes);
    nodes[0].id = text("all");
    nodes[0].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_COLUMN;
    nodes[1].id = text("text");
    nodes[1].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_TEXT;
    nodes[1].content.val.text.f0 = words("探针", "Probe");
    nodes[1].content.val.text.f1 = CAMPANILE_PLUGIN_PANELS_TONE_PLAIN;
    words_t head = words("甲", "A"), cell = words("乙", "B");
    campanile_plugin_panels_list_words_t row = {&cell, 1};
    nodes[2].id = text("table");
    nodes[2].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_TABLE;
    nodes[2].content.val.table.f0 = (campanile_plugin_panels_list_words_t){&head, 1};
    nodes[2].content.val.table.f1 = (campanile_plugin_panels_list_list_words_t){&row, 1};
    nodes[1].parent.is_some = nodes[2].parent.is_some = true;
    activity_string_t panel = text("probe");
    campanile_plugin_panels_list_node_t all = {nodes, 3};
    if (!person) return campanile_plugin_panels_show(&panel, &all, denial);
    activity_string_t to = text(person);
    return campanile_plugin_panels_show_to(&panel, &to, &all, denial);
}

static bool show_again_to_all(denial_t *denial) {
    activity_string_t panel = text("probe"), person = text(PERSON);
    campanile_plugin_panels_list_node_t none = {NULL, 0};
    return campanile_plugin_panels_show_to(&panel, &person, &none, denial);
}

static bool derive(const char *entity, denial_t *denial) {
    campanile_plugin_points_derived_t one = {
        text("rooms"), text(entity),
        {CAMPANILE_PLUGIN_TYPES_VALUE_NUMBER, {.number = 1}}, CAMPANILE_PLUGIN_TYPES_QUALITY_GOOD};
    campanile_plugin_points_list_derived_t batch = {&one, 1};
    return campanile_plugin_points_publish(&batch, denial);
}

static bool set(denial_t *denial) {
    activity_string_t key = text("key"), value = text("value");
    activity_list_u8_t bytes = {value.ptr, value.len};
    return campanile_plugin_store_set(&key, &bytes, denial);
}

/* ---- what only activities have ---- */

/* So many missions, the ids counted from m0; with `twice` all have the first. */
static bool offer(size_t count, bool twice, denial_t *denial) {
    static uint8_t ids[MOST][4];
    mission_t missions[MOST];
    for (size_t i = 0; i < count; i++) {
        size_t n = twice ? 0 : i, len = 0;
        ids[i][len++] = 'm';
        if (n >= 100) ids[i][len++] = '0' + n / 100;
        if (n >= 10) ids[i][len++] = '0' + n / 10 % 10;
        ids[i][len++] = '0' + n % 10;
        missions[i] = (mission_t){{ids[i], len}, words("任务", "Mission"), words("关灯", "Lights out"), 10};
    }
    campanile_plugin_activities_list_mission_t all = {missions, count};
    return campanile_plugin_activities_offer(&all, denial);
}

static bool award(const char *mission, const char *person, uint32_t points, denial_t *denial) {
    activity_string_t of = text(mission), to = text(person);
    return campanile_plugin_activities_award(&of, &to, points, denial);
}

static bool propose(const char *glob, double value, double from_h, uint8_t days, denial_t *denial) {
    campanile_plugin_activities_change_t change = {text(glob), value, from_h, 17};
    campanile_plugin_activities_list_change_t changes = {&change, 1};
    activity_string_t id = text("warmer");
    words_t names = words("调高空调", "Warmer rooms");
    return campanile_plugin_activities_propose(&id, &names, &changes, days, denial);
}

static void league(activity_string_t mode) {
    denial_t denial;
    campanile_plugin_activities_list_standing_t found;
    if (!campanile_plugin_activities_league(&found, &denial)) {
        answer(mode, false, -1, &denial);
        return;
    }
    line_t line;
    begin(&line, mode);
    for (size_t i = 0; i < found.len; i++) {
        if (i) put(&line, text(", "));
        put(&line, found.ptr[i].group);
        put(&line, text(" "));
        put_number(&line, found.ptr[i].points);
    }
    put_line(&line);
    campanile_plugin_activities_list_standing_free(&found);
}

/* ---- the modes ---- */

static bool act(activity_string_t mode, activity_string_t *err) {
    denial_t denial;
    memset(&denial, 0, sizeof denial);
    int64_t count = -1;
    bool done;
    if (mode.len == 0) return true;
    if (is(mode, "league")) {
        league(mode);
        return true;
    }
    if (is(mode, "find")) {
        activity_string_t glob = text("**");
        campanile_plugin_points_list_info_t found = {NULL, 0};
        done = campanile_plugin_points_find(&glob, &found, &denial);
        count = (int64_t)found.len;
        if (done) campanile_plugin_points_list_info_free(&found);
    } else if (is(mode, "networks")) {
        campanile_plugin_networks_list_node_t found = {NULL, 0};
        done = campanile_plugin_networks_nodes(CAMPANILE_PLUGIN_NETWORKS_NETWORK_KIND_WATER, &found, &denial);
        count = (int64_t)found.len;
        if (done) campanile_plugin_networks_list_node_free(&found);
    } else if (is(mode, "history")) {
        done = range(&count, &denial);
    } else if (is(mode, "record")) {
        activity_string_t kind = text("probe"), body = text("{\"n\":1}");
        done = campanile_plugin_records_append(&kind, &body, &denial);
    } else if (is(mode, "records")) {
        activity_string_t kind = text("probe");
        campanile_plugin_records_list_kept_t kept = {NULL, 0};
        done = campanile_plugin_records_newest(&kind, 10, &kept, &denial);
        count = (int64_t)kept.len;
        if (done) campanile_plugin_records_list_kept_free(&kept);
    } else if (is(mode, "store")) {
        done = set(&denial);
    } else if (is(mode, "panel")) {
        done = show(NULL, &denial);
    } else if (is(mode, "show-to")) {
        done = show(PERSON, &denial);
    } else if (is(mode, "show-to-nobody")) {
        done = show("", &denial);
    } else if (is(mode, "show-to-all")) {
        done = show_again_to_all(&denial);
    } else if (is(mode, "derived")) {
        done = derive("teaching-a/2f", &denial);
    } else if (is(mode, "derived-elsewhere")) {
        done = derive("labs/2f", &denial);
    } else if (is(mode, "offer")) {
        done = offer(2, false, &denial);
    } else if (is(mode, "offer-twice")) {
        done = offer(2, true, &denial);
    } else if (is(mode, "offer-many")) {
        done = offer(MOST, false, &denial);
    } else if (is(mode, "offer-nothing")) {
        done = offer(0, false, &denial);
    } else if (is(mode, "award")) {
        done = award("m0", PERSON, 10, &denial);
    } else if (is(mode, "award-both")) {
        done = offer(2, false, &denial) && award("m1", "teacher", 10, &denial) && award("m1", "teacher", 10, &denial);
    } else if (is(mode, "award-unknown")) {
        done = award("other", PERSON, 1, &denial);
    } else if (is(mode, "award-much")) {
        done = award("m0", "teacher", 11, &denial);
    } else if (is(mode, "propose")) {
        done = propose("**/ac/setpoint", 26, 12, 3, &denial);
    } else if (is(mode, "propose-switch")) {
        done = propose("**/ac/on", 0, 12, 1, &denial);
    } else if (is(mode, "propose-half")) {
        done = propose("**/ac/on", 0.5, 12, 1, &denial);
    } else if (is(mode, "propose-sensor")) {
        done = propose("**/co2", 400, 12, 1, &denial);
    } else if (is(mode, "propose-hours")) {
        done = propose("**/ac/setpoint", 26, 18, 3, &denial);
    } else if (is(mode, "propose-nan")) {
        done = propose("**/ac/setpoint", __builtin_nan(""), 12, 3, &denial);
    } else if (is(mode, "propose-long")) {
        done = propose("**/ac/setpoint", 26, 12, 8, &denial);
    } else {
        activity_string_dup(err, "probe: no such mode");
        return false;
    }
    answer(mode, done, count, &denial);
    return true;
}

/* ---- what the host calls ---- */

bool exports_campanile_plugin_handler_start(activity_list_tuple2_string_string_t *settings, activity_string_t *err) {
    (void)err;
    for (size_t i = 0; i < settings->len; i++) {
        if (!is(settings->ptr[i].f0, "mode")) continue;
        activity_string_t value = settings->ptr[i].f1;
        mode_setting = (activity_string_t){malloc(value.len + 1), value.len};
        if (!mode_setting.ptr) abort();
        memcpy(mode_setting.ptr, value.ptr, value.len);
    }
    activity_list_tuple2_string_string_free(settings);
    return true;
}

bool exports_campanile_plugin_handler_on_samples(exports_campanile_plugin_handler_batch_t *samples,
                                                 activity_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_batch_free(samples);
    return true;
}

bool exports_campanile_plugin_handler_on_tick(campanile_plugin_types_time_t now, activity_string_t *err) {
    (void)now;
    return act(mode_setting, err);
}

bool exports_campanile_plugin_handler_on_alarms(exports_campanile_plugin_handler_list_alarm_change_t *changes,
                                                activity_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_list_alarm_change_free(changes);
    return true;
}

bool exports_campanile_plugin_handler_on_panel(exports_campanile_plugin_handler_panel_event_t *event,
                                               activity_string_t *err) {
    exports_campanile_plugin_handler_panel_event_free(event);
    return act(mode_setting, err);
}

bool exports_campanile_plugin_learning_on_outcome(exports_campanile_plugin_learning_outcome_t *outcome,
                                                  activity_string_t *err) {
    (void)err;
    line_t line;
    begin(&line, text("outcome"));
    put(&line, outcome->id);
    put(&line, text(" "));
    put_number(&line, (uint64_t)outcome->energy_kwh.f0);
    put(&line, text(" "));
    put(&line, outcome->failed.is_some ? outcome->failed.val : text("-"));
    put_line(&line);
    exports_campanile_plugin_learning_outcome_free(outcome);
    return true;
}
