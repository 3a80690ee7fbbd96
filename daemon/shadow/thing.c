#include "daemon/shadow/thing.h"

#include "daemon/shadow/shadow_private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Messages that a request leads to, both ways, charged in advance: an update its accepted answer
 * and perhaps a delta, a get its answer. */
#define UPDATE_MESSAGES 3u
#define GET_MESSAGES    2u
/* So many requests without an answer and without any other sign of life: the link is no good. */
#define UNANSWERED_MAX 3u

struct thing {
    char name[FLUX_THING_NAME_MAX + 1];
    struct connection connection;
    struct token_bucket messages;
    struct shadow
        *classic; /* opened with the thing; named shadows and other things come beside it */
    bool link_up;
    uint32_t request_count; /* ids given out */
    struct thing_status status;
};

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
    };
}

static bool are_usable(const struct thing_options *options)
{
    return options->interval_ms >= 0 && options->burst > 0 && options->response_timeout_ms > 0 &&
           options->max_document_bytes > 0 && options->max_depth > 0 &&
           options->requests_per_sec > 0 && options->messages_per_sec > 0 &&
           options->refresh_ms >= 0 && options->keep_alive_ms > 0 && options->backoff_min_ms > 0 &&
           options->backoff_max_ms >= options->backoff_min_ms;
}

static void init_messages(struct thing *thing, int64_t now_ms)
{
    struct pacing_rate rate = pacing_split_rate(thing->connection.options.messages_per_sec);
    unsigned capacity = rate.capacity > UPDATE_MESSAGES ? rate.capacity : UPDATE_MESSAGES;
    token_bucket_init(&thing->messages, capacity, rate.interval_us, now_ms);
}

int thing_new(struct thing **ret_thing, const struct thing_options *options)
{
    if (!options->name || !topic_is_thing_name(options->name) || !are_usable(options))
        return -EINVAL;
    struct thing *thing = calloc(1, sizeof(*thing));
    if (!thing)
        return -ENOMEM;
    memcpy(thing->name, options->name, strlen(options->name) + 1);
    thing->connection.options = *options;
    thing->connection.options.name = thing->name;
    thing->connection.instance_id = options->instance_id;
    random_init(&thing->connection.random, options->random_seed);
    init_messages(thing, 0);
    int r = shadow_new(&thing->classic, &thing->connection, thing->name, "", 0);
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
    (void)shadow_free(thing->classic);
    free(thing);
    return NULL;
}

int thing_set_options(struct thing *thing, const struct thing_options *options, int64_t now_ms)
{
    if (!are_usable(options))
        return -EINVAL;
    struct thing_options *kept = &thing->connection.options;
    struct thing_options taken = *options;
    taken.name = thing->name;
    taken.instance_id = kept->instance_id;
    taken.random_seed = kept->random_seed;
    taken.durable = kept->durable;
    *kept = taken;
    init_messages(thing, now_ms);
    pacing_set_options(&thing->classic->pacing, kept, now_ms);
    thing->classic->size.known = false;
    return 0;
}

int thing_open_shadow(struct thing *thing, const char *thing_name, const char *shadow_name,
                      struct shadow **ret_shadow)
{
    bool is_own = !thing_name || !*thing_name || strcmp(thing_name, thing->name) == 0;
    bool is_classic = !shadow_name || !*shadow_name;
    if (!is_own && !topic_is_thing_name(thing_name))
        return -EINVAL;
    if (!is_classic && !topic_is_shadow_name(shadow_name))
        return -EINVAL;
    if (!is_own || !is_classic)
        return -EOPNOTSUPP;
    *ret_shadow = thing->classic;
    return 0;
}

/* --- events of the link --- */

static void note_life(struct thing *thing, int64_t now_ms)
{
    thing->connection.last_alive_ms = now_ms;
    thing->connection.unanswered = 0;
}

void thing_link_up(struct thing *thing, int64_t now_ms)
{
    thing->link_up = true;
    note_life(thing, now_ms);
    shadow_link_up(thing->classic, now_ms);
}

void thing_link_down(struct thing *thing, int64_t now_ms)
{
    thing->link_up = false;
    thing->connection.unanswered = 0;
    shadow_link_down(thing->classic, now_ms);
}

static struct shadow *find_request(struct thing *thing, uint32_t request_id)
{
    struct shadow *shadow = thing->classic;
    return shadow->request_id == request_id ? shadow : NULL;
}

void thing_subscribed(struct thing *thing, uint32_t request_id, const int *codes, size_t count,
                      int64_t now_ms)
{
    if (codes)
        note_life(thing, now_ms);
    struct shadow *shadow = find_request(thing, request_id);
    if (shadow)
        shadow_subscribed(shadow, codes, count, now_ms);
}

void thing_published(struct thing *thing, uint32_t request_id, int code, int64_t now_ms)
{
    if (code >= 0)
        note_life(thing, now_ms);
    struct shadow *shadow = find_request(thing, request_id);
    bool failed = code < 0 || code >= 0x80;
    if (shadow && failed)
        shadow_publish_failed(shadow, code, now_ms);
}

void thing_receive(struct thing *thing, const char *topic, const void *payload, size_t size,
                   int64_t now_ms)
{
    struct topic parsed;
    note_life(thing, now_ms);
    thing->status.messages_in++;
    thing->status.bytes_in += strlen(topic) + size;
    bool is_ours = topic_parse(topic, &parsed) && strcmp(parsed.thing, thing->name) == 0 &&
                   parsed.shadow[0] == '\0';
    if (!is_ours) {
        thing->status.unknown_messages++;
        return;
    }
    shadow_receive(thing->classic, parsed.kind, payload, size, now_ms);
}

/* --- what to send --- */

static unsigned messages_needed(const struct shadow *shadow)
{
    return shadow->view.state == SHADOW_VIEW_PROVEN ? UPDATE_MESSAGES : GET_MESSAGES;
}

static void charge(struct thing *thing, const struct thing_request *request, int64_t now_ms)
{
    thing->status.messages_out++;
    if (request->kind == THING_SUBSCRIBE)
        return;
    thing->status.operations++;
    thing->status.bytes_out += strlen(request->topic) + request->payload_size;
    (void)token_bucket_take(&thing->messages, messages_needed(thing->classic), now_ms);
}

static int64_t budget_ms(struct thing *thing, int64_t now_ms)
{
    return token_bucket_next_ms(&thing->messages, UPDATE_MESSAGES, now_ms);
}

int thing_next_request(struct thing *thing, int64_t now_ms, struct thing_request *ret_request)
{
    struct shadow *shadow = thing->classic;
    struct thing_request request = {0};
    shadow_tick(shadow, now_ms);
    if (!thing->link_up || budget_ms(thing, now_ms) > now_ms)
        return 0;
    int r = shadow_next_request(shadow, now_ms, &request);
    if (r == 0 && shadow_request_ms(shadow, now_ms) <= now_ms)
        r = shadow_next_request(shadow, now_ms, &request); /* nothing to update: then a get */
    if (r <= 0)
        return r;
    request.id = ++thing->request_count;
    shadow->request_id = request.id;
    charge(thing, &request, now_ms);
    *ret_request = request;
    return 1;
}

int64_t thing_deadline(struct thing *thing, int64_t now_ms)
{
    struct shadow *shadow = thing->classic;
    int64_t deadline = shadow_deadline(shadow, now_ms);
    bool is_request = deadline == shadow_request_ms(shadow, now_ms);
    int64_t budget = budget_ms(thing, now_ms);
    return is_request && thing->link_up && budget > deadline ? budget : deadline;
}

bool thing_doubts_link(const struct thing *thing)
{
    return thing->link_up && thing->connection.unanswered >= UNANSWERED_MAX;
}

bool thing_is_settled(const struct thing *thing)
{
    return shadow_is_settled(thing->classic);
}

uint64_t thing_outcome_count(const struct thing *thing)
{
    /* Both only rise. */
    return thing->classic->ledger.fate_serial + thing->classic->stored_revision;
}

void thing_flush(struct thing *thing, int64_t now_ms)
{
    shadow_flush(thing->classic, now_ms);
}

bool thing_wants_commit(const struct thing *thing)
{
    const struct shadow *shadow = thing->classic;
    return thing->connection.options.durable && shadow->ledger.pending.count > 0 &&
           shadow->stored_revision < shadow->ledger.newest_revision;
}

bool thing_next_notice(struct thing *thing, struct thing_notice *ret_notice)
{
    return notices_next(&thing->connection.notices, ret_notice);
}

void thing_get_status(const struct thing *thing, struct thing_status *ret_status)
{
    *ret_status = thing->status;
    ret_status->subscribed = thing->classic->link == SHADOW_ONLINE;
}
