/* Wishes that programs have answered: taken, held against the view, refused. */
#include "daemon/shadow/shadow_private.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- taking --- */

/* What a report sent again can have meant: desired as it was known when it was first made. */
static uint64_t serial_known_at(const struct desired *desired, const struct shadow_operation *op,
                                int64_t set_us)
{
    uint64_t serial = 0;
    const struct flux_property *top =
        flux_property_set_find(&desired->set, op->path, op->path_size);
    for (const struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        const struct desire *desire = desire_of(p);
        if (desire->changed_ms * 1000 + 999 < set_us && desire->serial > serial)
            serial = desire->serial;
    }
    return serial;
}

int shadow_add_settle(struct shadow *shadow, const struct shadow_report *report,
                      const struct shadow_operation *op, uint64_t report_revision,
                      struct shadow_wait *ret_wait)
{
    const struct desired *desired = &shadow->view.desired;
    uint64_t revision = shadow->ledger.newest_revision + 1;
    uint64_t known_serial =
        report->resent ? serial_known_at(desired, op, report->set_us) : desired->serial;
    struct flux_property *node;
    int r = settles_add(&shadow->settles, op->path, op->path_size, revision, known_serial, &node);
    if (r < 0)
        return r;
    settle_of(node)->report_first = report_revision;
    settle_of(node)->report_last = report_revision + report->operation_count - 1;
    shadow->ledger.newest_revision = revision;
    *ret_wait = (struct shadow_wait){.property = node, .revision = revision, .is_settle = true};
    return 0;
}

static const struct shadow_operation *first_settle(const struct shadow_report *report,
                                                   size_t *ret_count)
{
    const struct shadow_operation *first = NULL;
    *ret_count = 0;
    for (size_t i = report->operation_count; i-- > 0;) {
        if (report->operations[i].kind != FLUX_SETTLE)
            continue;
        first = &report->operations[i];
        ++*ret_count;
    }
    return first;
}

int shadow_check_settles(struct shadow *shadow, const struct shadow_report *report,
                         size_t *ret_desired_bytes, struct shadow_refusal *ret_refusal)
{
    struct desired *desired = &shadow->view.desired;
    size_t count;
    const struct shadow_operation *first = first_settle(report, &count);
    *ret_desired_bytes = shadow->view.desired_bytes;
    if (shadow->settles.count + count == 0)
        return SHADOW_REPORT_QUEUED;
    shadow->size.effort += desired->set.node_count + shadow->settles.count + count;
    if (count > 0 && shadow->settles.count + count > FLUX_PROPERTIES_MAX) {
        ret_refusal->code = 413;
        (void)snprintf(ret_refusal->path, sizeof(ret_refusal->path), "%.*s", (int)first->path_size,
                       first->path);
        (void)snprintf(ret_refusal->text, sizeof(ret_refusal->text),
                       "at most %u wishes can wait to be settled", FLUX_PROPERTIES_MAX);
        return SHADOW_REPORT_REFUSED;
    }
    settles_unmark(desired);
    settles_mark_all(&shadow->settles, desired);
    for (size_t i = 0; i < report->operation_count; i++) {
        const struct shadow_operation *op = &report->operations[i];
        if (op->kind == FLUX_SETTLE)
            (void)settles_mark(desired, op->path, op->path_size, desired->serial);
    }
    *ret_desired_bytes = desired_measure_rest(desired);
    return SHADOW_REPORT_QUEUED;
}

size_t shadow_desired_bytes_left(struct shadow *shadow)
{
    if (shadow->settles.count == 0)
        return shadow->view.desired_bytes;
    settles_unmark(&shadow->view.desired);
    settles_mark_all(&shadow->settles, &shadow->view.desired);
    return desired_measure_rest(&shadow->view.desired);
}

bool shadow_is_settling(const struct shadow *shadow, const struct flux_property *property)
{
    const struct flux_property_set *set = &shadow->settles.set;
    for (const struct flux_property *p = property; p && shadow->settles.count > 0; p = p->parent) {
        const struct flux_property *node = flux_property_set_find(set, p->path, p->path_size);
        if (node && settle_of(node)->waits)
            return true;
    }
    return false;
}

size_t shadow_pending_count(const struct shadow *shadow)
{
    return shadow->ledger.pending.count + shadow->settles.count;
}

/* --- ending --- */

static void note_end(struct shadow *shadow)
{
    shadow->ledger.fate_serial++;
}

/* What is not there any more is done: removed by us or by somebody else, or a newer wish has taken
 * its place. */
void shadow_review_settles(struct shadow *shadow, int64_t now_ms)
{
    shadow->settles.fresh = false;
    if (!shadow_is_known(shadow, now_ms))
        return;
    struct flux_property *next;
    for (struct flux_property *p = shadow->settles.first; p; p = next) {
        next = settle_of(p)->next;
        if (settles_has_left(p, &shadow->view.desired))
            continue;
        settles_end(&shadow->settles, p, shadow->view.version);
        note_end(shadow);
    }
}

void shadow_refuse_settle(struct shadow *shadow, struct flux_property *node, uint64_t revision,
                          int code, const char *text)
{
    if (!settle_of(node)->waits)
        return; /* done meanwhile */
    settles_refuse(&shadow->settles, node, revision, code, text);
    note_end(shadow);
    shadow_notify(shadow, THING_NOTICE_REFUSED, node->path, code, 0, text);
}

static bool overlaps(const struct flux_property *a, const struct flux_property *b)
{
    const struct flux_property *above = a->path_size <= b->path_size ? a : b;
    const struct flux_property *below = above == a ? b : a;
    return memcmp(above->path, below->path, above->path_size) == 0 &&
           (above->path_size == below->path_size || below->path[above->path_size] == '/');
}

void shadow_refuse_settles_with(struct shadow *shadow, const struct flux_property *property,
                                uint64_t revision, int code, const char *text)
{
    struct flux_property *next;
    for (struct flux_property *p = shadow->settles.first; p; p = next) {
        const struct settle *settle = settle_of(p);
        next = settle->next;
        bool is_of_report = revision >= settle->report_first && revision <= settle->report_last;
        if (is_of_report && overlaps(p, property))
            shadow_refuse_settle(shadow, p, settle->revision, code, text);
    }
}

size_t shadow_forget_settles(struct shadow *shadow, const char *path, size_t path_size)
{
    size_t count = 0;
    struct flux_property *top = flux_property_set_find(&shadow->settles.set, path, path_size);
    for (struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        if (!settle_of(p)->waits)
            continue;
        settles_refuse(&shadow->settles, p, settle_of(p)->revision, SHADOW_CODE_FORGOTTEN,
                       "forgotten on this device before the wish was settled (fluxctl forget)");
        note_end(shadow);
        count++;
    }
    return count;
}

/* --- telling --- */

struct shadow_fate shadow_settle_fate(const struct shadow_wait *wait)
{
    int64_t version;
    const struct settle *settle = settle_of(wait->property);
    switch (settles_fate(wait->property, wait->revision, &version)) {
    case LEDGER_WAITING:
        return (struct shadow_fate){.state = SHADOW_WAITING};
    case LEDGER_ACCEPTED:
        return (struct shadow_fate){.state = SHADOW_ACCEPTED, .version = version};
    case LEDGER_REFUSED:
        break;
    }
    return (struct shadow_fate){
        .state = SHADOW_REFUSED,
        .code = settle->code,
        .text = settle->text ? settle->text : "refused by the shadow service",
        .property = wait->property,
    };
}

uint64_t shadow_settled_revision(const struct shadow *shadow)
{
    uint64_t settled = ledger_settled_revision((struct ledger *)&shadow->ledger); /* it keeps what
                                                                                     it counted */
    const struct flux_property *oldest = shadow->settles.first;
    if (oldest && settle_of(oldest)->oldest_revision <= settled)
        settled = settle_of(oldest)->oldest_revision - 1;
    return settled;
}
