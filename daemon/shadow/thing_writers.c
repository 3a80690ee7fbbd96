#include "daemon/shadow/policies.h"
#include "daemon/shadow/thing_private.h"
#include "daemon/shadow/writers.h"
#include <errno.h>
#include <stdio.h>

int thing_writer_open(struct thing *thing, const struct writer_identity *identity, int64_t now_ms,
                      struct writer **ret_writer)
{
    (void)now_ms;
    return writers_open(&thing->connection.writers, identity, ret_writer);
}

static void end_will(struct thing *thing, struct will *will)
{
    thing_close_shadow(thing, will->shadow);
    (void)will_free(will);
}

void thing_writer_close(struct thing *thing, struct writer *writer, bool clean, int64_t now_ms)
{
    struct writers *writers = &thing->connection.writers;
    struct will *will;
    if (!writer)
        return;
    while (clean && writer->connection_count == 1 &&
           (will = writers_take_will(writers, writer, NULL)))
        end_will(thing, will);
    writers_close(writers, writer, now_ms);
}

int thing_writer_will(struct thing *thing, struct writer *writer, struct shadow *shadow,
                      const struct shadow_operation *operations, size_t count,
                      struct shadow_refusal *ret_refusal)
{
    struct writers *writers = &thing->connection.writers;
    if (!writer)
        return -EOPNOTSUPP; /* nobody who could be gone */
    struct will *old = count == 0 ? writers_take_will(writers, writer, shadow) : NULL;
    if (old)
        end_will(thing, old);
    if (count == 0)
        return SHADOW_REPORT_QUEUED;
    const struct shadow_report report = {.operations = operations, .operation_count = count};
    int r = shadow_check_report(shadow, &report, ret_refusal);
    if (r != SHADOW_REPORT_QUEUED)
        return r;
    bool is_first = !writer_has_will(writer, shadow);
    r = writers_make_will(writers, writer, shadow, operations, count);
    if (r == 0 && is_first)
        shadow->user_count++;
    return r;
}

/* --- a program is gone --- */

/* Returns false without memory for it. */
static bool report_will(struct writer *writer, const struct will *will, int64_t now_ms)
{
    const struct shadow_report report = {
        .operations = will->operations,
        .operation_count = will->count,
        .set_us = now_ms * 1000,
        .writer = writer,
    };
    struct shadow_refusal refusal;
    int r = shadow_report(will->shadow, &report, now_ms, NULL, &refusal);
    if (r == SHADOW_REPORT_REFUSED)
        shadow_notify(will->shadow, THING_NOTICE_REFUSED, refusal.path, refusal.code, 0,
                      refusal.text);
    return r >= 0;
}

static void tell_gone(struct thing *thing, const struct writer *writer, size_t wills)
{
    size_t removed = writer->removed_count;
    if (removed == 0 && wills == 0)
        return;
    char text[256];
    int used = snprintf(text, sizeof(text),
                        "%s (uid %u): ", writer->name[0] ? writer->name : "a program", writer->uid);
    if (removed > 0)
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%zu propert%s removed%s",
                         removed, removed == 1 ? "y" : "ies", wills > 0 ? ", " : "");
    if (wills > 0)
        (void)snprintf(text + used, sizeof(text) - (size_t)used, "its last will reported");
    shadow_notify(thing_next_shadow(thing, NULL), THING_NOTICE_GONE, NULL, 0, 0, text);
}

/* So long after a try that found no memory a program is gone again. */
#define STARVED_MS INT64_C(1000)

/* Nothing is lost: what has been removed already, or said, is so once more. */
static void try_again_later(struct thing *thing, struct writer *writer, int64_t now_ms)
{
    writer->is_ending = false;
    writers_postpone(&thing->connection.writers, writer, thing->connection.options.gone_after_ms,
                     now_ms + STARVED_MS);
}

static void end_writer(struct thing *thing, struct writer *writer, int64_t now_ms)
{
    size_t wills = 0;
    struct will *will;
    while ((will = writers_take_will(&thing->connection.writers, writer, NULL))) {
        if (!report_will(writer, will, now_ms)) {
            writers_return_will(&thing->connection.writers, writer, will);
            try_again_later(thing, writer, now_ms);
            return;
        }
        end_will(thing, will);
        wills++;
    }
    tell_gone(thing, writer, wills);
    writer->is_ending = false;
    writer->removed_count = 0;
    writer_release(writer);
}

/* Take all that are gone, linked by `away_next` in the order in which they went: who went last has
 * the last word. */
static struct writer *take_gone(struct connection *connection, int64_t now_ms)
{
    struct writer *first = NULL, **end = &first, *writer;
    while ((writer = writers_next_gone(&connection->writers, connection->options.gone_after_ms,
                                       now_ms))) {
        writer->is_ending = true;
        *end = writer;
        end = &writer->away_next;
    }
    return first;
}

/* First what goes with them, in one walk however many they are; then what they want to be said
 * instead. */
void thing_end_writers(struct thing *thing, int64_t now_ms)
{
    struct writer *writer = take_gone(&thing->connection, now_ms);
    struct shadow *shadow = NULL;
    bool is_whole = true;
    while (writer && thing->connection.policies && (shadow = thing_next_shadow(thing, shadow)))
        is_whole = shadow_life_exit(shadow) && is_whole;
    while (writer) {
        struct writer *next = writer->away_next;
        writer->away_next = NULL;
        if (is_whole)
            end_writer(thing, writer, now_ms);
        else
            try_again_later(thing, writer, now_ms);
        writer = next;
    }
}

int64_t thing_writers_deadline(const struct thing *thing)
{
    return writers_gone_ms(&thing->connection.writers, thing->connection.options.gone_after_ms);
}

/* --- policies --- */

int thing_set_policies(struct thing *thing, struct policies *policies, int64_t now_ms)
{
    struct policies *old = thing->connection.policies;
    thing->connection.policies = policies;
    struct shadow *shadow = NULL;
    while ((old || policies) && (shadow = thing_next_shadow(thing, shadow)))
        shadow_life_set_policies(shadow, now_ms);
    (void)policies_free(old);
    return 0;
}
