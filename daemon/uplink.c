#include "daemon/uplink_private.h"

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/link_log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Events taken per turn, so that a flood of messages stalls no local client. */
#define EVENTS_PER_TURN 256
/* The reason code by which a broker would have refused it. */
#define MQTT_PACKET_TOO_LARGE 0x95

/* Say why the link is down. `failure`: as struct uplink_status has it. */
static void set_reason(struct uplink *uplink, int failure, bool was_up, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void set_reason(struct uplink *uplink, int failure, bool was_up, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(uplink->reason, sizeof(uplink->reason), format, arguments);
    va_end(arguments);
    uplink->failure = failure;
    uplink->was_up = was_up;
    uplink->is_past = false;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return hash * 31;
}

/* A number that changes when a connection made now would differ from the one before. */
static uint64_t connection_fingerprint(struct uplink *uplink)
{
    static const enum config_id ids[] = {CONFIG_ENDPOINT, CONFIG_PORT,           CONFIG_CLIENT_ID,
                                         CONFIG_PROTOCOL, CONFIG_KEEP_ALIVE_SEC, CONFIG_PROXY};
    credential_paths_find(&uplink->paths, uplink->config, uplink->directories.state,
                          uplink->directories.credentials);
    uint64_t hash = credential_paths_fingerprint(&uplink->paths);
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
        hash = mix_text(hash, config_text(uplink->config, ids[i]));
    return hash;
}

/* Of the endpoint, or of the proxy before it. Without memory for it a network is assumed. */
static void watch_network(struct uplink *uplink)
{
    const char *host = config_text(uplink->config, CONFIG_ENDPOINT);
    uint16_t port = (uint16_t)config_number(uplink->config, CONFIG_PORT);
    struct proxy_address proxy;
    uplink->proxy[0] = '\0';
    if (proxy_address_parse(config_text(uplink->config, CONFIG_PROXY), &proxy, NULL) == 0) {
        (void)snprintf(uplink->proxy, sizeof(uplink->proxy), "%s", proxy.shown);
        host = proxy.host;
        port = proxy.port;
    }
    if (*host)
        (void)mqtt_link_watch_network(uplink->link, host, port);
    explicit_bzero(&proxy, sizeof(proxy));
}

int uplink_new(struct uplink **ret_uplink, struct thing *thing, const char *thing_name,
               const struct config *config, const struct uplink_directories *directories,
               struct log_limit *log, uint64_t seed, int64_t now_ms)
{
    struct uplink *uplink = calloc(1, sizeof(*uplink));
    if (!uplink)
        return -ENOMEM;
    uplink->thing = thing;
    uplink->thing_name = thing_name;
    uplink->config = config;
    uplink->log = log;
    uplink->directories = *directories;
    uplink->since_ms = uplink->down_since_ms = uplink->network_ms = now_ms;
    uplink->credentials_state = CREDENTIALS_MISSING;
    link_machine_init(&uplink->machine, config_number(config, CONFIG_BACKOFF_MIN_MS),
                      config_number(config, CONFIG_BACKOFF_MAX_MS),
                      config_number(config, CONFIG_CONNECT_TIMEOUT_MS), seed, now_ms);
    uplink->fingerprint = connection_fingerprint(uplink);
    const int r = mqtt_link_new(&uplink->link);
    if (r < 0) {
        free(uplink);
        return r;
    }
    watch_network(uplink);
    *ret_uplink = uplink;
    return 0;
}

bool uplink_free(struct uplink *uplink)
{
    if (!uplink)
        return true;
    const bool is_whole = mqtt_link_free(uplink->link);
    free(uplink);
    return is_whole;
}

int uplink_event_fd(const struct uplink *uplink)
{
    return mqtt_link_event_fd(uplink->link);
}

static const char *client_id(const struct uplink *uplink)
{
    const char *id = config_text(uplink->config, CONFIG_CLIENT_ID);
    return *id ? id : uplink->thing_name;
}

/* Check the credentials, wherever they lie now, and dial. */
static void uplink_dial(struct uplink *uplink)
{
    const struct config *config = uplink->config;
    uplink->fingerprint = connection_fingerprint(uplink);
    const struct mqtt_link_config connection = {
        .host = config_text(config, CONFIG_ENDPOINT),
        .port = (uint16_t)config_number(config, CONFIG_PORT),
        .client_id = client_id(uplink),
        .protocol = config_number(config, CONFIG_PROTOCOL) == 0 ? 5 : 4,
        .keep_alive_sec = (int)config_number(config, CONFIG_KEEP_ALIVE_SEC),
        .connect_timeout_ms = config_number(config, CONFIG_CONNECT_TIMEOUT_MS),
        .proxy = config_text(config, CONFIG_PROXY),
        .credentials = credential_paths_borrow(&uplink->paths),
    };
    const int r = mqtt_link_connect(uplink->link, &connection);
    if (r < 0) /* the table's deadline for an attempt ends this one */
        set_reason(uplink, MQTT_LINK_FAILED, false, "cannot dial: %s", strerror(-r));
}

static void uplink_tell_change(struct uplink *uplink, enum link_state before, enum link_input input,
                               int64_t now_ms)
{
    const int64_t deadline_ms = link_machine_deadline(&uplink->machine);
    const bool is_ours =
        input == LINK_INPUT_RESTART || input == LINK_INPUT_PAUSE || input == LINK_INPUT_STOP;
    const struct link_change change = {
        .before = before,
        .after = uplink->machine.state,
        .input = input,
        .thing_name = uplink->thing_name,
        .client_id = client_id(uplink),
        .endpoint = config_text(uplink->config, CONFIG_ENDPOINT),
        .port = config_text(uplink->config, CONFIG_PORT),
        .proxy = uplink->proxy,
        .reason = is_ours ? uplink->why_hung_up : uplink->reason,
        .code = is_ours || uplink->is_past ? 0 : uplink->failure,
        .wait_ms = deadline_ms == INT64_MAX ? INT64_MAX : deadline_ms - now_ms,
    };
    link_log_change(uplink->log, &change, now_ms);
}

static void uplink_step(struct uplink *uplink, enum link_input input, int64_t now_ms)
{
    const struct uplink_step step = {.before = uplink->machine.state,
                                     .network_before = uplink->machine.network,
                                     .input = input,
                                     .before_ms = uplink->since_ms};
    const enum link_state before = step.before;
    const enum link_action action = link_machine_step(&uplink->machine, input, now_ms);
    const enum link_state after = uplink->machine.state;
    if (before == LINK_UP && after != LINK_UP)
        thing_link_down(uplink->thing, now_ms);
    if (before == LINK_CONNECTING && input == LINK_INPUT_DUE)
        set_reason(uplink, MQTT_LINK_FAILED_TIMEOUT, false, "no answer in time");

    switch (action) {
    case LINK_ACTION_NONE:
        break;
    case LINK_ACTION_CONNECT:
        clock_doubt_begin(&uplink->clock_doubt, clock_wall_sec(), now_ms);
        uplink_dial(uplink);
        break;
    case LINK_ACTION_DISCONNECT:
        (void)mqtt_link_disconnect(uplink->link);
        break;
    case LINK_ACTION_ABANDON:
        mqtt_link_abandon(uplink->link);
        break;
    }
    uplink_tell_change(uplink, before, input, now_ms);
    uplink_note(uplink, &step, now_ms);
    if (before == after)
        return;
    uplink->since_ms = now_ms;
    uplink->changes++;
    if (after == LINK_UP) {
        uplink->is_past = true;
        thing_link_up(uplink->thing, now_ms);
    }
}

void uplink_set_config(struct uplink *uplink, const struct config *config, int64_t now_ms)
{
    uplink->config = config;
    link_machine_set(&uplink->machine, config_number(config, CONFIG_BACKOFF_MIN_MS),
                     config_number(config, CONFIG_BACKOFF_MAX_MS),
                     config_number(config, CONFIG_CONNECT_TIMEOUT_MS));
    const uint64_t before = uplink->fingerprint;
    uplink->fingerprint = connection_fingerprint(uplink);
    if (uplink->fingerprint != before) {
        watch_network(uplink);
        uplink->is_past = true;
    }
    const enum link_state state = uplink->machine.state;
    const bool is_under_way = state == LINK_UP || state == LINK_CONNECTING;
    uplink->why_hung_up = "the settings have changed";
    if (uplink->fingerprint != before || !is_under_way)
        uplink_step(uplink, LINK_INPUT_RESTART, now_ms);
}

void uplink_start(struct uplink *uplink, int64_t now_ms)
{
    uplink_step(uplink, LINK_INPUT_START, now_ms);
}

void uplink_stop(struct uplink *uplink, int64_t now_ms)
{
    uplink->why_hung_up = "fluxawsd stops";
    uplink_step(uplink, LINK_INPUT_STOP, now_ms);
}

void uplink_pause(struct uplink *uplink, int64_t now_ms)
{
    uplink->why_hung_up = "an operator pauses the link";
    uplink_step(uplink, LINK_INPUT_PAUSE, now_ms);
}

void uplink_resume(struct uplink *uplink, int64_t now_ms)
{
    uplink_step(uplink, LINK_INPUT_RESUME, now_ms);
}

void uplink_reconnect(struct uplink *uplink, int64_t now_ms)
{
    uplink->why_hung_up = "an operator wants a new connection";
    if (uplink->machine.state == LINK_WAITING_NETWORK)
        watch_network(uplink); /* which begins with a look */
    uplink_step(uplink, LINK_INPUT_RESTART, now_ms);
}

static void uplink_take_credentials(struct uplink *uplink, const struct credentials *credentials,
                                    int64_t now_ms)
{
    const bool is_usable =
        credentials->state == CREDENTIALS_OK || credentials->state == CREDENTIALS_DOUBTFUL;
    if (credentials->state == CREDENTIALS_DOUBTFUL &&
        uplink->credentials_state != CREDENTIALS_DOUBTFUL)
        link_log_doubt(uplink->thing_name, uplink->machine.state, credentials->text);
    uplink->credentials_state = credentials->state;
    uplink->has_checked = true;
    uplink->not_after_sec = credentials->not_after_sec;
    if (!is_usable)
        set_reason(uplink, MQTT_LINK_FAILED, false, "%s", credentials->text);
    uplink_step(uplink, is_usable ? LINK_INPUT_CREDENTIALS_OK : LINK_INPUT_CREDENTIALS_BAD, now_ms);
}

/* A device without a battery for its clock begins in 1970, and is told the time later. */
static void uplink_judge_clock(struct uplink *uplink, int failure)
{
    const bool may_be_why = failure == MQTT_LINK_FAILED_SERVER_TIME ||
                            uplink->credentials_state == CREDENTIALS_DOUBTFUL;
    clock_doubt_judge(&uplink->clock_doubt, may_be_why);
}

static void uplink_take_event(struct uplink *uplink, const struct mqtt_link_event *event,
                              int64_t now_ms)
{
    struct thing *thing = uplink->thing;
    switch (event->kind) {
    case MQTT_LINK_CREDENTIALS:
        uplink_take_credentials(uplink, event->credentials, now_ms);
        return;
    case MQTT_LINK_CONNECTED:
        uplink_step(uplink, LINK_INPUT_CONNECTED, now_ms);
        return;
    case MQTT_LINK_CONNECT_FAILED:
    case MQTT_LINK_LOST:
        set_reason(uplink, event->code, event->kind == MQTT_LINK_LOST, "%s", event->text);
        uplink_judge_clock(uplink, event->code);
        uplink_step(uplink,
                    event->kind == MQTT_LINK_LOST ? LINK_INPUT_LOST : LINK_INPUT_CONNECT_FAILED,
                    now_ms);
        return;
    case MQTT_LINK_CLOSED:
        uplink_step(uplink, LINK_INPUT_CLOSED, now_ms);
        return;
    case MQTT_LINK_NETWORK_FOUND:
        uplink_step(uplink, LINK_INPUT_NETWORK_FOUND, now_ms);
        return;
    case MQTT_LINK_NETWORK_GONE:
        uplink_step(uplink, LINK_INPUT_NETWORK_GONE, now_ms);
        return;
    case MQTT_LINK_SUBSCRIBED:
        if (uplink->machine.state == LINK_UP)
            thing_subscribed(thing, event->request_id, event->code < 0 ? NULL : event->codes,
                             event->code_count, now_ms);
        return;
    case MQTT_LINK_UNSUBSCRIBED:
        if (uplink->machine.state == LINK_UP && event->code >= 0)
            thing_unsubscribed(thing, event->request_id, now_ms);
        return;
    case MQTT_LINK_PUBLISHED:
        if (uplink->machine.state == LINK_UP)
            thing_published(thing, event->request_id, event->code, now_ms);
        return;
    case MQTT_LINK_MESSAGE:
        log_debug("received %s (%zu bytes)", event->topic, event->size);
        if (uplink->machine.state == LINK_UP)
            thing_receive(thing, event->topic, event->payload, event->size, now_ms);
        return;
    }
}

void uplink_receive(struct uplink *uplink, int64_t now_ms)
{
    struct mqtt_link_event event;
    for (unsigned i = 0; i < EVENTS_PER_TURN && mqtt_link_next_event(uplink->link, &event); i++)
        uplink_take_event(uplink, &event, now_ms);
}

static void uplink_look_at_clock(struct uplink *uplink, int64_t now_ms)
{
    if (uplink->machine.state != LINK_BACKOFF ||
        !clock_doubt_look(&uplink->clock_doubt, clock_wall_sec(), now_ms))
        return;
    log_info("the clock was set; connecting without further delay");
    uplink_step(uplink, LINK_INPUT_CLOCK_SET, now_ms);
}

void uplink_check(struct uplink *uplink, int64_t now_ms)
{
    uplink_look_at_clock(uplink, now_ms);
    if (link_machine_deadline(&uplink->machine) <= now_ms)
        uplink_step(uplink, LINK_INPUT_DUE, now_ms);
    if (uplink->machine.state == LINK_UP && thing_doubts_link(uplink->thing)) {
        set_reason(uplink, MQTT_LINK_FAILED, true, "the service answers none of our requests");
        uplink_step(uplink, LINK_INPUT_STALLED, now_ms);
    }
}

static int uplink_pass(struct uplink *uplink, const struct thing_request *request)
{
    if (request->kind == THING_SUBSCRIBE) {
        log_debug("subscribing to %zu filters", request->filter_count);
        return mqtt_link_subscribe(uplink->link, request->id, request->filters, request->filter_qos,
                                   request->filter_count);
    }
    if (request->kind == THING_UNSUBSCRIBE) {
        log_debug("unsubscribing from %zu filters", request->filter_count);
        return mqtt_link_unsubscribe(uplink->link, request->id, request->filters,
                                     request->filter_count);
    }
    log_debug("publishing to %s (%zu bytes)", request->topic, request->payload_size);
    return mqtt_link_publish(uplink->link, request->id, request->topic, request->payload,
                             request->payload_size, request->qos);
}

void uplink_send(struct uplink *uplink, int64_t now_ms)
{
    struct thing_request request;
    while (uplink->machine.state == LINK_UP &&
           thing_next_request(uplink->thing, now_ms, &request) > 0) {
        const int r = uplink_pass(uplink, &request);
        if (r == 0)
            continue;
        if (r == -EINVAL && request.kind == THING_PUBLISH) { /* larger than the link ever takes */
            thing_published(uplink->thing, request.id, MQTT_PACKET_TOO_LARGE, now_ms);
            continue;
        }
        /* What was not taken would never be answered: begin again with a new connection. */
        set_reason(uplink, MQTT_LINK_FAILED, true, "cannot send: %s", strerror(-r));
        uplink_step(uplink, LINK_INPUT_STALLED, now_ms);
    }
}

int64_t uplink_deadline(const struct uplink *uplink)
{
    const int64_t deadline_ms = link_machine_deadline(&uplink->machine);
    if (uplink->machine.state != LINK_BACKOFF)
        return deadline_ms;
    const int64_t look_ms = clock_doubt_deadline(&uplink->clock_doubt);
    return look_ms < deadline_ms ? look_ms : deadline_ms;
}
