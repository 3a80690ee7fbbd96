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

int session_decode_operations(struct session_host *host, struct flux_wire_reader *reader)
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

/* Tell whether all of a report is accepted already, as an unchanged value is. One that is refused
 * already, as a value refused before is, waits for the next scan. */
static bool is_accepted_at_once(struct session_binding *binding, const struct shadow_wait *waits,
                                size_t count, struct session_range *range)
{
    for (size_t i = 0; i < count; i++) {
        const struct shadow_fate fate = shadow_fate(binding->shadow, &waits[i]);
        if (fate.state == SHADOW_REFUSED)
            binding->fate_serial = BINDING_UNSCANNED;
        if (fate.state != SHADOW_ACCEPTED)
            return false;
        if (fate.version > range->version)
            range->version = fate.version;
        range->deadband |= fate.deadband;
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
    binding->asks_less |= report->level != FLUX_LEVEL_STORED;
    binding->asks_stored |= report->level == FLUX_LEVEL_STORED;

    struct session_range accepted = {report->request_id, report->request_id, 0, false};
    if (is_accepted_at_once(binding, waits, count, &accepted)) {
        release_all(binding, waits, count);
        if (report->level == FLUX_LEVEL_ACCEPTED)
            session_add_accepted(session, binding, &accepted);
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
        *ret_text = session_volatile_text(session);
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
        .writer = session->writer,
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
    const int count = session_decode_operations(session->host, &operations);
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
    struct session_denial denial;
    if (session_denies_report(session, binding, session->host->scratch.operations, (size_t)count,
                              &denial))
        session_put_rejected(session, binding->handle, report.request_id, report.request_id, EACCES,
                             denial.path, denial.text);
    else
        report_apply(session, binding, &report, (size_t)count, now_ms, now_us);
    return (size_t)count +
           (size_t)(shadow_effort(binding->shadow) - effort) / SESSION_LOOKS_PER_OPERATION;
}

/* Remember that all reports so far are behind the revisions given out so far. */
static void binding_mark(struct session *session, struct session_binding *binding)
{
    struct session_mark mark = {session->last_request_id, shadow_newest_revision(binding->shadow),
                                binding->asks_stored};
    if (binding->mark_count == SESSION_MARKS_MAX)
        mark.is_asked |= binding->marks[--binding->mark_count].is_asked;
    binding->marks[binding->mark_count++] = mark;
    binding->asks_stored = false;
    /* A mark that moved on asks anew: else it would wait for SyncIntervalMs. */
    if (mark.is_asked)
        shadow_ask_stored(binding->shadow, mark.revision);
}

/* --- QUEUED, held back for a moment --- */

static void note_held(struct session_host *host, const struct session_binding *binding)
{
    if (host->held_until_ms == 0 || binding->held_until_ms < host->held_until_ms)
        host->held_until_ms = binding->held_until_ms;
}

void session_put_held(struct session *session, struct session_binding *binding)
{
    session_put_range(session, binding, FLUX_LEVEL_QUEUED, &binding->held);
}

void session_put_all_held(struct session *session)
{
    for (size_t i = 0; i < session->binding_count; i++)
        session_put_held(session, &session->bindings[i]);
}

bool session_tell_held(struct session *session, int64_t now_ms)
{
    bool has_told = false;
    for (size_t i = 0; i < session->binding_count; i++) {
        struct session_binding *binding = &session->bindings[i];
        if (!binding->held.first_id)
            continue;
        if (now_ms < binding->held_until_ms) {
            note_held(session->host, binding);
            continue;
        }
        session_put_held(session, binding);
        has_told = true;
    }
    return has_told;
}

/* Answer what has come. Where all of it waits for STORED, that is given a moment to come first: one
 * answer less to send, and the program is woken once, not twice. */
static void put_queued(struct session *session, struct session_binding *binding)
{
    struct session_range *held = &binding->held;
    const int64_t hold_ms = session->host->hold_queued_ms;
    if (!held->first_id) {
        held->first_id = binding->queued.first_id;
        binding->held_until_ms = session->now_ms + hold_ms;
    }
    held->last_id = binding->queued.last_id;
    binding->queued = (struct session_range){0};
    if (binding->asks_less || hold_ms == 0 || session->input_ended)
        session_put_held(session, binding);
    else
        note_held(session->host, binding);
    binding->asks_less = false;
}

void session_end_batch(struct session *session)
{
    for (size_t i = 0; i < session->binding_count; i++) {
        struct session_binding *binding = &session->bindings[i];
        if (!binding->queued.first_id)
            continue;
        binding_mark(session, binding);
        put_queued(session, binding);
        session_put_range(session, binding, FLUX_LEVEL_ACCEPTED, &binding->accepted);
    }
}
