/* A rule for rooms: where CO2 stays high for three ticks it raises an alarm. Where the setting `act` says so, it also
 * raises the setpoint of the air conditioning, so that windows can be opened without cooling the yard.
 *
 * `rule.h` is made from the contract by the build; it lies in target/c. Every `bool` there is "it worked". Lists that the
 * host gives are the plugin's to free, by the `_free` of their type. */
#include <stdlib.h>
#include <string.h>

#include "rule.h"

enum { TICKS = 3, TICK_S = 60 }; /* ticks in a row that make an alarm; seconds between them, as in plugin.toml */

typedef struct {
    rule_string_t path;
    campanile_plugin_types_point_t setpoint;
    bool has_setpoint;
} room_t;

static size_t room_count;
static room_t *rooms;
/* Of as many, taken once and used at every tick: */
static campanile_plugin_types_point_t *handles;
static campanile_plugin_commands_command_t *wanted;
static uint8_t *stale; /* ticks in a row that each room has been stale */
static double limit_ppm = 1000, setpoint_c = 28;
static bool act;

static rule_string_t text(const char *literal) {
    rule_string_t string;
    rule_string_set(&string, literal);
    return string;
}

static bool is(rule_string_t string, const char *literal) {
    return string.len == strlen(literal) && memcmp(string.ptr, literal, string.len) == 0;
}

static bool fail(rule_string_t *err, const char *why) {
    rule_string_dup(err, why);
    return false;
}

/* One refusal is not to keep the other rooms from being looked after. */
static void refused(const char *what, campanile_plugin_types_denial_t *denial) {
    rule_string_t line = text(what);
    campanile_plugin_log_write(CAMPANILE_PLUGIN_LOG_LEVEL_WARN, &line);
    campanile_plugin_types_denial_free(denial);
}

/* A whole number; settings are text. */
static bool whole(rule_string_t string, double *number) {
    double sum = 0;
    for (size_t i = 0; i < string.len; i++) {
        if (string.ptr[i] < '0' || string.ptr[i] > '9') return false;
        sum = 10 * sum + (string.ptr[i] - '0');
    }
    *number = sum;
    return string.len > 0;
}

/* The setpoint of a room, by its path. */
static bool find_setpoint(room_t *room) {
    static const char tail[] = "/ac/setpoint";
    rule_string_t path = {malloc(room->path.len + sizeof tail), room->path.len + sizeof tail - 1};
    if (!path.ptr) return false;
    memcpy(path.ptr, room->path.ptr, room->path.len);
    memcpy(path.ptr + room->path.len, tail, sizeof tail - 1);
    campanile_plugin_points_info_t info;
    campanile_plugin_points_denial_t denial;
    bool found = campanile_plugin_points_by_path(&path, &info, &denial);
    if (found) {
        room->setpoint = info.point;
        campanile_plugin_points_info_free(&info);
    } else {
        campanile_plugin_types_denial_free(&denial);
    }
    rule_string_free(&path);
    return found;
}

bool exports_campanile_plugin_handler_start(rule_list_tuple2_string_string_t *settings, rule_string_t *err) {
    for (size_t i = 0; i < settings->len; i++) {
        rule_string_t name = settings->ptr[i].f0, value = settings->ptr[i].f1;
        if (is(name, "limit_ppm") && !whole(value, &limit_ppm)) return fail(err, "limit_ppm is a whole number");
        if (is(name, "setpoint_c") && !whole(value, &setpoint_c)) return fail(err, "setpoint_c is a whole number");
        if (is(name, "act")) act = is(value, "true");
    }

    /* Looked up once: handles stay good for as long as this instance lives. */
    rule_string_t glob = text("**/co2");
    campanile_plugin_points_list_info_t found;
    campanile_plugin_points_denial_t denial;
    if (!campanile_plugin_points_find(&glob, &found, &denial)) return fail(err, "the CO2 of rooms can't be read");
    rooms = calloc(found.len, sizeof *rooms);
    handles = calloc(found.len, sizeof *handles);
    wanted = calloc(found.len, sizeof *wanted);
    stale = calloc(found.len, sizeof *stale);
    if (!rooms || !handles || !wanted || !stale) return fail(err, "out of memory");
    for (size_t i = 0; i < found.len; i++) {
        room_t *room = &rooms[room_count++];
        size_t length = found.ptr[i].path.len - strlen("/co2");
        room->path = (rule_string_t){malloc(length + 1), length};
        if (!room->path.ptr) return fail(err, "out of memory");
        memcpy(room->path.ptr, found.ptr[i].path.ptr, length);
        handles[i] = found.ptr[i].point;
        room->has_setpoint = find_setpoint(room);
    }
    campanile_plugin_points_list_info_free(&found);
    rule_list_tuple2_string_string_free(settings);
    return true;
}

/* In the store, since this instance may be gone at the next tick. Begins anew when rooms come or go. */
static void load_stale(void) {
    rule_string_t key = text("stale");
    rule_option_list_u8_t kept;
    campanile_plugin_store_denial_t denial;
    memset(stale, 0, room_count);
    if (!campanile_plugin_store_get(&key, &kept, &denial)) {
        refused("what was stored was refused", &denial);
        return;
    }
    if (kept.is_some && kept.val.len == room_count) memcpy(stale, kept.val.ptr, room_count);
    rule_option_list_u8_free(&kept);
}

static void save_stale(void) {
    rule_string_t key = text("stale");
    rule_list_u8_t value = {stale, room_count};
    campanile_plugin_store_denial_t denial;
    if (!campanile_plugin_store_set(&key, &value, &denial)) refused("storing was refused", &denial);
}

static void tell(rule_string_t *room, bool is_stale) {
    rule_string_t id = text("stale-air");
    campanile_plugin_types_words_t detail = {text("二氧化碳浓度偏高，请开窗"), text("CO₂ is high: open a window")};
    campanile_plugin_alarms_denial_t denial;
    bool done = is_stale ? campanile_plugin_alarms_raise(&id, room, &detail, &denial)
                         : campanile_plugin_alarms_clear(&id, room, &denial);
    if (!done) refused("the alarm was refused", &denial);
}

static void write_commands(size_t count) {
    campanile_plugin_commands_list_command_t batch = {wanted, count};
    campanile_plugin_commands_list_result_void_denial_t answers;
    campanile_plugin_commands_write(&batch, &answers);
    for (size_t i = 0; i < answers.len; i++)
        if (answers.ptr[i].is_err) {
            rule_string_t line = text("a setpoint was refused");
            campanile_plugin_log_write(CAMPANILE_PLUGIN_LOG_LEVEL_WARN, &line);
        }
    campanile_plugin_commands_list_result_void_denial_free(&answers);
}

bool exports_campanile_plugin_handler_on_tick(campanile_plugin_types_time_t now, rule_string_t *err) {
    (void)now;
    load_stale();
    /* One call for all rooms: batches are what keeps a plugin cheap. */
    campanile_plugin_points_list_point_t asked = {handles, room_count};
    campanile_plugin_points_list_option_sample_t samples;
    campanile_plugin_points_denial_t denial;
    if (!campanile_plugin_points_read(&asked, &samples, &denial)) {
        campanile_plugin_types_denial_free(&denial);
        return fail(err, "reading was refused");
    }

    size_t count = 0;
    for (size_t i = 0; i < room_count; i++) {
        campanile_plugin_types_sample_t *sample = &samples.ptr[i].val;
        /* A silent sensor says neither yes nor no. */
        bool known = samples.ptr[i].is_some && sample->quality <= CAMPANILE_PLUGIN_TYPES_QUALITY_UNCERTAIN &&
                     sample->value.tag == CAMPANILE_PLUGIN_TYPES_VALUE_NUMBER;
        uint8_t was = stale[i];
        if (known) stale[i] = sample->value.val.number <= limit_ppm ? 0 : was < TICKS ? was + 1 : TICKS;
        if (was < TICKS && stale[i] == TICKS) tell(&rooms[i].path, true);
        if (was == TICKS && stale[i] == 0) tell(&rooms[i].path, false);
        if (act && stale[i] == TICKS && rooms[i].has_setpoint) {
            /* It lets go by itself when two ticks fail to renew it, and at once when people command it (slot 8). */
            wanted[count++] = (campanile_plugin_commands_command_t){
                .point = rooms[i].setpoint,
                .value = {CAMPANILE_PLUGIN_TYPES_VALUE_NUMBER, {.number = setpoint_c}},
                .priority = 12,
                .expires_s = 3.0 * TICK_S,
                .reason = text("空气不新鲜，需要开窗 / the air is stale: windows are to be opened"), /* one text, shown to all */
            };
        }
    }
    if (count) write_commands(count);
    save_stale();
    campanile_plugin_points_list_option_sample_free(&samples);
    return true;
}

/* The contract has these as well; this rule needs none of them. What they are given is theirs to free. */
bool exports_campanile_plugin_handler_on_samples(exports_campanile_plugin_handler_batch_t *samples, rule_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_batch_free(samples);
    return true;
}

bool exports_campanile_plugin_handler_on_alarms(exports_campanile_plugin_handler_list_alarm_change_t *changes,
                                                rule_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_list_alarm_change_free(changes);
    return true;
}

bool exports_campanile_plugin_handler_on_panel(exports_campanile_plugin_handler_panel_event_t *event, rule_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_panel_event_free(event);
    return true;
}
