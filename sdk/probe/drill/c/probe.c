/* The probe of drills: does one thing as it is told, so that a test of the host can drive what only drills have.
 * `sdk/probe/README.md` lists the modes; the probe in Rust has the same, with the same words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drill.h"

typedef campanile_plugin_types_denial_t denial_t;
typedef campanile_plugin_types_words_t words_t;

enum { FLOOD = 10000, MOST_ANSWERS = 9 }; /* far more than any quota; one answer more than there may be */

static drill_string_t mode_setting;

/* ---- words ---- */

static drill_string_t text(const char *literal) {
    drill_string_t string;
    drill_string_set(&string, literal);
    return string;
}

static words_t words(const char *zh_cn, const char *en) { return (words_t){text(zh_cn), text(en)}; }

static bool is(drill_string_t string, const char *literal) {
    return string.len == strlen(literal) && memcmp(string.ptr, literal, string.len) == 0;
}

/* A line, put together from texts and numbers. */
typedef struct {
    uint8_t bytes[512];
    size_t len;
} line_t;

static void put(line_t *line, drill_string_t string) {
    for (size_t i = 0; i < string.len && line->len < sizeof line->bytes; i++) line->bytes[line->len++] = string.ptr[i];
}

/* Numbers of these tests are whole or have one digit after the point. */
static void put_number(line_t *line, double number) {
    uint8_t digits[20];
    size_t first = sizeof digits;
    uint64_t tenths = (uint64_t)(number * 10 + 0.5), whole = tenths / 10;
    if (tenths % 10) {
        digits[--first] = '0' + tenths % 10;
        digits[--first] = '.';
    }
    do digits[--first] = '0' + whole % 10;
    while (whole /= 10);
    put(line, (drill_string_t){digits + first, sizeof digits - first});
}

static void put_line(line_t *line) {
    drill_string_t string = {line->bytes, line->len};
    campanile_plugin_log_write(CAMPANILE_PLUGIN_LOG_LEVEL_INFO, &string);
}

static void begin(line_t *line, drill_string_t mode) {
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

static void say(drill_string_t mode, const char *what) {
    line_t line;
    begin(&line, mode);
    put(&line, text(what));
    put_line(&line);
}

static void answer(drill_string_t mode, bool done, denial_t *denial) {
    say(mode, done ? "ok" : name(denial->tag));
    if (!done) campanile_plugin_types_denial_free(denial);
}

/* ---- what drills have ---- */

static bool show(denial_t *denial) {
    campanile_plugin_panels_node_t nodes[2];
    memset(nodes, 0, sizeof nodes);
    nodes[0].id = text("all");
    nodes[0].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_COLUMN;
    nodes[1].id = text("text");
    nodes[1].parent.is_some = true;
    nodes[1].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_TEXT;
    nodes[1].content.val.text.f0 = words("探针", "Probe");
    nodes[1].content.val.text.f1 = CAMPANILE_PLUGIN_PANELS_TONE_PLAIN;
    drill_string_t panel = text("probe");
    campanile_plugin_panels_list_node_t all = {nodes, 2};
    return campanile_plugin_panels_show(&panel, &all, denial);
}

static void tell_now(drill_string_t mode) {
    denial_t denial;
    campanile_plugin_drills_situation_t now;
    if (!campanile_plugin_drills_now(&now, &denial)) {
        answer(mode, false, &denial);
        return;
    }
    line_t line;
    begin(&line, mode);
    double numbers[] = {now.at_s, now.rain_hour_mm, now.rain_six_hours_mm, now.river_m.is_some ? now.river_m.val : 0};
    for (int i = 0; i < 4; i++) {
        put_number(&line, numbers[i]);
        put(&line, text(" "));
    }
    put(&line, now.warned.is_some ? now.warned.val : text("-"));
    put_line(&line);
    campanile_plugin_drills_situation_free(&now);
}

static void depth(drill_string_t mode, const char *glob, bool tell) {
    denial_t denial;
    double depth_m = 0;
    drill_string_t spaces = text(glob);
    bool done = campanile_plugin_drills_depth(&spaces, &depth_m, &denial);
    if (!done || !tell) {
        answer(mode, done, &denial);
        return;
    }
    line_t line;
    begin(&line, mode);
    put_number(&line, depth_m);
    put_line(&line);
}

static bool tell(const char *zh_cn, denial_t *denial) {
    words_t from = words("保安", "Guard"), message = words(zh_cn, "Water");
    return campanile_plugin_drills_tell(&from, &message, denial);
}

static bool flood(denial_t *denial) {
    for (int turn = 0; turn < FLOOD; turn++)
        if (!tell("有积水", denial)) return false;
    return true;
}

static void progress(drill_string_t mode, const char *action) {
    static const char *const stages[] = {"not-begun", "begun", "done"};
    denial_t denial;
    campanile_plugin_drills_stage_t stage;
    drill_string_t of = text(action);
    if (campanile_plugin_drills_progress(&of, &stage, &denial))
        say(mode, stages[stage]);
    else
        answer(mode, false, &denial);
}

static bool begin_action(const char *action, denial_t *denial) {
    drill_string_t which = text(action);
    return campanile_plugin_drills_begin(&which, denial);
}

static bool ask(size_t count, denial_t *denial) {
    words_t answers[MOST_ANSWERS], question = words("疏散吗？", "Evacuate?");
    for (size_t i = 0; i < count; i++) answers[i] = words("是", "Yes");
    drill_string_t id = text("evacuate");
    campanile_plugin_drills_list_words_t all = {answers, count};
    return campanile_plugin_drills_ask(&id, &question, &all, denial);
}

/* ---- the modes ---- */

static bool act(drill_string_t mode, drill_string_t *err) {
    denial_t denial;
    memset(&denial, 0, sizeof denial);
    if (mode.len == 0) {
    } else if (is(mode, "find")) {
        drill_string_t glob = text("**");
        campanile_plugin_points_list_info_t found = {NULL, 0};
        if (campanile_plugin_points_find(&glob, &found, &denial)) {
            line_t line;
            begin(&line, mode);
            put(&line, text("ok "));
            put_number(&line, found.len);
            put_line(&line);
            campanile_plugin_points_list_info_free(&found);
        } else {
            answer(mode, false, &denial);
        }
    } else if (is(mode, "store")) {
        drill_string_t key = text("key"), value = text("value");
        drill_list_u8_t bytes = {value.ptr, value.len};
        answer(mode, campanile_plugin_store_set(&key, &bytes, &denial), &denial);
    } else if (is(mode, "panel")) {
        answer(mode, show(&denial), &denial);
    } else if (is(mode, "now")) {
        tell_now(mode);
    } else if (is(mode, "depth")) {
        depth(mode, "canteen/**", true);
    } else if (is(mode, "depth-bad")) {
        depth(mode, "a//b", false);
    } else if (is(mode, "tell")) {
        answer(mode, tell("有积水", &denial), &denial);
    } else if (is(mode, "tell-nothing")) {
        answer(mode, tell("", &denial), &denial);
    } else if (is(mode, "flood-told")) {
        answer(mode, flood(&denial), &denial);
    } else if (is(mode, "progress")) {
        progress(mode, "barrier");
    } else if (is(mode, "progress-unknown")) {
        progress(mode, "other");
    } else if (is(mode, "begin")) {
        for (int turn = 0; turn < 2; turn++) answer(mode, begin_action("barrier", &denial), &denial);
        progress(mode, "barrier");
    } else if (is(mode, "begin-done")) {
        answer(mode, begin_action("siren", &denial), &denial);
    } else if (is(mode, "begin-unknown")) {
        answer(mode, begin_action("other", &denial), &denial);
    } else if (is(mode, "ask")) {
        answer(mode, ask(2, &denial), &denial);
    } else if (is(mode, "ask-nothing")) {
        answer(mode, ask(0, &denial), &denial);
    } else if (is(mode, "ask-much")) {
        answer(mode, ask(MOST_ANSWERS, &denial), &denial);
    } else {
        drill_string_dup(err, "probe: no such mode");
        return false;
    }
    return true;
}

/* ---- what the host calls ---- */

bool exports_campanile_plugin_handler_start(drill_list_tuple2_string_string_t *settings, drill_string_t *err) {
    (void)err;
    for (size_t i = 0; i < settings->len; i++) {
        if (!is(settings->ptr[i].f0, "mode")) continue;
        drill_string_t value = settings->ptr[i].f1;
        mode_setting = (drill_string_t){malloc(value.len + 1), value.len};
        if (!mode_setting.ptr) abort();
        memcpy(mode_setting.ptr, value.ptr, value.len);
    }
    drill_list_tuple2_string_string_free(settings);
    return true;
}

bool exports_campanile_plugin_handler_on_samples(exports_campanile_plugin_handler_batch_t *samples,
                                                 drill_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_batch_free(samples);
    return true;
}

bool exports_campanile_plugin_handler_on_tick(campanile_plugin_types_time_t now, drill_string_t *err) {
    (void)now;
    return act(mode_setting, err);
}

bool exports_campanile_plugin_handler_on_alarms(exports_campanile_plugin_handler_list_alarm_change_t *changes,
                                                drill_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_list_alarm_change_free(changes);
    return true;
}

bool exports_campanile_plugin_handler_on_panel(exports_campanile_plugin_handler_panel_event_t *event,
                                               drill_string_t *err) {
    exports_campanile_plugin_handler_panel_event_free(event);
    return act(mode_setting, err);
}

bool exports_campanile_plugin_directing_on_decision(exports_campanile_plugin_directing_decision_t *decision,
                                                    drill_string_t *err) {
    (void)err;
    line_t line;
    begin(&line, text("decision"));
    put(&line, decision->id);
    put(&line, text(" "));
    put_number(&line, decision->answer);
    put(&line, text(" "));
    put(&line, decision->person);
    put_line(&line);
    exports_campanile_plugin_directing_decision_free(decision);
    return true;
}
