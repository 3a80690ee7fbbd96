#include "daemon/ipc/session_private.h"

#include <errno.h>
#include <stdlib.h>

/* Operations that one report may have; more could not all be held. */
#define REPORT_OPERATIONS_MAX FLUX_PROPERTIES_MAX

void session_host_clear(struct session_host *host)
{
    free(host->scratch.operations);
    free(host->scratch.waits);
    host->scratch.operations = NULL;
    host->scratch.waits = NULL;
    host->scratch.capacity = 0;
}

static int scratch_grow(struct session_host *host)
{
    const size_t capacity = host->scratch.capacity ? host->scratch.capacity * 2 : 64;
    struct shadow_operation *operations =
        realloc(host->scratch.operations, capacity * sizeof(*operations));
    if (!operations)
        return -ENOMEM;
    host->scratch.operations = operations;
    struct shadow_wait *waits = realloc(host->scratch.waits, capacity * sizeof(*waits));
    if (!waits)
        return -ENOMEM;
    host->scratch.waits = waits;
    host->scratch.capacity = capacity;
    return 0;
}

/* Decode all operations into the scratch. Returns their number, -EPROTO, -E2BIG or -ENOMEM. */
static int operations_decode(struct session_host *host, struct flux_wire_reader *reader)
{
    size_t count = 0;
    struct flux_change change;
    int r = flux_report_next(reader, &change);
    for (; r > 0; r = flux_report_next(reader, &change)) {
        if (count == REPORT_OPERATIONS_MAX)
            return -E2BIG;
        if (count == host->scratch.capacity && scratch_grow(host) < 0)
            return -ENOMEM;
        host->scratch.operations[count++] = (struct shadow_operation){
            .kind = change.kind,
            .path = change.path,
            .path_size = change.path_size,
            .value = change.value,
        };
    }
    return r < 0 ? r : (int)count;
}

struct session_binding *session_find_binding(struct session *session, uint16_t handle)
{
    for (size_t i = 0; i < session->binding_count; i++) {
        if (session->bindings[i].handle == handle)
            return &session->bindings[i];
    }
    return NULL;
}

int session_bind(struct session *session, uint16_t handle, struct shadow *shadow)
{
    if (session->binding_count == SESSION_BINDINGS_MAX)
        return -ENOBUFS;
    const size_t count = session->binding_count + 1;
    struct session_binding *bindings = realloc(session->bindings, count * sizeof(*bindings));
    if (!bindings)
        return -ENOMEM;
    session->bindings = bindings;
    session->binding_count = count;
    struct session_binding *binding = &bindings[count - 1];
    *binding = (struct session_binding){.handle = handle, .shadow = shadow};
    waits_init(&binding->waits, shadow, &session->host->waits);
    interests_init(&binding->interests, shadow, &session->host->waits);
    return 0;
}

static void range_put(struct session *session, struct session_binding *binding,
                      enum flux_level level, struct session_range *range)
{
    if (range->first_id)
        session_put_answer(session, binding->handle, level, range);
    *range = (struct session_range){0};
}

/* Add the reports from `first_id` to `last_id`, accepted at `version`, to the range that is being
 * gathered, or begin a new one. */
static void accepted_add(struct session *session, struct session_binding *binding,
                         uint64_t first_id, uint64_t last_id, int64_t version)
{
    struct session_range *range = &binding->accepted;
    if (range->first_id && range->last_id + 1 == first_id && range->version == version) {
        range->last_id = last_id;
        return;
    }
    range_put(session, binding, FLUX_LEVEL_ACCEPTED, range);
    *range = (struct session_range){first_id, last_id, version};
}

/* Tell whether all of a report is accepted already, as an unchanged value is. One that is refused
 * already, as a value refused before is, waits for the next scan. */
static bool is_accepted_at_once(struct session_binding *binding, const struct shadow_wait *waits,
                                size_t count, int64_t *ret_version)
{
    *ret_version = 0;
    for (size_t i = 0; i < count; i++) {
        const struct shadow_fate fate = shadow_fate(binding->shadow, &waits[i]);
        if (fate.state == SHADOW_REFUSED)
            binding->fate_serial = BINDING_UNSCANNED;
        if (fate.state != SHADOW_ACCEPTED)
            return false;
        if (fate.version > *ret_version)
            *ret_version = fate.version;
    }
    return true;
}

static void release_all(struct session_binding *binding, struct shadow_wait *waits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        shadow_release(binding->shadow, &waits[i]);
}

/* Follow what becomes of a report that the shadow took. */
static void report_follow(struct session *session, struct session_binding *binding,
                          const struct flux_report *report, struct shadow_wait *waits, size_t count)
{
    if (!binding->queued.first_id)
        binding->queued.first_id = report->request_id;
    binding->queued.last_id = report->request_id;

    int64_t version;
    if (is_accepted_at_once(binding, waits, count, &version)) {
        release_all(binding, waits, count);
        if (report->level == FLUX_LEVEL_ACCEPTED)
            accepted_add(session, binding, report->request_id, report->request_id, version);
        return;
    }
    if (report->level != FLUX_LEVEL_ACCEPTED) {
        for (size_t i = 0; i < count; i++)
            interests_add(&binding->interests, report->request_id, &waits[i]);
        return;
    }
    if (waits_add(&binding->waits, report->request_id, waits, count) < 0) {
        release_all(binding, waits, count);
        session_put_rejected(session, binding->handle, report->request_id, report->request_id,
                             ENOMEM, "", "no memory left to wait for the answer");
    }
}

/* What the daemon can tell without asking the shadow. Returns 0, or an errno number with its text.
 */
static int report_precheck(const struct session *session, const struct session_binding *binding,
                           const struct flux_report *report, int count, const char **ret_text)
{
    if (count == -E2BIG) {
        *ret_text = "more than 4096 values in one report";
        return E2BIG;
    }
    if (count < 0) {
        *ret_text = "the daemon is out of memory";
        return ENOMEM;
    }
    if (report->level == FLUX_LEVEL_STORED && !session->host->durable) {
        *ret_text = "nothing is ever stored: the daemon's storage is volatile; "
                    "ask for queued or accepted";
        return EOPNOTSUPP;
    }
    if (report->level == FLUX_LEVEL_ACCEPTED && !waits_has_room(&binding->waits, (size_t)count)) {
        *ret_text = "too many values wait for their answers; ask for queued, or wait for some";
        return ENOBUFS;
    }
    return 0;
}

static void report_apply(struct session *session, struct session_binding *binding,
                         const struct flux_report *head, size_t count, int64_t now_ms,
                         int64_t now_us)
{
    struct session_host *host = session->host;
    const struct shadow_report report = {
        .operations = host->scratch.operations,
        .operation_count = count,
        /* A time ahead of ours could hold off every later report. */
        .set_us = head->resent && head->set_us < now_us ? head->set_us : now_us,
        .resent = head->resent,
    };
    struct shadow_refusal refusal;
    const int r = shadow_report(binding->shadow, &report, now_ms, host->scratch.waits, &refusal);
    if (r == SHADOW_REPORT_QUEUED) {
        report_follow(session, binding, head, host->scratch.waits, count);
        return;
    }
    if (r == SHADOW_REPORT_REFUSED)
        session_put_rejected(session, binding->handle, head->request_id, head->request_id,
                             refusal.code, refusal.path, refusal.text);
    else
        session_put_rejected(session, binding->handle, head->request_id, head->request_id, -r, "",
                             "the daemon is out of memory");
}

size_t session_report(struct session *session, const struct flux_frame *frame, int64_t now_ms,
                      int64_t now_us)
{
    struct flux_report report;
    struct flux_wire_reader operations;
    if (flux_report_decode(frame, &report, &operations) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed REPORT");
        return 0;
    }
    struct session_binding *binding = session_find_binding(session, report.shadow);
    if (!binding) {
        session_say_goodbye(session, FLUX_GOODBYE_UNEXPECTED,
                            "REPORT names shadow handle %u, which is not open", report.shadow);
        return 0;
    }
    if (report.request_id <= session->last_request_id) {
        session_say_goodbye(session, FLUX_GOODBYE_UNEXPECTED,
                            "request ids must rise within a connection");
        return 0;
    }
    const int count = operations_decode(session->host, &operations);
    if (count == -EPROTO) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed operation in a REPORT");
        return 0;
    }
    session->last_request_id = report.request_id;
    session->reports++;
    session->host->counters.reports++;

    const char *text;
    const int refused = report_precheck(session, binding, &report, count, &text);
    if (refused) {
        session_put_rejected(session, binding->handle, report.request_id, report.request_id,
                             refused, "", text);
        return 1;
    }
    session->host->counters.operations += (uint64_t)count;
    const uint64_t effort = shadow_effort(binding->shadow);
    report_apply(session, binding, &report, (size_t)count, now_ms, now_us);
    return (size_t)count +
           (size_t)(shadow_effort(binding->shadow) - effort) / SESSION_LOOKS_PER_OPERATION;
}

/* Remember that all reports so far are behind the revisions given out so far. */
static void binding_mark(struct session *session, struct session_binding *binding)
{
    const struct session_mark mark = {session->last_request_id,
                                      shadow_newest_revision(binding->shadow)};
    if (binding->mark_count == SESSION_MARKS_MAX)
        binding->mark_count--;
    binding->marks[binding->mark_count++] = mark;
}

void session_end_batch(struct session *session)
{
    for (size_t i = 0; i < session->binding_count; i++) {
        struct session_binding *binding = &session->bindings[i];
        if (!binding->queued.first_id)
            continue;
        binding_mark(session, binding);
        range_put(session, binding, FLUX_LEVEL_QUEUED, &binding->queued);
        range_put(session, binding, FLUX_LEVEL_ACCEPTED, &binding->accepted);
    }
}

static uint64_t safe_revision(const struct session *session, const struct shadow *shadow)
{
    return session->host->durable ? shadow_stored_revision(shadow)
                                  : shadow_settled_revision(shadow);
}

static void binding_settle_marks(struct session *session, struct session_binding *binding)
{
    if (binding->mark_count == 0)
        return;
    const uint64_t revision = safe_revision(session, binding->shadow);
    size_t passed = 0;
    while (passed < binding->mark_count && binding->marks[passed].revision <= revision)
        passed++;
    if (passed == 0)
        return;
    const uint64_t id = binding->marks[passed - 1].id;
    if (session->host->durable)
        session_put_answer(session, binding->handle, FLUX_LEVEL_STORED,
                           &(struct session_range){binding->safe_id + 1, id, 0});
    session_put_safe(session, binding->handle, id);
    binding->safe_id = id;
    binding->mark_count -= passed;
    for (size_t i = 0; i < binding->mark_count; i++)
        binding->marks[i] = binding->marks[i + passed];
}

static void binding_put(struct session *session, struct session_binding *binding,
                        const struct waits_answer *answer)
{
    if (answer->refused)
        session_put_rejected(session, binding->handle, answer->first_id, answer->last_id,
                             answer->code, answer->path, answer->text);
    else
        accepted_add(session, binding, answer->first_id, answer->last_id, answer->version);
}

static void binding_settle_fates(struct session *session, struct session_binding *binding)
{
    const uint64_t serial = shadow_fate_serial(binding->shadow);
    if (serial == binding->fate_serial)
        return;
    binding->fate_serial = BINDING_UNSCANNED; /* until the scan has come to its end */
    struct waits_answer answer;
    while (!session_output_is_full(session) && waits_next(&binding->waits, &answer))
        binding_put(session, binding, &answer);
    while (!session_output_is_full(session) && interests_next(&binding->interests, &answer))
        binding_put(session, binding, &answer);
    range_put(session, binding, FLUX_LEVEL_ACCEPTED, &binding->accepted);
    waits_end_scan(&binding->waits);
    interests_end_scan(&binding->interests);
    if (!session_output_is_full(session))
        binding->fate_serial = serial;
}

void session_settle_bindings(struct session *session)
{
    for (size_t i = 0; i < session->binding_count; i++) {
        binding_settle_fates(session, &session->bindings[i]);
        if (!session_output_is_full(session))
            binding_settle_marks(session, &session->bindings[i]);
    }
}
