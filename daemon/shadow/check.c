#include "daemon/shadow/check.h"

#include "daemon/shadow/contradiction.h"
#include "daemon/shadow/largest.h"
#include "daemon/shadow/projection.h"
#include "proto/path.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int refuse(struct shadow_refusal *ret_refusal, int code,
                  const struct shadow_operation *operation)
{
    size_t size = operation->path_size;
    if (size > FLUX_PATH_BYTES_MAX)
        size = FLUX_PATH_BYTES_MAX;
    ret_refusal->code = code;
    memcpy(ret_refusal->path, operation->path, size);
    ret_refusal->path[size] = '\0';
    return SHADOW_REPORT_REFUSED;
}

#define REFUSE(refusal, code, operation, ...)                                                      \
    ((void)snprintf((refusal)->text, sizeof(refusal)->text, __VA_ARGS__),                          \
     refuse(refusal, code, operation))

/* A path is shown in a text only as far as it leaves room for the rest. */
static int shown_size(const struct shadow_operation *operation)
{
    return operation->path_size < 80 ? (int)operation->path_size : 80;
}

static const char *value_problem(int error)
{
    switch (error) {
    case -EDOM:
        return "a number must be finite";
    case -EILSEQ:
        return "a string must be valid UTF-8";
    case -E2BIG:
        return "the value is too long";
    default:
        return "an array must be well-formed JSON without null in it";
    }
}

static int check_operation(const struct ledger *ledger, const struct check_limits *limits,
                           const struct shadow_operation *operation,
                           struct shadow_refusal *ret_refusal)
{
    unsigned depth = 0;
    bool is_root = operation->path_size == 0 && operation->kind != FLUX_SET;
    enum flux_path_error problem =
        is_root ? FLUX_PATH_OK : flux_path_check(operation->path, operation->path_size, &depth);
    if (problem != FLUX_PATH_OK)
        return REFUSE(ret_refusal, 400, operation, "bad path: %s", flux_path_strerror(problem));
    if (operation->kind == FLUX_SET) {
        int r = flux_value_check(&operation->value);
        if (r < 0)
            return REFUSE(ret_refusal, 400, operation, "bad value: %s", value_problem(r));
        depth += flux_value_depth(&operation->value);
    }
    if (depth > limits->max_depth && operation->kind != FLUX_SETTLE)
        return REFUSE(ret_refusal, 400, operation, "%u levels deep; MaxDepth is %u", depth,
                      limits->max_depth);
    if (operation->kind != FLUX_SET)
        return SHADOW_REPORT_QUEUED;
    const struct flux_property *known =
        flux_property_set_find(&ledger->set, operation->path, operation->path_size);
    if (!known)
        return SHADOW_REPORT_QUEUED;
    const struct slot *slot = slot_of(known);
    bool remembered = slot->state == SLOT_REFUSED && slot->refused_lacking == 0 &&
                      flux_value_equal(&known->value, &operation->value);
    if (remembered)
        return REFUSE(ret_refusal, slot->refused_code, operation,
                      "the shadow service refused this very value before: %.150s",
                      slot->refused_text ? slot->refused_text : "no reason given");
    return SHADOW_REPORT_QUEUED;
}

/* How values are counted: a number costs more to write than to store, so far below the limit all
 * count as the longest of their kind. */
enum counting { COUNT_ROUGHLY, COUNT_FINELY };

static size_t count_value(const struct flux_value *value, enum counting counting)
{
    if (counting == COUNT_ROUGHLY && value->type == FLUX_VALUE_DOUBLE)
        return strlen("-1.7976931348623157e+308");
    if (counting == COUNT_ROUGHLY && value->type == FLUX_VALUE_INT64)
        return strlen("-9223372036854775808");
    return flux_value_json_size(value);
}

/* How much more than its size the section counts for, with our values counted roughly. */
static size_t count_slack(const struct ledger *ledger)
{
    size_t slack = 0;
    struct flux_property *root = ledger->set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p)) {
        if (ledger_has_value(p))
            slack += count_value(&p->value, COUNT_ROUGHLY) - count_value(&p->value, COUNT_FINELY);
    }
    return slack;
}

/* At most so many bytes more than now. */
static long growth_bound(const struct ledger *ledger, const struct shadow_operation *operation,
                         enum counting counting)
{
    if (operation->kind != FLUX_SET)
        return 0;
    long bytes = (long)count_value(&operation->value, counting);
    const struct flux_property *known =
        flux_property_set_find(&ledger->set, operation->path, operation->path_size);
    if (known && ledger_has_value(known) && flux_property_is_leaf(known))
        return bytes - (long)count_value(&known->value, counting);
    /* Every level may add a key, quotes, a colon, a comma and braces; a key byte may need an escape
     * of six. */
    long levels = 0;
    for (size_t i = 0; i < operation->path_size; i++)
        levels += operation->path[i] == '/';
    return bytes + 6 * (long)operation->path_size + 8 * levels;
}

static long report_growth_bound(const struct ledger *ledger, const struct shadow_report *report,
                                enum counting counting)
{
    if (report->operation_count == 1)
        return growth_bound(ledger, &report->operations[0], counting);
    long sum = 0;
    for (size_t i = 0; i < report->operation_count; i++) {
        long growth = growth_bound(ledger, &report->operations[i], counting);
        sum += growth > 0 ? growth : 0; /* two may touch one path: no credit for shrinking */
    }
    return sum;
}

static int clone_property(struct ledger *clone, const struct flux_property *property)
{
    struct flux_property *copy;
    int r = 0;
    if (property->cut)
        r = ledger_apply(clone, FLUX_UNSET, property->path, property->path_size, NULL, 0, &copy);
    if (r == 0 && property->value.type != FLUX_VALUE_NONE)
        r = ledger_apply(clone, FLUX_SET, property->path, property->path_size, &property->value, 0,
                         &copy);
    if (r == 0)
        r = flux_property_set_touch(&clone->set, property->path, property->path_size, &copy);
    if (r < 0)
        return r;
    slot_of(copy)->cloud = slot_of(property)->cloud; /* borrowed, see drop_clone() */
    if (slot_of(property)->state == SLOT_REFUSED)
        ledger_set_state(clone, copy, SLOT_REFUSED);
    return 0;
}

static void drop_clone(struct ledger *clone)
{
    struct flux_property *root = clone->set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        slot_of(p)->cloud = (struct flux_value){.type = FLUX_VALUE_NONE};
    ledger_clear(clone);
}

/* The section as it would be after a report, and what to say if it does not fit. */
struct trial {
    size_t bytes;
    char text[256];
};

/* Measure the section as it would be after the report, on a copy. */
static int measure_trial(struct ledger *ledger, const struct check_limits *limits,
                         const struct shadow_report *report, struct trial *ret_trial)
{
    struct ledger clone;
    int r = ledger_init(&clone, 0);
    if (r < 0)
        return r;
    struct flux_property *root = ledger->set.root;
    for (struct flux_property *p = root; p && r == 0; p = flux_property_next(root, p))
        r = clone_property(&clone, p);
    for (size_t i = 0; i < report->operation_count && r == 0; i++) {
        const struct shadow_operation *operation = &report->operations[i];
        struct flux_property *property;
        if (operation->kind == FLUX_SETTLE)
            continue; /* not about reported */
        r = ledger_apply(&clone, operation->kind, operation->path, operation->path_size,
                         operation->kind == FLUX_SET ? &operation->value : NULL, 0, &property);
    }
    if (r == 0) {
        ret_trial->bytes = projection_measure(&clone);
        check_describe_size(ret_trial->text, sizeof(ret_trial->text), limits, &clone,
                            limits->desired_bytes + ret_trial->bytes);
    }
    drop_clone(&clone);
    return r;
}

static const struct shadow_operation *largest_of(const struct ledger *ledger,
                                                 const struct shadow_report *report)
{
    const struct shadow_operation *found = &report->operations[0];
    for (size_t i = 1; i < report->operation_count; i++) {
        if (growth_bound(ledger, &report->operations[i], COUNT_FINELY) >
            growth_bound(ledger, found, COUNT_FINELY))
            found = &report->operations[i];
    }
    return found;
}

void check_describe_size(char *ret_text, size_t text_size, const struct check_limits *limits,
                         const struct ledger *measured, size_t total)
{
    int size =
        snprintf(ret_text, text_size,
                 "the shadow would need %zu bytes of %zu (MaxDocumentBytes), %zu of them desired",
                 total, limits->max_document_bytes, limits->desired_bytes);
    if (size > 0 && (size_t)size < text_size)
        largest_describe(measured, ret_text + size, text_size - (size_t)size);
}

/* A property that is only counted costs a fraction of one that is copied for a trial. */
#define COPY_EFFORT 8u

/* Keep the bound up to date if the report fits by it. */
static bool fits_by_bound(const struct ledger *ledger, const struct check_limits *limits,
                          struct check_size *size, const struct shadow_report *report)
{
    enum counting counting = size->fine ? COUNT_FINELY : COUNT_ROUGHLY;
    long bytes = (long)size->bytes + report_growth_bound(ledger, report, counting);
    if (bytes > (long)limits->max_document_bytes)
        return false;
    size->bytes = (size_t)bytes;
    return true;
}

static int check_size(struct ledger *ledger, const struct check_limits *limits,
                      struct check_size *size, const struct shadow_report *report,
                      struct shadow_refusal *ret_refusal)
{
    if (!size->known) {
        size->effort += 2 * ledger->set.node_count;
        size->bytes = limits->desired_bytes + projection_measure(ledger) + count_slack(ledger);
        size->known = true;
        size->fine = false;
    }
    if (fits_by_bound(ledger, limits, size, report))
        return SHADOW_REPORT_QUEUED;
    size_t before = limits->desired_bytes + projection_measure(ledger);
    if (!size->fine) {
        size->effort += ledger->set.node_count;
        size->fine = true;
        size->bytes = before;
        if (fits_by_bound(ledger, limits, size, report))
            return SHADOW_REPORT_QUEUED;
    }
    struct trial trial;
    size->effort += (COPY_EFFORT + 1u) * ledger->set.node_count;
    int r = measure_trial(ledger, limits, report, &trial);
    if (r == -ENOSPC)
        return REFUSE(ret_refusal, 413, largest_of(ledger, report),
                      "a shadow holds at most %u properties and removals", FLUX_PROPERTIES_MAX);
    if (r < 0)
        return r;
    size_t after = trial.bytes + limits->desired_bytes;
    if (after > limits->max_document_bytes && after > before)
        return REFUSE(ret_refusal, 413, largest_of(ledger, report), "%s", trial.text);
    size->bytes = after;
    return SHADOW_REPORT_QUEUED;
}

static int check_contradiction(const struct shadow_report *report,
                               struct shadow_refusal *ret_refusal)
{
    struct contradiction found;
    int r = contradiction_find(report, &found);
    if (r <= 0)
        return r;
    return REFUSE(ret_refusal, 400, found.below,
                  "%.*s and %.*s exclude each other: one is a value, the other lies below it",
                  shown_size(found.above), found.above->path, shown_size(found.below),
                  found.below->path);
}

/* Tell whether the first operation finds room, as those behind it may make some or need more. */
static bool first_has_room(const struct ledger *ledger, const struct shadow_report *report)
{
    const struct shadow_operation *first = &report->operations[0];
    return first->kind == FLUX_SETTLE ||
           flux_property_set_has_room(&ledger->set, first->kind, first->path, first->path_size,
                                      &first->value);
}

/* So many entries more at most. What an operation takes away is not credited, so that this holds
 * for a report too that sets again what it has removed. */
static size_t entries_bound(const struct ledger *ledger, const struct shadow_operation *operation)
{
    if (operation->kind == FLUX_SETTLE)
        return 0;
    if (operation->kind == FLUX_SET && operation->value.type == FLUX_VALUE_EMPTY_OBJECT)
        return 2; /* beside the value, a cut may be needed */
    const struct flux_property *known =
        flux_property_set_find(&ledger->set, operation->path, operation->path_size);
    return known && (ledger_has_value(known) || known->cut) ? 0 : 1;
}

static bool all_have_room(const struct ledger *ledger, const struct shadow_report *report)
{
    size_t entries = ledger->set.value_count + ledger->set.cut_count;
    if (entries + 2 * report->operation_count <= FLUX_PROPERTIES_MAX)
        return true;
    for (size_t i = 0; i < report->operation_count; i++)
        entries += entries_bound(ledger, &report->operations[i]);
    return entries <= FLUX_PROPERTIES_MAX;
}

/* A copy is made only where neither a bound nor the first operation says it all: whoever reports to
 * a full shadow must not cost much. */
static int check_room(struct ledger *ledger, const struct check_limits *limits,
                      struct check_size *size, const struct shadow_report *report,
                      struct shadow_refusal *ret_refusal)
{
    if (all_have_room(ledger, report))
        return SHADOW_REPORT_QUEUED;
    int r = first_has_room(ledger, report) ? 0 : -ENOSPC;
    if (r == 0 && report->operation_count > 1) {
        struct trial trial;
        size->effort += COPY_EFFORT * ledger->set.node_count;
        r = measure_trial(ledger, limits, report, &trial);
    }
    if (r == -ENOSPC)
        return REFUSE(ret_refusal, 413, &report->operations[0],
                      "a shadow holds at most %u properties and removals; unset or forget some",
                      FLUX_PROPERTIES_MAX);
    return r < 0 ? r : SHADOW_REPORT_QUEUED;
}

int check_report(struct ledger *ledger, const struct check_limits *limits, struct check_size *size,
                 const struct shadow_report *report, struct shadow_refusal *ret_refusal)
{
    for (size_t i = 0; i < report->operation_count; i++) {
        int r = check_operation(ledger, limits, &report->operations[i], ret_refusal);
        if (r != SHADOW_REPORT_QUEUED)
            return r;
    }
    if (report->operation_count == 0)
        return SHADOW_REPORT_QUEUED;
    int contradicts = check_contradiction(report, ret_refusal);
    if (contradicts != 0)
        return contradicts;
    int room = check_room(ledger, limits, size, report, ret_refusal);
    if (room != SHADOW_REPORT_QUEUED)
        return room;
    return check_size(ledger, limits, size, report, ret_refusal);
}
