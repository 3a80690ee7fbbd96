#include "daemon/ipc/session_private.h"

const char *session_volatile_text(const struct session *session)
{
    const char *reason = session->host->volatile_reason;
    return reason ? reason
                  : "nothing is ever stored: the daemon's storage is volatile (Mode=volatile); "
                    "ask for queued or accepted";
}

void session_put_range(struct session *session, struct session_binding *binding,
                       enum flux_level level, struct session_range *range)
{
    if (range->first_id)
        session_put_answer(session, binding->handle, level, range);
    *range = (struct session_range){0};
}

void session_add_accepted(struct session *session, struct session_binding *binding,
                          const struct session_range *accepted)
{
    struct session_range *range = &binding->accepted;
    if (range->first_id && range->last_id + 1 == accepted->first_id &&
        range->version == accepted->version && range->deadband == accepted->deadband) {
        range->last_id = accepted->last_id;
        return;
    }
    session_put_range(session, binding, FLUX_LEVEL_ACCEPTED, range);
    *range = *accepted;
}

static uint64_t safe_revision(const struct session *session, const struct shadow *shadow)
{
    return session->host->durable ? shadow_stored_revision(shadow)
                                  : shadow_settled_revision(shadow);
}

/* STORED was said up to this report, and QUEUED with it. */
static void forget_held(struct session_binding *binding, uint64_t id)
{
    struct session_range *held = &binding->held;
    if (held->last_id <= id)
        *held = (struct session_range){0};
    else if (held->first_id && held->first_id <= id)
        held->first_id = id + 1;
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
    if (session->host->durable) {
        session_put_answer(session, binding->handle, FLUX_LEVEL_STORED,
                           &(struct session_range){binding->safe_id + 1, id, 0, false});
        forget_held(binding, id);
    }
    session_put_safe(session, binding->handle, id);
    binding->safe_id = id;
    binding->mark_count -= passed;
    for (size_t i = 0; i < binding->mark_count; i++)
        binding->marks[i] = binding->marks[i + passed];
}

static void binding_put(struct session *session, struct session_binding *binding,
                        const struct waits_answer *answer)
{
    const struct session_range range = {answer->first_id, answer->last_id, answer->version,
                                        answer->deadband};
    if (!answer->refused) {
        session_add_accepted(session, binding, &range);
        return;
    }
    /* A client takes what was refused before it was QUEUED for refused as a whole. */
    session_put_held(session, binding);
    session_put_rejected(session, binding->handle, answer->first_id, answer->last_id, answer->code,
                         answer->path, answer->text);
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
    session_put_range(session, binding, FLUX_LEVEL_ACCEPTED, &binding->accepted);
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
