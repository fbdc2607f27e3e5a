/* What the plugins of this folder share: handlers that call `act`, and short words for what they do. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rule.h"

#ifndef START
#define START (void)0 /* what happens at the start */
#endif

typedef campanile_plugin_types_denial_t denial_t;
typedef campanile_plugin_types_point_t point_t;
typedef campanile_plugin_commands_command_t command_t;
typedef exports_campanile_plugin_handler_batch_t samples_t;

/* What a plugin does with each batch. */
static void act(samples_t samples);

#define SOME __attribute__((unused)) static /* not every plugin needs all of these */

SOME rule_string_t text(const char *literal) {
    rule_string_t string;
    rule_string_set(&string, literal);
    return string;
}

SOME void say(const char *line) {
    rule_string_t string = text(line);
    campanile_plugin_log_write(CAMPANILE_PLUGIN_LOG_LEVEL_INFO, &string);
}

SOME void passed(bool done, denial_t *denial) {
    if (!done) campanile_plugin_types_denial_free(denial);
}

SOME point_t target(samples_t samples) { return samples.points.ptr[0]; }

SOME point_t find(const char *path) {
    rule_string_t of = text(path);
    campanile_plugin_points_info_t info;
    denial_t denial;
    if (!campanile_plugin_points_by_path(&of, &info, &denial)) abort();
    point_t point = info.point;
    campanile_plugin_points_info_free(&info);
    return point;
}

SOME void read_point(point_t point) {
    campanile_plugin_points_list_point_t one = {&point, 1};
    campanile_plugin_points_list_option_sample_t read;
    denial_t denial;
    bool done = campanile_plugin_points_read(&one, &read, &denial);
    if (done) campanile_plugin_points_list_option_sample_free(&read);
    passed(done, &denial);
}

SOME void range(point_t point, int64_t from, int64_t to) {
    campanile_plugin_history_list_sample_t found;
    denial_t denial;
    bool done = campanile_plugin_history_range(point, from, to, UINT32_MAX, &found, &denial);
    if (done) campanile_plugin_history_list_sample_free(&found);
    passed(done, &denial);
}

SOME void buckets(point_t point, int64_t from, int64_t to, double width_s) {
    campanile_plugin_history_list_bucket_t found;
    denial_t denial;
    bool done = campanile_plugin_history_buckets(point, from, to, width_s, &found, &denial);
    if (done) campanile_plugin_history_list_bucket_free(&found);
    passed(done, &denial);
}

SOME command_t wish(point_t point, double value, uint8_t priority, double expires_s) {
    return (command_t){point, {CAMPANILE_PLUGIN_TYPES_VALUE_NUMBER, {.number = value}}, priority, expires_s, text("noise")};
}

SOME void write_commands(command_t *commands, size_t count) {
    campanile_plugin_commands_list_command_t batch = {commands, count};
    campanile_plugin_commands_list_result_void_denial_t answers;
    campanile_plugin_commands_write(&batch, &answers);
    campanile_plugin_commands_list_result_void_denial_free(&answers);
}

SOME void command(point_t point, double value, uint8_t priority, double expires_s) {
    command_t one = wish(point, value, priority, expires_s);
    write_commands(&one, 1);
}

SOME void command_many(point_t point, size_t count) {
    command_t *commands = malloc(count * sizeof *commands);
    if (!commands) abort();
    for (size_t i = 0; i < count; i++) commands[i] = wish(point, 24, 12, 60);
    write_commands(commands, count);
    free(commands);
}

SOME void relinquish(point_t point) {
    campanile_plugin_commands_list_point_t one = {&point, 1};
    denial_t denial;
    passed(campanile_plugin_commands_relinquish(&one, &denial), &denial);
}

SOME void holds(point_t point) {
    campanile_plugin_commands_option_holding_t held;
    denial_t denial;
    bool done = campanile_plugin_commands_holds(point, &held, &denial);
    if (done) campanile_plugin_commands_option_holding_free(&held);
    passed(done, &denial);
}

SOME void raise_as(const char *alarm, const char *entity) {
    rule_string_t id = text(alarm), of = text(entity);
    campanile_plugin_types_words_t words = {text("噪声"), text("Noise")};
    denial_t denial;
    passed(campanile_plugin_alarms_raise(&id, &of, &words, &denial), &denial);
}

SOME void raise(const char *entity) { raise_as("noise", entity); }

SOME void append(void) {
    rule_string_t kind = text("noise"), body = text("{\"n\":1}");
    denial_t denial;
    passed(campanile_plugin_records_append(&kind, &body, &denial), &denial);
}

SOME void set(const char *key, size_t size) {
    rule_string_t name = text(key);
    rule_list_u8_t value = {malloc(size), size};
    if (!value.ptr) abort();
    denial_t denial;
    passed(campanile_plugin_store_set(&name, &value, &denial), &denial);
    free(value.ptr);
}

SOME void publish(double value, size_t count) {
    campanile_plugin_points_derived_t *values = malloc(count * sizeof *values);
    if (!values) abort();
    for (size_t i = 0; i < count; i++)
        values[i] = (campanile_plugin_points_derived_t){text("noise"), text(""),
                                                        {CAMPANILE_PLUGIN_TYPES_VALUE_NUMBER, {.number = value}},
                                                        CAMPANILE_PLUGIN_TYPES_QUALITY_GOOD};
    campanile_plugin_points_list_derived_t batch = {values, count};
    denial_t denial;
    passed(campanile_plugin_points_publish(&batch, &denial), &denial);
    free(values);
}

SOME void publish_one(double value) { publish(value, 1); }
SOME void publish_many(size_t count) { publish(1, count); }

bool exports_campanile_plugin_handler_start(rule_list_tuple2_string_string_t *settings, rule_string_t *err) {
    (void)err;
    rule_list_tuple2_string_string_free(settings);
    START;
    return true;
}

bool exports_campanile_plugin_handler_on_samples(exports_campanile_plugin_handler_batch_t *samples,
                                                 rule_string_t *err) {
    (void)err;
    act(*samples);
    exports_campanile_plugin_handler_batch_free(samples);
    return true;
}

bool exports_campanile_plugin_handler_on_tick(campanile_plugin_types_time_t now, rule_string_t *err) {
    (void)now, (void)err;
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

#endif
