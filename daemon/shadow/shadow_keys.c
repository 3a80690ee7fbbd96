#include "daemon/shadow/path_glob.h"
#include "daemon/shadow/shadow_private.h"
#include <errno.h>

/* --- what is in flight --- */

/* Note, on the properties of the update in flight, whether it carries what they hold now. */
static void mark_in_flight(struct shadow *shadow, bool is_sent)
{
    if (shadow->request != SHADOW_REQUEST_UPDATE)
        return;
    for (size_t i = 0; i < shadow->update.entry_count; i++) {
        const struct update_entry *entry = &shadow->update.entries[i];
        slot_of(entry->property)->in_flight =
            is_sent && entry->revision >= ledger_newest(entry->property);
    }
}

static const char *state_name(const struct shadow *shadow, const struct flux_property *property)
{
    const struct slot *slot = slot_of(property);
    switch (slot->state) {
    case SLOT_EMPTY:
        break;
    case SLOT_PENDING:
        if (slot->in_flight)
            return "in_flight";
        return !shadow->connection->options.in_memory &&
                       ledger_newest(property) <= shadow->stored_revision
                   ? "stored"
                   : "queued";
    case SLOT_SETTLED:
        return "accepted";
    case SLOT_CONTESTED:
        return "contested";
    case SLOT_REFUSED:
        return "refused";
    }
    return "unknown";
}

/* --- what holds it --- */

struct hold {
    const char *by;   /* NULL: nothing */
    int64_t until_ms; /* INT64_MAX: nobody knows */
};

static void hold_longer(struct hold *hold, const char *by, int64_t until_ms)
{
    if (until_ms > hold->until_ms)
        *hold = (struct hold){by, until_ms};
}

/* What keeps a pending property from being sent, of several reasons the one that lasts longest. */
static struct hold find_hold(struct shadow *shadow, const struct flux_property *property,
                             int64_t now_ms)
{
    const struct slot *slot = slot_of(property);
    struct hold hold = {.until_ms = now_ms};
    if (slot->state == SLOT_CONTESTED)
        hold_longer(&hold, "pause", slot->restore_at_ms);
    if ((slot->state != SLOT_PENDING && slot->state != SLOT_CONTESTED) || slot->in_flight)
        return hold;
    if (shadow->link != SHADOW_ONLINE)
        return (struct hold){"offline", INT64_MAX};
    hold_longer(&hold, "quarantine", shadow_quarantine_ms(shadow));
    hold_longer(&hold, "backoff", shadow->pacing.blocked_until_ms);
    if (slot->held)
        hold_longer(&hold, "MinIntervalMs", slot->sent_ms + slot->policy->min_interval_ms);
    hold_longer(&hold, "budget", pacing_next_update_ms(&shadow->pacing, now_ms));
    hold_longer(&hold, "budget", shadow->connection->budget_ms);
    if (shadow->prepared.is_there && !shadow_prepared_is_stored(shadow))
        hold_longer(&hold, "storage", INT64_MAX);
    return hold;
}

static void write_hold(struct shadow *shadow, const struct flux_property *property, int64_t now_ms,
                       struct flux_json_writer *writer)
{
    struct hold hold = find_hold(shadow, property, now_ms);
    if (!hold.by)
        return;
    flux_json_key_text(writer, "held_by");
    flux_json_string_text(writer, hold.by);
    if (hold.until_ms == INT64_MAX)
        return;
    flux_json_key_text(writer, "held_until_ms_from_now");
    flux_json_int64(writer, hold.until_ms - now_ms);
}

/* --- one property --- */

static void write_writer(const struct writer *program, int64_t now_ms,
                         struct flux_json_writer *writer)
{
    if (!program)
        return;
    flux_json_key_text(writer, "writer");
    flux_json_begin_object(writer);
    flux_json_key_text(writer, "name");
    flux_json_string_text(writer, program->name);
    flux_json_key_text(writer, "uid");
    flux_json_uint64(writer, program->uid);
    flux_json_key_text(writer, "unit");
    flux_json_string_text(writer, program->unit);
    flux_json_key_text(writer, "connected");
    flux_json_bool(writer, program->connection_count > 0);
    flux_json_key_text(writer, "reports_per_minute");
    flux_json_uint64(writer, rate_per_minute(&program->reports, now_ms));
    flux_json_end_object(writer);
}

/* What the cloud holds, where it is known and not what the program reported. */
static void write_cloud(const struct shadow *shadow, const struct flux_property *property,
                        struct flux_json_writer *writer)
{
    const struct slot *slot = slot_of(property);
    bool has_value = property->value.type != FLUX_VALUE_NONE;
    bool is_same = has_value
                       ? ledger_value_is_in_cloud(property) && !ledger_value_is_close(property)
                       : slot->cloud.type == FLUX_VALUE_NONE;
    bool is_known = shadow->view.held || shadow->view.state == SHADOW_VIEW_PROVEN;
    if (is_same || !is_known)
        return;
    flux_json_key_text(writer, "cloud");
    flux_json_value(writer, &slot->cloud);
}

static void write_end(const struct flux_property *property, int64_t now_ms,
                      struct flux_json_writer *writer)
{
    const struct slot *slot = slot_of(property);
    bool was_accepted = slot->state == SLOT_SETTLED || slot->state == SLOT_CONTESTED;
    if (was_accepted) {
        flux_json_key_text(writer, "version");
        flux_json_int64(writer, slot->accepted_version);
    }
    if (was_accepted && slot->confirmed_ms > 0) {
        flux_json_key_text(writer, "accepted_ms_ago");
        flux_json_int64(writer, now_ms - slot->confirmed_ms);
    }
    if (was_accepted && ledger_value_is_close(property)) {
        flux_json_key_text(writer, "deadband");
        flux_json_bool(writer, true);
    }
    if (slot->state != SLOT_REFUSED)
        return;
    flux_json_key_text(writer, "code");
    flux_json_int64(writer, slot->refused_code);
    flux_json_key_text(writer, "text");
    flux_json_string_text(writer, slot->refused_text ? slot->refused_text : "");
}

static void write_key(struct shadow *shadow, const struct flux_property *property, int64_t now_ms,
                      struct flux_json_writer *writer)
{
    const struct slot *slot = slot_of(property);
    int64_t age_ms = now_ms - property->set_us / 1000;
    flux_json_begin_object(writer);
    flux_json_key_text(writer, "path");
    flux_json_string(writer, property->path, property->path_size);
    flux_json_key_text(writer, "value");
    flux_json_value(writer, &property->value);
    flux_json_key_text(writer, "state");
    flux_json_string_text(writer, state_name(shadow, property));
    write_end(property, now_ms, writer);
    write_cloud(shadow, property, writer);
    write_hold(shadow, property, now_ms, writer);
    write_writer(slot->writer, now_ms, writer);
    flux_json_key_text(writer, "settling");
    flux_json_bool(writer, shadow_is_settling(shadow, property));
    flux_json_key_text(writer, "age_ms");
    flux_json_int64(writer, age_ms > 0 ? age_ms : 0);
    flux_json_key_text(writer, "reports_per_minute");
    flux_json_uint64(writer, rate_per_minute(&slot->reports, now_ms));
    flux_json_end_object(writer);
}

int shadow_write_keys(struct shadow *shadow, const char *path, size_t path_size,
                      const struct path_filter *filter, int64_t now_ms,
                      struct flux_json_writer *writer)
{
    shadow_review_fresh(shadow, now_ms);
    struct flux_property *top = flux_property_set_find(&shadow->ledger.set, path, path_size);
    size_t count = 0;
    mark_in_flight(shadow, true);
    flux_json_begin_array(writer);
    for (struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        if (slot_of(p)->state == SLOT_EMPTY ||
            (filter && !path_filter_has(filter, p->path, p->path_size)))
            continue;
        write_key(shadow, p, now_ms, writer);
        count++;
    }
    flux_json_end_array(writer);
    mark_in_flight(shadow, false);
    if (count == 0 && path_size > 0)
        return -ENOENT;
    return writer->error;
}
