/* The probe: does one thing as it is told, so that a test of the host can drive every capability, every denial and every
 * failure. `sdk/probe/README.md` lists the modes; the probe in Rust has the same, with the same words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rule.h"

#include <campanile_batch.h>

typedef campanile_plugin_types_denial_t denial_t;
typedef campanile_plugin_types_point_t point_t;
typedef struct {
    campanile_plugin_types_sample_t *ptr;
    size_t len;
} samples_t;
typedef campanile_plugin_commands_command_t command_t;

enum {
    FORGED = 4000000, /* a handle that no host has given */
    FLOOD = 10000,    /* far more than any quota: a flood ends with the first denial, or here */
    MIB = 1 << 20,
};
static const int64_t HOUR = 3600000000;

static rule_string_t mode_setting, target_setting; /* the target is a handle, or a path; may be empty */

/* ---- words ---- */

static rule_string_t text(const char *literal) {
    rule_string_t string;
    rule_string_set(&string, literal);
    return string;
}

static bool is(rule_string_t string, const char *literal) {
    return string.len == strlen(literal) && memcmp(string.ptr, literal, string.len) == 0;
}

static rule_string_t copy(rule_string_t string) {
    rule_string_t own = {malloc(string.len + 1), string.len};
    if (!own.ptr) abort();
    memcpy(own.ptr, string.ptr, string.len);
    return own;
}

/* A line, put together from texts and numbers. */
typedef struct {
    uint8_t bytes[512];
    size_t len;
} line_t;

static void put(line_t *line, rule_string_t string) {
    for (size_t i = 0; i < string.len && line->len < sizeof line->bytes; i++) line->bytes[line->len++] = string.ptr[i];
}

static void put_number(line_t *line, int64_t number) {
    uint8_t digits[20];
    size_t first = sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do digits[--first] = '0' + rest % 10;
    while (rest /= 10);
    if (number < 0) put(line, text("-"));
    put(line, (rule_string_t){digits + first, sizeof digits - first});
}

static void put_line(line_t *line, campanile_plugin_log_level_t level) {
    rule_string_t string = {line->bytes, line->len};
    campanile_plugin_log_write(level, &string);
}

static void begin(line_t *line, rule_string_t mode) {
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
static void answer(rule_string_t mode, bool done, int64_t count, denial_t *denial) {
    line_t line;
    begin(&line, mode);
    put(&line, text(done ? "ok" : name(denial->tag)));
    if (done && count >= 0) {
        put(&line, text(" "));
        put_number(&line, count);
    }
    put_line(&line, CAMPANILE_PLUGIN_LOG_LEVEL_INFO);
    if (!done) campanile_plugin_types_denial_free(denial);
}

static bool fail(rule_string_t *err, const char *why) {
    rule_string_dup(err, why);
    return false;
}

/* ---- what modes share ---- */

static bool is_number(const campanile_plugin_types_sample_t *sample) {
    return sample->value.tag == CAMPANILE_PLUGIN_TYPES_VALUE_NUMBER;
}

static campanile_plugin_types_value_t number(double value) {
    return (campanile_plugin_types_value_t){CAMPANILE_PLUGIN_TYPES_VALUE_NUMBER, {.number = value}};
}

/* The point to act upon: the setting's, else that of the first number among the samples. */
static bool target(samples_t samples, point_t *point, denial_t *denial) {
    uint32_t handle = 0;
    size_t digits = 0;
    while (digits < target_setting.len && target_setting.ptr[digits] >= '0' && target_setting.ptr[digits] <= '9')
        handle = 10 * handle + (target_setting.ptr[digits++] - '0');
    if (digits && digits == target_setting.len) {
        *point = handle;
        return true;
    }
    if (target_setting.len) {
        campanile_plugin_points_info_t info;
        if (!campanile_plugin_points_by_path(&target_setting, &info, denial)) return false;
        *point = info.point;
        campanile_plugin_points_info_free(&info);
        return true;
    }
    for (size_t i = 0; i < samples.len; i++)
        if (is_number(&samples.ptr[i])) {
            *point = samples.ptr[i].point;
            return true;
        }
    denial->tag = CAMPANILE_PLUGIN_TYPES_DENIAL_UNKNOWN_POINT;
    return false;
}

static command_t command(point_t point, double value, uint8_t priority) {
    return (command_t){point, number(value), priority, 60, text("probe")};
}

/* The first denial among the answers, else ok. */
static bool write_all(command_t *commands, size_t count, denial_t *denial) {
    campanile_plugin_commands_list_command_t batch = {commands, count};
    campanile_plugin_commands_list_result_void_denial_t answers;
    campanile_plugin_commands_write(&batch, &answers);
    bool done = true;
    memset(denial, 0, sizeof *denial);
    for (size_t i = 0; i < answers.len && done; i++)
        if (answers.ptr[i].is_err) {
            done = false;
            denial->tag = answers.ptr[i].val.err.tag; /* its words stay with the answers */
        }
    campanile_plugin_commands_list_result_void_denial_free(&answers);
    return done;
}

static bool command_target(samples_t samples, double value, uint8_t priority, denial_t *denial) {
    point_t point;
    if (!target(samples, &point, denial)) return false;
    command_t one = command(point, value, priority);
    return write_all(&one, 1, denial);
}

static bool command_all(samples_t samples, denial_t *denial) {
    command_t *all = malloc(samples.len * sizeof *all);
    if (!all) abort();
    size_t count = 0;
    for (size_t i = 0; i < samples.len; i++)
        if (is_number(&samples.ptr[i])) all[count++] = command(samples.ptr[i].point, samples.ptr[i].value.val.number, 12);
    bool done = write_all(all, count, denial);
    free(all);
    return done;
}

static bool publish(const campanile_plugin_points_derived_t *values, size_t count, denial_t *denial) {
    campanile_plugin_points_list_derived_t batch = {(campanile_plugin_points_derived_t *)values, count};
    return campanile_plugin_points_publish(&batch, denial);
}

static bool publish_copies(double value, size_t count, denial_t *denial) {
    campanile_plugin_points_derived_t *all = malloc(count * sizeof *all);
    if (!all) abort();
    for (size_t i = 0; i < count; i++)
        all[i] = (campanile_plugin_points_derived_t){text("echo"), text(""), number(value),
                                                     CAMPANILE_PLUGIN_TYPES_QUALITY_GOOD};
    bool done = publish(all, count, denial);
    free(all);
    return done;
}

static bool echo(samples_t samples, denial_t *denial) {
    campanile_plugin_points_derived_t *all = malloc(samples.len * sizeof *all);
    if (!all) abort();
    size_t count = 0;
    for (size_t i = 0; i < samples.len; i++)
        if (is_number(&samples.ptr[i]))
            all[count++] = (campanile_plugin_points_derived_t){text("echo"), text(""), samples.ptr[i].value,
                                                               samples.ptr[i].quality};
    bool done = publish(all, count, denial);
    free(all);
    return done;
}

/* What samples are, each by its place, as one number. */
static int64_t sum(samples_t samples) {
    int64_t all = 0;
    for (size_t i = 0; i < samples.len; i++) {
        const campanile_plugin_types_sample_t *sample = &samples.ptr[i];
        int64_t one = 1 + sample->quality;
        switch (sample->value.tag) {
        case CAMPANILE_PLUGIN_TYPES_VALUE_BOOLEAN: one += 10 + sample->value.val.boolean; break;
        case CAMPANILE_PLUGIN_TYPES_VALUE_CHOICE: one += 20 + sample->value.val.choice; break;
        case CAMPANILE_PLUGIN_TYPES_VALUE_TEXT: one += 30 + (int64_t)sample->value.val.text.len; break;
        default: one += (int64_t)sample->value.val.number; break;
        }
        all += (int64_t)(i + 1) * one;
    }
    return all;
}

static bool raise_alarm(rule_string_t english, denial_t *denial) {
    rule_string_t id = text("probe"), entity = text("");
    campanile_plugin_types_words_t words = {text("探针"), english};
    return campanile_plugin_alarms_raise(&id, &entity, &words, denial);
}

static bool append(denial_t *denial) {
    rule_string_t kind = text("probe"), body = text("{\"n\":1}");
    return campanile_plugin_records_append(&kind, &body, denial);
}

static bool store_set(line_t *key, void *bytes, size_t size, denial_t *denial) {
    rule_string_t name = {key->bytes, key->len};
    rule_list_u8_t value = {bytes, size};
    return campanile_plugin_store_set(&name, &value, denial);
}

/* Calls of this mode, as four bytes, little end first, as memory here has them. */
static bool count_calls(uint32_t *calls, denial_t *denial) {
    line_t key = {.len = 0};
    put(&key, text("calls"));
    rule_string_t name = {key.bytes, key.len};
    rule_option_list_u8_t kept;
    if (!campanile_plugin_store_get(&name, &kept, denial)) return false;
    *calls = 0;
    if (kept.is_some && kept.val.len == sizeof *calls) memcpy(calls, kept.val.ptr, sizeof *calls);
    rule_option_list_u8_free(&kept);
    *calls += 1;
    return store_set(&key, calls, sizeof *calls, denial);
}

static bool fill_store(denial_t *denial) {
    static uint8_t kib[1024];
    for (int turn = 0; turn < FLOOD; turn++) {
        line_t key = {.len = 0};
        put(&key, text("full-"));
        put_number(&key, turn);
        if (!store_set(&key, kib, sizeof kib, denial)) return false;
    }
    return true;
}

static bool flood_commands(samples_t samples, denial_t *denial) {
    enum { BATCH = 1000 };
    point_t point;
    if (!target(samples, &point, denial)) return false;
    command_t *batch = malloc(BATCH * sizeof *batch);
    if (!batch) abort();
    for (size_t i = 0; i < BATCH; i++) batch[i] = command(point, 24, 12);
    bool done = true;
    for (int turn = 0; turn < 5 && done; turn++) done = write_all(batch, BATCH, denial);
    free(batch);
    return done;
}

static bool flood_alarms(denial_t *denial) {
    for (int turn = 0; turn < FLOOD; turn++) {
        line_t english = {.len = 0};
        put(&english, text("flood "));
        put_number(&english, turn);
        if (!raise_alarm((rule_string_t){english.bytes, english.len}, denial)) return false;
    }
    return true;
}

static bool flood_records(denial_t *denial) {
    for (int turn = 0; turn < FLOOD; turn++)
        if (!append(denial)) return false;
    return true;
}

static bool show_panel(denial_t *denial) {
    campanile_plugin_panels_node_t nodes[3];
    memset(nodes, 0, sizeof nodes);
    nodes[0].id = text("all");
    nodes[0].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_COLUMN;
    nodes[1].id = text("text");
    nodes[1].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_TEXT;
    nodes[1].content.val.text.f0 = (campanile_plugin_types_words_t){text("探针"), text("Probe")};
    nodes[1].content.val.text.f1 = CAMPANILE_PLUGIN_PANELS_TONE_PLAIN;
    nodes[2].id = text("button");
    nodes[2].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_BUTTON;
    nodes[2].content.val.button.f0 = (campanile_plugin_types_words_t){text("按钮"), text("Button")};
    nodes[2].content.val.button.f1 = CAMPANILE_PLUGIN_PANELS_TONE_ACCENT;
    nodes[1].parent.is_some = nodes[2].parent.is_some = true;
    rule_string_t panel = text("probe");
    campanile_plugin_panels_list_node_t all = {nodes, 3};
    return campanile_plugin_panels_show(&panel, &all, denial);
}

static void tell_clock(rule_string_t mode) {
    int64_t now = campanile_plugin_clock_now();
    campanile_plugin_clock_local_time_t local;
    campanile_plugin_clock_local(now, &local);
    line_t line;
    begin(&line, mode);
    put(&line, text("ok "));
    put_number(&line, now);
    put(&line, text(" "));
    put_number(&line, local.hour);
    put_line(&line, CAMPANILE_PLUGIN_LOG_LEVEL_INFO);
}

static void log_levels(rule_string_t mode, campanile_plugin_log_level_t from, campanile_plugin_log_level_t to) {
    line_t line;
    begin(&line, mode);
    put(&line, text("ok"));
    for (campanile_plugin_log_level_t level = from; level <= to; level++) put_line(&line, level);
}

/* Takes memory by the MiB until there is no more. Where the host traps instead of refusing, no line is written. */
static void fill_memory(rule_string_t mode) {
    void **last = NULL, **block;
    while ((block = malloc(MIB - 16))) {
        *block = last;
        last = block;
    }
    while (last) {
        block = *last;
        free(last);
        last = block;
    }
    line_t line;
    begin(&line, mode);
    put(&line, text("refused"));
    put_line(&line, CAMPANILE_PLUGIN_LOG_LEVEL_INFO);
}

/* As good as endless, and with a frame that no optimiser can fold. */
static uint64_t deeper(uint64_t depth) {
    volatile uint64_t frame[16];
    if (depth == UINT64_MAX) return 0;
    frame[depth % 16] = depth;
    return deeper(depth + 1) + frame[depth % 16];
}

/* ---- the modes ---- */

static bool act(rule_string_t mode, samples_t samples, rule_string_t *err) {
    denial_t denial;
    memset(&denial, 0, sizeof denial);
    point_t point;
    if (mode.len == 0 || is(mode, "trap-start")) {
    } else if (is(mode, "echo")) {
        answer(mode, echo(samples, &denial), -1, &denial);
    } else if (is(mode, "command")) {
        answer(mode, command_all(samples, &denial), -1, &denial);
    } else if (is(mode, "trap-mid-command")) {
        answer(mode, command_all(samples, &denial), -1, &denial);
        abort();
    } else if (is(mode, "sum")) {
        answer(mode, true, sum(samples), NULL);
    } else if (is(mode, "find")) {
        rule_string_t glob = text("**");
        campanile_plugin_points_list_info_t found = {NULL, 0};
        bool done = campanile_plugin_points_find(&glob, &found, &denial);
        answer(mode, done, found.len, &denial);
        if (done) campanile_plugin_points_list_info_free(&found);
    } else if (is(mode, "by-path")) {
        campanile_plugin_points_info_t info;
        bool done = campanile_plugin_points_by_path(&target_setting, &info, &denial);
        answer(mode, done, 1, &denial);
        if (done) campanile_plugin_points_info_free(&info);
    } else if (is(mode, "read") || is(mode, "forged-handle")) {
        bool forged = is(mode, "forged-handle");
        campanile_plugin_points_list_option_sample_t read = {NULL, 0};
        bool done = forged || target(samples, &point, &denial);
        if (forged) point = FORGED;
        campanile_plugin_points_list_point_t one = {&point, 1};
        done = done && campanile_plugin_points_read(&one, &read, &denial);
        answer(mode, done, forged ? -1 : (int64_t)read.len, &denial);
        if (done) campanile_plugin_points_list_option_sample_free(&read);
        if (forged) {
            command_t command_forged = command(FORGED, 1, 12);
            answer(mode, write_all(&command_forged, 1, &denial), -1, &denial);
        }
    } else if (is(mode, "history")) {
        campanile_plugin_history_list_sample_t found = {NULL, 0};
        int64_t now = campanile_plugin_clock_now();
        bool done = target(samples, &point, &denial) &&
                    campanile_plugin_history_range(point, now - HOUR, now, 100, &found, &denial);
        answer(mode, done, found.len, &denial);
        if (done) campanile_plugin_history_list_sample_free(&found);
    } else if (is(mode, "buckets")) {
        campanile_plugin_history_list_bucket_t found = {NULL, 0};
        int64_t now = campanile_plugin_clock_now();
        bool done = target(samples, &point, &denial) &&
                    campanile_plugin_history_buckets(point, now - HOUR, now, 600, &found, &denial);
        answer(mode, done, found.len, &denial);
        if (done) campanile_plugin_history_list_bucket_free(&found);
    } else if (is(mode, "holds")) {
        campanile_plugin_commands_option_holding_t held = {.is_some = false};
        bool done = target(samples, &point, &denial) && campanile_plugin_commands_holds(point, &held, &denial);
        answer(mode, done, held.is_some, &denial);
        if (done) campanile_plugin_commands_option_holding_free(&held);
    } else if (is(mode, "relinquish")) {
        campanile_plugin_commands_list_point_t one = {&point, 1};
        answer(mode, target(samples, &point, &denial) && campanile_plugin_commands_relinquish(&one, &denial), -1, &denial);
    } else if (is(mode, "alarm")) {
        answer(mode, raise_alarm(text("Probe"), &denial), -1, &denial);
    } else if (is(mode, "clear")) {
        rule_string_t id = text("probe"), entity = text("");
        answer(mode, campanile_plugin_alarms_clear(&id, &entity, &denial), -1, &denial);
    } else if (is(mode, "record")) {
        answer(mode, append(&denial), -1, &denial);
    } else if (is(mode, "records")) {
        rule_string_t kind = text("probe");
        campanile_plugin_records_list_kept_t kept = {NULL, 0};
        bool done = campanile_plugin_records_newest(&kind, 1000, &kept, &denial);
        answer(mode, done, kept.len, &denial);
        if (done) campanile_plugin_records_list_kept_free(&kept);
    } else if (is(mode, "store")) {
        uint32_t calls = 0;
        bool done = count_calls(&calls, &denial);
        answer(mode, done, calls, &denial);
    } else if (is(mode, "panel")) {
        answer(mode, show_panel(&denial), -1, &denial);
    } else if (is(mode, "clock")) {
        tell_clock(mode);
    } else if (is(mode, "log")) {
        log_levels(mode, CAMPANILE_PLUGIN_LOG_LEVEL_DEBUG, CAMPANILE_PLUGIN_LOG_LEVEL_ERROR);
    } else if (is(mode, "loop")) {
        for (;;) __asm__ volatile("");
    } else if (is(mode, "host-loop")) {
        for (;;) campanile_plugin_clock_now();
    } else if (is(mode, "memory")) {
        fill_memory(mode);
    } else if (is(mode, "recursion")) {
        deeper(1);
    } else if (is(mode, "trap")) {
        abort();
    } else if (is(mode, "panic")) {
        rule_string_t line = text("panicked: probe: panic");
        campanile_plugin_log_write(CAMPANILE_PLUGIN_LOG_LEVEL_ERROR, &line);
        abort();
    } else if (is(mode, "error")) {
        return fail(err, "probe: error");
    } else if (is(mode, "outside-globs")) {
        answer(mode, command_target(samples, 1, 12, &denial), -1, &denial);
    } else if (is(mode, "too-strong")) {
        answer(mode, command_target(samples, 1, 1, &denial), -1, &denial);
    } else if (is(mode, "out-of-limits")) {
        answer(mode, command_target(samples, 1e9, 12, &denial), -1, &denial);
    } else if (is(mode, "nan")) {
        answer(mode, publish_copies(__builtin_nan(""), 1, &denial), -1, &denial);
    } else if (is(mode, "huge-batch")) {
        answer(mode, publish_copies(1, 100000, &denial), -1, &denial);
    } else if (is(mode, "store-full")) {
        answer(mode, fill_store(&denial), -1, &denial);
    } else if (is(mode, "flood-commands")) {
        answer(mode, flood_commands(samples, &denial), -1, &denial);
    } else if (is(mode, "flood-alarms")) {
        answer(mode, flood_alarms(&denial), -1, &denial);
    } else if (is(mode, "flood-records")) {
        answer(mode, flood_records(&denial), -1, &denial);
    } else if (is(mode, "flood-logs")) {
        for (int turn = 0; turn < FLOOD; turn++)
            log_levels(mode, CAMPANILE_PLUGIN_LOG_LEVEL_INFO, CAMPANILE_PLUGIN_LOG_LEVEL_INFO);
    } else {
        return fail(err, "probe: no such mode");
    }
    return true;
}

/* ---- what the host calls ---- */

bool exports_campanile_plugin_handler_start(rule_list_tuple2_string_string_t *settings, rule_string_t *err) {
    (void)err;
    for (size_t i = 0; i < settings->len; i++) {
        if (is(settings->ptr[i].f0, "mode")) mode_setting = copy(settings->ptr[i].f1);
        if (is(settings->ptr[i].f0, "target")) target_setting = copy(settings->ptr[i].f1);
    }
    rule_list_tuple2_string_string_free(settings);
    if (is(mode_setting, "trap-start")) abort();
    return true;
}

bool exports_campanile_plugin_handler_on_samples(exports_campanile_plugin_handler_batch_t *samples, rule_string_t *err) {
    samples_t batch = {NULL, campanile_batch_len(samples)};
    batch.ptr = malloc(batch.len * sizeof *batch.ptr);
    if (batch.len && !batch.ptr) abort();
    for (size_t i = 0; i < batch.len; i++) batch.ptr[i] = campanile_batch_sample(samples, i);
    bool done = true;
    if (mode_setting.len) {
        done = act(mode_setting, batch, err);
    } else {
        for (size_t i = 0; i < batch.len && done; i++)
            if (batch.ptr[i].value.tag == CAMPANILE_PLUGIN_TYPES_VALUE_TEXT)
                done = act(batch.ptr[i].value.val.text, batch, err);
    }
    free(batch.ptr);
    exports_campanile_plugin_handler_batch_free(samples);
    return done;
}

static bool act_without_samples(rule_string_t *err) { return act(mode_setting, (samples_t){NULL, 0}, err); }

bool exports_campanile_plugin_handler_on_tick(campanile_plugin_types_time_t now, rule_string_t *err) {
    (void)now;
    return act_without_samples(err);
}

bool exports_campanile_plugin_handler_on_alarms(exports_campanile_plugin_handler_list_alarm_change_t *changes,
                                                rule_string_t *err) {
    exports_campanile_plugin_handler_list_alarm_change_free(changes);
    return act_without_samples(err);
}

bool exports_campanile_plugin_handler_on_panel(exports_campanile_plugin_handler_panel_event_t *event, rule_string_t *err) {
    exports_campanile_plugin_handler_panel_event_free(event);
    return act_without_samples(err);
}
