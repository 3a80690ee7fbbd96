#include "daemon/shadow/thing.h"

#include "daemon/shadow/thing_private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So many requests without an answer and without any other sign of life: the link is no good. */
#define UNANSWERED_MAX 3u

void thing_options_init(struct thing_options *ret_options)
{
    *ret_options = (struct thing_options){
        .interval_ms = 10000,
        .burst = 10,
        .response_timeout_ms = 30000,
        .max_document_bytes = 8192,
        .max_depth = 8,
        .requests_per_sec = 20,
        .messages_per_sec = 80,
        .refresh_ms = 3600000,
        .keep_alive_ms = 240000,
        .backoff_min_ms = 1000,
        .backoff_max_ms = 300000,
        .max_shadows = 64,
        .max_subscriptions = 50,
        .daily_operations = 20000,
        .gone_after_ms = 10000,
    };
}

static bool are_usable(const struct thing_options *options)
{
    return options->interval_ms >= 0 && options->burst > 0 && options->response_timeout_ms > 0 &&
           options->max_document_bytes > 0 && options->max_depth > 0 &&
           options->requests_per_sec > 0 && options->messages_per_sec > 0 &&
           options->refresh_ms >= 0 && options->keep_alive_ms > 0 && options->backoff_min_ms > 0 &&
           options->backoff_max_ms >= options->backoff_min_ms && options->max_shadows > 0 &&
           options->max_shadows <= THING_SHADOWS_MAX &&
           options->max_subscriptions >= TOPIC_KIND_COUNT &&
           options->max_subscriptions <= THING_SUBSCRIPTIONS_MAX && options->gone_after_ms >= 0;
}

static void init_messages(struct thing *thing, int64_t now_ms)
{
    struct pacing_rate rate = pacing_split_rate(thing->connection.options.messages_per_sec);
    unsigned capacity = rate.capacity > UPDATE_MESSAGES ? rate.capacity : UPDATE_MESSAGES;
    token_bucket_init(&thing->messages, capacity, rate.interval_us, now_ms);
}

/* Take over all but what is fixed for the thing's life. */
static int take_options(struct thing *thing, const struct thing_options *options)
{
    int r = thing_set_extra(thing, options->extra, options->extra_count);
    if (r < 0)
        return r;
    struct thing_options taken = *options;
    taken.name = thing->name;
    taken.extra = NULL; /* the thing's own copies are in thing->extra */
    taken.extra_count = 0;
    thing->connection.options = taken;
    return 0;
}

int thing_new(struct thing **ret_thing, const struct thing_options *options)
{
    if (!options->name || !topic_is_thing_name(options->name) || !are_usable(options))
        return -EINVAL;
    struct thing *thing = calloc(1, sizeof(*thing));
    if (!thing)
        return -ENOMEM;
    memcpy(thing->name, options->name, strlen(options->name) + 1);
    writers_init(&thing->connection.writers);
    thing->connection.instance_id = options->instance_id;
    random_init(&thing->connection.random, options->random_seed);
    struct random_source random; /* of its own: the engine's stays as it was */
    random_init(&random, ~options->random_seed);
    thing->hash_seed = random_u64(&random);
    thing->is_first_stale = true;
    flux_json_writer_init(&thing->save.text, 0);
    thing->held_until_ms = thing->budget_told_ms = INT64_MIN;
    daily_init(&thing->daily, options->daily_operations, 0);
    daily_init(&thing->daily_messages, 0, 0);
    subscriptions_init(&thing->subscriptions, options->max_subscriptions,
                       options->response_timeout_ms);
    struct shadow *classic;
    int r = take_options(thing, options);
    if (r == 0) {
        init_messages(thing, 0);
        r = thing_add_shadow(thing, thing->name, "", &classic);
    }
    if (r < 0) {
        (void)thing_free(thing);
        return r;
    }
    *ret_thing = thing;
    return 0;
}

struct thing *thing_free(struct thing *thing)
{
    if (!thing)
        return NULL;
    thing_clear_shadows(thing);
    thing_clear_save(thing);
    subscriptions_clear(&thing->subscriptions);
    thing_clear_extra(thing);
    writers_clear(&thing->connection.writers);
    (void)policies_free(thing->connection.policies);
    free(thing);
    return NULL;
}

int thing_set_options(struct thing *thing, const struct thing_options *options, int64_t now_ms)
{
    if (!are_usable(options))
        return -EINVAL;
    const struct thing_options *kept = &thing->connection.options;
    struct thing_options taken = *options;
    taken.instance_id = kept->instance_id;
    taken.random_seed = kept->random_seed;
    taken.durable = kept->durable;
    int r = take_options(thing, &taken);
    if (r < 0)
        return r;
    init_messages(thing, now_ms);
    daily_set_limit(&thing->daily, kept->daily_operations);
    subscriptions_set(&thing->subscriptions, kept->max_subscriptions, kept->response_timeout_ms);
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        pacing_set_options(&shadow->pacing, kept, now_ms);
        shadow->size.known = false;
        shadow_drop_prepared(shadow);
        shadow_touch(shadow);
    }
    return 0;
}

void thing_change_cloud(struct thing *thing)
{
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        shadow->view.held = false;
        shadow->get_first = true;
        shadow_touch(shadow);
    }
}

/* --- events of the link --- */

void thing_note_life(struct thing *thing, int64_t now_ms)
{
    thing->connection.last_alive_ms = now_ms;
    thing->connection.unanswered = 0;
}

void thing_link_up(struct thing *thing, int64_t now_ms)
{
    thing->link_up = true;
    thing->now_ms = now_ms;
    thing_note_life(thing, now_ms);
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        shadow_link_up(shadow, now_ms);
        shadow_touch(shadow);
    }
}

void thing_link_down(struct thing *thing, int64_t now_ms)
{
    thing->link_up = false;
    thing->now_ms = now_ms;
    thing->connection.unanswered = 0;
    thing_judge_drop(thing, now_ms);
    subscriptions_link_down(&thing->subscriptions);
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        shadow_link_down(shadow, now_ms);
        shadow_touch(shadow);
    }
}

static struct shadow *find_request(struct thing *thing, uint32_t request_id)
{
    size_t place = request_id & THING_PLACE_MASK;
    struct shadow *shadow = place < thing->places ? thing->shadows[place] : NULL;
    return shadow && shadow->request_id == request_id ? shadow : NULL;
}

void thing_published(struct thing *thing, uint32_t request_id, int code, int64_t now_ms)
{
    if (code >= 0)
        thing_note_life(thing, now_ms);
    struct shadow *shadow = find_request(thing, request_id);
    if (!shadow)
        return;
    if (code >= 0)
        thing_note_survivor(thing, shadow, shadow->sent_kind);
    if (code < 0 || code >= 0x80)
        shadow_publish_failed(shadow, code, now_ms);
    shadow_touch(shadow);
}

static void note_received(struct thing *thing, enum thing_cause cause, size_t bytes)
{
    thing->status.messages_in++;
    thing->status.bytes_in += bytes;
    thing->status.causes[cause].messages++;
    thing->status.causes[cause].bytes += bytes;
    daily_count(&thing->daily_messages, thing->now_ms);
    thing->status.unknown_messages += cause == THING_CAUSE_UNKNOWN;
}

/* What others make us hear counts too, but a flood of it must not silence us. */
static void charge_foreign(struct thing *thing, int64_t now_ms)
{
    if (token_bucket_count(&thing->messages, now_ms) > UPDATE_MESSAGES)
        (void)token_bucket_take(&thing->messages, 1, now_ms);
}

void thing_receive(struct thing *thing, const char *topic, const void *payload, size_t size,
                   int64_t now_ms)
{
    struct topic parsed;
    size_t bytes = strlen(topic) + size;
    thing_note_life(thing, now_ms);
    struct shadow *shadow =
        topic_parse(topic, &parsed) ? thing_find_shadow(thing, parsed.thing, parsed.shadow) : NULL;
    if (!shadow) {
        note_received(thing, THING_CAUSE_UNKNOWN, bytes);
        charge_foreign(thing, now_ms);
        return;
    }
    enum shadow_request asked = shadow->request;
    shadow_receive(shadow, parsed.kind, payload, size, now_ms);
    bool is_answer = asked != SHADOW_REQUEST_NONE && shadow->request == SHADOW_REQUEST_NONE;
    note_received(thing, is_answer ? THING_CAUSE_ANSWER : THING_CAUSE_FOREIGN, bytes);
    if (is_answer)
        thing_note_survivor(thing, shadow, asked);
    else if (parsed.kind != TOPIC_UPDATE_DELTA) /* that one was charged with the update */
        charge_foreign(thing, now_ms);
    subscriptions_note_use(&shadow->listener, now_ms);
    shadow_touch(shadow);
}

uint32_t thing_make_id(struct thing *thing, size_t place)
{
    return ++thing->request_count << THING_PLACE_BITS | (uint32_t)place;
}

void thing_count(struct thing *thing, enum thing_cause cause, size_t bytes)
{
    bool is_operation = cause != THING_CAUSE_SUBSCRIBE;
    struct thing_traffic *traffic = &thing->status.causes[cause];
    traffic->operations += is_operation;
    traffic->messages++;
    traffic->bytes += bytes;
    thing->status.operations += is_operation;
    thing->status.messages_out++;
    daily_count(&thing->daily_messages, thing->now_ms);
    thing->status.bytes_out += bytes;
}

bool thing_doubts_link(const struct thing *thing)
{
    return thing->link_up && thing->connection.unanswered >= UNANSWERED_MAX;
}

bool thing_is_settled(const struct thing *thing)
{
    for (size_t i = 0; i < thing->places; i++) {
        if (thing->shadows[i] && !shadow_is_settled(thing->shadows[i]))
            return false;
    }
    return true;
}

bool thing_has_sent_all(const struct thing *thing)
{
    for (size_t i = 0; i < thing->places; i++) {
        const struct shadow *shadow = thing->shadows[i];
        if (shadow && (shadow->ledger.pending.count > shadow->ledger.held_count ||
                       shadow_has_settle_to_send(shadow)))
            return false;
    }
    return true;
}

uint64_t thing_outcome_count(const struct thing *thing)
{
    uint64_t count = thing->outcomes_of_gone;
    for (size_t i = 0; i < thing->places; i++) { /* all of them only rise */
        const struct shadow *shadow = thing->shadows[i];
        count += shadow ? shadow->ledger.fate_serial + shadow->stored_revision : 0;
    }
    return count;
}

void thing_flush(struct thing *thing, int64_t now_ms)
{
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow)))
        shadow_flush(shadow, now_ms);
}

bool thing_wants_save(const struct thing *thing)
{
    for (size_t i = 0; thing->connection.options.durable && i < thing->places; i++) {
        if (thing->shadows[i] && shadow_wants_save(thing->shadows[i]))
            return true;
    }
    return false;
}

void thing_set_storage_trouble(struct thing *thing, bool in_trouble, int64_t now_ms)
{
    thing->now_ms = now_ms;
    if (thing->connection.storage_trouble == in_trouble)
        return;
    thing->connection.storage_trouble = in_trouble;
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow)))
        shadow_storage_changed(shadow);
}

bool thing_next_notice(struct thing *thing, struct thing_notice *ret_notice)
{
    return notices_next(&thing->connection.notices, ret_notice);
}

const char *thing_cause_name(enum thing_cause cause)
{
    static const char *const names[THING_CAUSE_COUNT] = {
        [THING_CAUSE_UPDATE] = "update",
        [THING_CAUSE_RESTORE] = "restore",
        [THING_CAUSE_GET_CONNECT] = "get_connect",
        [THING_CAUSE_GET_REFRESH] = "get_refresh",
        [THING_CAUSE_GET_CONFLICT] = "get_conflict",
        [THING_CAUSE_GET_GAP] = "get_gap",
        [THING_CAUSE_GET_DOUBT] = "get_doubt",
        [THING_CAUSE_SUBSCRIBE] = "subscribe",
        [THING_CAUSE_ANSWER] = "answer",
        [THING_CAUSE_FOREIGN] = "foreign",
        [THING_CAUSE_UNKNOWN] = "unknown",
    };
    return names[cause];
}

void thing_get_status(const struct thing *thing, struct thing_status *ret_status)
{
    *ret_status = thing->status;
    struct daily daily = thing->daily; /* what is asked moves its hours on */
    ret_status->subscribed = true;
    ret_status->updates_uncommitted = thing->connection.updates_uncommitted;
    for (size_t i = 0; i < thing->places; i++) {
        const struct shadow *shadow = thing->shadows[i];
        if (!shadow || shadow->link == SHADOW_ONLINE)
            continue;
        ret_status->shadows_unheard++;
        /* Who has nothing to do and waits for a turn lacks nothing. */
        bool lacks = shadow->listener.is_busy || shadow->last_get_ms == INT64_MIN ||
                     subscriptions_is_refused(&shadow->listener);
        if (!thing->link_up || lacks)
            ret_status->subscribed = false;
    }
    struct daily messages = thing->daily_messages;
    ret_status->daily_operations = daily_used(&daily, thing->now_ms);
    ret_status->daily_messages = daily_used(&messages, thing->now_ms);
    ret_status->daily_operations_max = daily.limit;
    if (thing_is_spread(thing, thing->now_ms))
        ret_status->daily_spacing_ms = daily_spacing_ms(&daily, thing->now_ms);
    ret_status->shadows = thing->shadow_count;
    ret_status->shadows_max = thing->connection.options.max_shadows;
    const struct writers *writers = &thing->connection.writers;
    ret_status->programs = writers->count;
    ret_status->will_bytes = writers->will_bytes;
    for (const struct writer *away = writers->away_first; away; away = away->away_next)
        ret_status->programs_away++;
    ret_status->subscriptions = subscriptions_count(&thing->subscriptions);
    ret_status->subscriptions_max = thing->connection.options.max_subscriptions;
    ret_status->quarantined = thing_count_quarantined(thing);
}
