/* An activity: a mission and a quiz. Who answers right earns the mission's points, once.
 *
 * `activity.h` is made from the contract by the build; it lies in target/c. Every `bool` there is "it worked". Lists that
 * the host gives are the plugin's to free, by the `_free` of their type. */
#include <stdlib.h>
#include <string.h>

#include "activity.h"

enum { RIGHT = 1, POINTS = 10, ANSWERS = 3 };

typedef campanile_plugin_types_words_t words_t;
typedef campanile_plugin_types_denial_t denial_t;

static activity_string_t text(const char *literal) {
    activity_string_t string;
    activity_string_set(&string, literal);
    return string;
}

static words_t words(const char *zh_cn, const char *en) { return (words_t){text(zh_cn), text(en)}; }

static bool is(activity_string_t string, const char *literal) {
    return string.len == strlen(literal) && memcmp(string.ptr, literal, string.len) == 0;
}

static bool fail(activity_string_t *err, const char *why, denial_t *denial) {
    campanile_plugin_types_denial_free(denial);
    activity_string_dup(err, why);
    return false;
}

/* The quiz, and below it what is said to a person: to all where there is none. */
static bool show(activity_string_t *person, const words_t *said, campanile_plugin_panels_tone_t tone, denial_t *denial) {
    words_t answers[ANSWERS] = {words("20 °C", "20 °C"), words("26 °C", "26 °C"), words("30 °C", "30 °C")};
    campanile_plugin_panels_node_t nodes[3];
    memset(nodes, 0, sizeof nodes);
    nodes[0].id = text("all");
    nodes[0].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_COLUMN;
    nodes[1].id = text("question");
    nodes[1].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_QUIZ;
    nodes[1].content.val.quiz.f0 = words("夏季空调设定多少度合适？", "Which setpoint is right in summer?");
    nodes[1].content.val.quiz.f1 = (campanile_plugin_panels_list_words_t){answers, ANSWERS};
    nodes[1].parent.is_some = nodes[2].parent.is_some = true;
    nodes[2].id = text("said");
    nodes[2].content.tag = CAMPANILE_PLUGIN_PANELS_CONTENT_TEXT;
    if (said) nodes[2].content.val.text.f0 = *said;
    nodes[2].content.val.text.f1 = tone;
    activity_string_t panel = text("quiz");
    campanile_plugin_panels_list_node_t all = {nodes, said ? 3 : 2};
    return person ? campanile_plugin_panels_show_to(&panel, person, &all, denial)
                  : campanile_plugin_panels_show(&panel, &all, denial);
}

bool exports_campanile_plugin_handler_start(activity_list_tuple2_string_string_t *settings, activity_string_t *err) {
    (void)err;
    activity_list_tuple2_string_string_free(settings);
    return true;
}

bool exports_campanile_plugin_handler_on_tick(campanile_plugin_types_time_t now, activity_string_t *err) {
    (void)now;
    /* Offering and showing the same again changes nothing. */
    campanile_plugin_activities_mission_t mission = {
        text("cool"), words("合理用空调", "Cool, not cold"),
        words("答对空调温度题", "Answer the question on air-conditioning"), POINTS};
    campanile_plugin_activities_list_mission_t missions = {&mission, 1};
    denial_t denial;
    if (!campanile_plugin_activities_offer(&missions, &denial)) return fail(err, "the mission was refused", &denial);
    if (!show(NULL, NULL, 0, &denial)) return fail(err, "the panel was refused", &denial);
    return true;
}

/* The answer, as `[[record]]` of the manifest has it. Names have no signs that JSON would escape. */
static bool record(activity_string_t person, bool right, denial_t *denial) {
    const char *head = "{\"person\":\"", *tail = right ? "\",\"right\":true}" : "\",\"right\":false}";
    activity_string_t body = {malloc(strlen(head) + person.len + strlen(tail)), 0};
    if (!body.ptr) abort();
    memcpy(body.ptr, head, strlen(head));
    memcpy(body.ptr + strlen(head), person.ptr, person.len);
    memcpy(body.ptr + strlen(head) + person.len, tail, strlen(tail));
    body.len = strlen(head) + person.len + strlen(tail);
    activity_string_t kind = text("answer");
    bool done = campanile_plugin_records_append(&kind, &body, denial);
    activity_string_free(&body);
    return done;
}

bool exports_campanile_plugin_handler_on_panel(exports_campanile_plugin_handler_panel_event_t *event,
                                               activity_string_t *err) {
    bool done = true;
    denial_t denial;
    for (size_t i = 0; i < event->fields.len && done; i++) {
        campanile_plugin_types_entered_t *entered = &event->fields.ptr[i].f1;
        if (!is(event->fields.ptr[i].f0, "answer") || entered->tag != CAMPANILE_PLUGIN_TYPES_ENTERED_CHOICE) continue;
        bool right = entered->val.choice == RIGHT;
        if (!record(event->person, right, &denial)) done = fail(err, "the record was refused", &denial);
        activity_string_t mission = text("cool");
        /* It may have been earned before: that is denied, and no matter. */
        if (done && right && !campanile_plugin_activities_award(&mission, &event->person, POINTS, &denial))
            campanile_plugin_types_denial_free(&denial);
        /* Only the person who answered sees it. */
        words_t said = right ? words("答对了！", "Right!")
                             : words("再想想：每调高一度都省电。", "Think again: each degree saves.");
        campanile_plugin_panels_tone_t tone =
            right ? CAMPANILE_PLUGIN_PANELS_TONE_GOOD : CAMPANILE_PLUGIN_PANELS_TONE_CAUTION;
        if (done && !show(&event->person, &said, tone, &denial)) done = fail(err, "the panel was refused", &denial);
    }
    exports_campanile_plugin_handler_panel_event_free(event);
    return done;
}

/* The contract has these as well; this activity needs none of them. What they are given is theirs to free. */
bool exports_campanile_plugin_handler_on_samples(exports_campanile_plugin_handler_batch_t *samples,
                                                 activity_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_batch_free(samples);
    return true;
}

bool exports_campanile_plugin_handler_on_alarms(exports_campanile_plugin_handler_list_alarm_change_t *changes,
                                                activity_string_t *err) {
    (void)err;
    exports_campanile_plugin_handler_list_alarm_change_free(changes);
    return true;
}

bool exports_campanile_plugin_learning_on_outcome(exports_campanile_plugin_learning_outcome_t *outcome,
                                                  activity_string_t *err) {
    (void)err;
    exports_campanile_plugin_learning_outcome_free(outcome);
    return true;
}
