#include "daemon/shadow/shadow.h"

#include "daemon/shadow/projection.h"
#include "daemon/shadow/shadow_private.h"
#include "proto/path.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int shadow_new(struct shadow **ret_shadow, struct connection *connection, const char *thing,
               const char *name, int64_t now_ms)
{
    struct shadow *shadow = calloc(1, sizeof(*shadow));
    if (!shadow)
        return -ENOMEM;
    shadow->connection = connection;
    memcpy(shadow->thing, thing, strlen(thing) + 1);
    memcpy(shadow->name, name, strlen(name) + 1);
    shadow->update.base_version = -1;
    shadow->last_get_ms = INT64_MIN;
    token_bucket_init(&shadow->idle_gets, WATCHED_GETS, IDLE_GET_MS * INT64_C(1000), now_ms);
    shadow->status.last_accepted_version = -1;
    shadow->status.last_accepted_ms = -1;
    pacing_init(&shadow->pacing, &connection->options, now_ms);
    if (ledger_init(&shadow->ledger, random_u64(&connection->random)) < 0 ||
        view_init(&shadow->view, random_u64(&connection->random)) < 0 ||
        settles_init(&shadow->settles, random_u64(&connection->random)) < 0 ||
        wishes_init(&shadow->wishes, random_u64(&connection->random)) < 0) {
        (void)shadow_free(shadow);
        return -ENOMEM;
    }
    if (connection->options.durable) {
        shadow->ledger.saves = &shadow->saves;
        shadow->settles.saves = &shadow->saves;
    }
    *ret_shadow = shadow;
    return 0;
}

struct shadow *shadow_free(struct shadow *shadow)
{
    if (!shadow)
        return NULL;
    update_clear(&shadow->update);
    update_clear(&shadow->prepared.update);
    for (size_t i = 0; i < shadow->unsettled_count; i++)
        update_clear(&shadow->unsettled[i]);
    shadow_clear_restore(shadow);
    wishes_clear(&shadow->wishes);
    settles_clear(&shadow->settles);
    view_clear(&shadow->view);
    ledger_clear(&shadow->ledger);
    free(shadow);
    return NULL;
}

void shadow_touch(struct shadow *shadow)
{
    if (shadow->is_touched)
        return;
    shadow->is_touched = true;
    shadow->touched_next = shadow->connection->touched_first;
    shadow->connection->touched_first = shadow;
}

void shadow_notify(struct shadow *shadow, enum thing_notice_kind kind, const char *path, int code,
                   int64_t delay_ms, const char *text)
{
    notices_add(&shadow->connection->notices, kind, shadow->thing, shadow->name, path, code,
                delay_ms, text);
}

const char *shadow_view_name(enum shadow_view_state state)
{
    switch (state) {
    case SHADOW_VIEW_UNKNOWN:
        return "unknown";
    case SHADOW_VIEW_PROVEN:
        return "proven";
    case SHADOW_VIEW_GAP:
        return "gap";
    case SHADOW_VIEW_UNREADABLE:
        return "unreadable";
    }
    return "unknown";
}

struct check_limits shadow_limits(const struct shadow *shadow)
{
    return (struct check_limits){
        .max_depth = shadow->connection->options.max_depth,
        .max_document_bytes = shadow->connection->options.max_document_bytes,
        .desired_bytes = shadow->view.desired_bytes,
    };
}

/* --- reports --- */

static struct shadow_wait newest_below(struct flux_property *top, int64_t set_us)
{
    struct shadow_wait newest = {.property = top};
    for (struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        if (p->set_us > set_us && ledger_newest(p) > newest.revision)
            newest = (struct shadow_wait){.property = p, .revision = ledger_newest(p)};
    }
    return newest;
}

/* What a resent operation that has been overtaken waits for: the newest one that overtook it, on
 * the path itself or above; only where there is none, one below. */
static struct shadow_wait overtaken_by(struct shadow *shadow, const struct shadow_operation *op,
                                       int64_t set_us)
{
    struct flux_property_set *set = &shadow->ledger.set;
    struct shadow_wait newest = {.property = set->root};
    struct flux_property *self = flux_property_set_find(set, op->path, op->path_size);
    if (self && (self->set_us >= set_us || self->replaced_us > set_us))
        newest = (struct shadow_wait){.property = self, .revision = ledger_newest(self)};
    for (size_t size = op->path_size; size > 0;) {
        while (op->path[--size] != '/')
            ;
        struct flux_property *above = flux_property_set_find(set, op->path, size);
        uint64_t clearing = above ? slot_of(above)->clearing_revision : 0;
        if (above && above->cleared_us > set_us && clearing > newest.revision)
            newest = (struct shadow_wait){.property = above, .revision = clearing};
    }
    return newest.revision == 0 && self ? newest_below(self, set_us) : newest;
}

/* What it may take to see whether something below a resent operation is newer. */
static size_t count_search(const struct flux_property_set *set, const struct shadow_operation *op)
{
    const struct flux_property *known = flux_property_set_find(set, op->path, op->path_size);
    return known && known->first_child ? set->node_count : 0;
}

static int apply_operation(struct shadow *shadow, const struct shadow_report *report,
                           const struct shadow_operation *op, uint64_t report_revision,
                           int64_t now_ms, struct shadow_wait *ret_wait)
{
    struct ledger *ledger = &shadow->ledger;
    if (op->kind == FLUX_SETTLE)
        return shadow_add_settle(shadow, report, op, report_revision, ret_wait);
    if (report->resent)
        ledger->effort += count_search(&ledger->set, op);
    if (report->resent &&
        flux_property_set_is_superseded(&ledger->set, op->path, op->path_size, report->set_us)) {
        *ret_wait = overtaken_by(shadow, op, report->set_us);
        return 0;
    }
    struct flux_property *property;
    int r = ledger_apply(ledger, op->kind, op->path, op->path_size,
                         op->kind == FLUX_SET ? &op->value : NULL, report->set_us, &property);
    if (r < 0)
        return r;
    shadow_life_reported(shadow, property, report->writer, now_ms);
    *ret_wait = (struct shadow_wait){.property = property, .revision = ledger->newest_revision};
    return 0;
}

int shadow_check_report(struct shadow *shadow, const struct shadow_report *report,
                        struct shadow_refusal *ret_refusal)
{
    struct check_limits limits = shadow_limits(shadow);
    struct check_size size = shadow->size;
    int r = check_report(&shadow->ledger, &limits, &size, report, ret_refusal);
    shadow->size.effort = size.effort;
    return r;
}

int shadow_report(struct shadow *shadow, const struct shadow_report *report, int64_t now_ms,
                  struct shadow_wait *ret_waits, struct shadow_refusal *ret_refusal)
{
    struct check_limits limits = shadow_limits(shadow);
    shadow_touch(shadow);
    int r = shadow_check_settles(shadow, report, &limits.desired_bytes, ret_refusal);
    if (r == SHADOW_REPORT_QUEUED)
        r = check_report(&shadow->ledger, &limits, &shadow->size, report, ret_refusal);
    if (r != SHADOW_REPORT_QUEUED) {
        if (limits.desired_bytes != shadow->view.desired_bytes)
            shadow->size.known = false; /* it has counted on what is not settled now */
        shadow->status.reports_refused += r == SHADOW_REPORT_REFUSED;
        return r;
    }
    uint64_t report_revision = shadow->ledger.newest_revision + 1;
    for (size_t i = 0; i < report->operation_count; i++) {
        struct shadow_wait wait;
        r = apply_operation(shadow, report, &report->operations[i], report_revision, now_ms, &wait);
        if (r < 0) {
            for (size_t j = 0; ret_waits && j < i; j++)
                shadow_release(shadow, &ret_waits[j]);
            return r;
        }
        if (ret_waits) {
            flux_property_pin(wait.property);
            ret_waits[i] = wait;
        }
    }
    if (ledger_is_crowded(&shadow->ledger)) {
        shadow_review_fresh(shadow, now_ms); /* what waits to be looked at cannot be pruned */
        ledger_prune(&shadow->ledger);
    }
    if (settles_is_crowded(&shadow->settles)) {
        shadow_review_settles(shadow, now_ms); /* what is not wished is done already */
        settles_prune(&shadow->settles);
    }
    if (report->writer)
        rate_note(&report->writer->reports, now_ms);
    shadow->status.reports++;
    shadow->status.operations += report->operation_count;
    return SHADOW_REPORT_QUEUED;
}

uint64_t shadow_effort(const struct shadow *shadow)
{
    return shadow->size.effort + shadow->ledger.effort;
}

struct shadow_fate shadow_fate(const struct shadow *shadow, const struct shadow_wait *wait)
{
    (void)shadow;
    if (wait->is_settle)
        return shadow_settle_fate(wait);
    const struct flux_property *decider = NULL;
    int64_t version = 0;
    enum ledger_fate fate = ledger_fate(wait->property, wait->revision, &decider, &version);
    const struct slot *slot = slot_of(decider);
    if (fate == LEDGER_WAITING)
        return (struct shadow_fate){.state = SHADOW_WAITING};
    if (fate == LEDGER_REFUSED)
        return (struct shadow_fate){
            .state = SHADOW_REFUSED,
            .code = slot->refused_code,
            .text = slot->refused_text ? slot->refused_text : "refused by the shadow service",
            .property = decider,
        };
    bool is_close = decider == wait->property && wait->revision > slot->close_above &&
                    wait->revision <= slot->close_revision;
    return (struct shadow_fate){.state = SHADOW_ACCEPTED, .version = version, .deadband = is_close};
}

void shadow_release(struct shadow *shadow, struct shadow_wait *wait)
{
    struct flux_property *property = wait->property;
    if (!property)
        return;
    flux_property_unpin(property);
    if (!wait->is_settle)
        ledger_prune_one(&shadow->ledger, property);
    *wait = (struct shadow_wait){0};
}

uint64_t shadow_fate_serial(const struct shadow *shadow)
{
    return shadow->ledger.fate_serial;
}

uint64_t shadow_newest_revision(const struct shadow *shadow)
{
    return shadow->ledger.newest_revision;
}

uint64_t shadow_stored_revision(const struct shadow *shadow)
{
    return shadow->stored_revision;
}

void shadow_flush(struct shadow *shadow, int64_t now_ms)
{
    (void)now_ms;
    shadow->pacing.early_wanted = shadow_pending_count(shadow) > 0;
    shadow_touch(shadow);
}

bool shadow_is_settled(const struct shadow *shadow)
{
    return shadow_pending_count(shadow) == 0;
}

/* --- reading --- */

int shadow_write_shown(const struct shadow *shadow, enum shadow_section section, const char *path,
                       size_t path_size, const struct path_filter *filter,
                       struct flux_json_writer *writer)
{
    struct shadow *scratch = (struct shadow *)shadow;
    switch (section) {
    case SHADOW_SECTION_REPORTED:
        return projection_write(&scratch->ledger, path, path_size, filter, writer);
    case SHADOW_SECTION_DESIRED:
        return filter ? desired_write_shown(&scratch->view.desired, path, path_size, filter, writer)
                      : desired_write(&scratch->view.desired, path, path_size, writer);
    case SHADOW_SECTION_DELTA:
        return shadow_write_delta(scratch, path, path_size, filter, writer);
    }
    return -EINVAL;
}

int shadow_write(const struct shadow *shadow, enum shadow_section section, const char *path,
                 size_t path_size, struct flux_json_writer *writer)
{
    return shadow_write_shown(shadow, section, path, path_size, NULL, writer);
}

const char *shadow_thing_name(const struct shadow *shadow)
{
    return shadow->thing;
}

const char *shadow_name(const struct shadow *shadow)
{
    return shadow->name;
}

size_t shadow_count_unsent(const struct shadow *shadow)
{
    return shadow_pending_count(shadow) + shadow->ledger.contested.count;
}

/* What a MinIntervalMs holds back is not late. */
static int64_t oldest_pending_ms(const struct ledger *ledger)
{
    const struct flux_property *property = ledger->pending.first;
    while (property && slot_of(property)->held)
        property = slot_of(property)->queue_next;
    return property ? property->set_us / 1000 : -1;
}

size_t shadow_fill_percent(const struct shadow_status *status)
{
    return status->document_bytes_max > 0
               ? status->document_bytes * 100 / status->document_bytes_max
               : 0;
}

void shadow_get_status(const struct shadow *shadow, struct shadow_status *ret_status)
{
    const struct ledger *ledger = &shadow->ledger;
    *ret_status = shadow->status;
    ret_status->thing = shadow->thing;
    ret_status->name = shadow->name;
    ret_status->view = shadow->view.state;
    ret_status->version = shadow->view.version;
    ret_status->properties = ledger->set.value_count;
    ret_status->cuts = ledger->set.cut_count;
    ret_status->pending = shadow_pending_count(shadow) + ledger->contested.count;
    ret_status->oldest_pending_ms = oldest_pending_ms(ledger);
    ret_status->in_flight = shadow->update.entry_count + shadow->update.settle_count;
    ret_status->refused = ledger->refused_count;
    ret_status->document_bytes =
        shadow->view.desired_bytes + projection_measure((struct ledger *)ledger);
    ret_status->document_bytes_max = shadow->connection->options.max_document_bytes;
    ret_status->blocked_until_ms = shadow->pacing.blocked_until_ms;
    ret_status->quarantined_until_ms = shadow_quarantine_ms(shadow);
    ret_status->heard = shadow->link == SHADOW_ONLINE;
    ret_status->users = shadow->user_count;
    ret_status->watchers = shadow->watcher_count;
}
