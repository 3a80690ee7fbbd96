#include "daemon/uplink_private.h"

#include "daemon/base/clock.h"
#include <stdio.h>

static const char *no_network(const struct uplink *uplink)
{
    return uplink->proxy[0] ? "no route leads to the proxy" : "no route leads to the endpoint";
}

/* How long that had lasted which the event ended. */
static int64_t event_duration(const struct uplink *uplink, const struct uplink_step *step,
                              enum link_event event, int64_t now_ms)
{
    switch (event) {
    case LINK_EVENT_LOST:
    case LINK_EVENT_HUNG_UP:
    case LINK_EVENT_RESUMED:
        return now_ms - step->before_ms;
    case LINK_EVENT_PAUSED:
        return now_ms - (step->before == LINK_UP ? step->before_ms : uplink->down_since_ms);
    case LINK_EVENT_UP:
        return now_ms - uplink->down_since_ms;
    case LINK_EVENT_DIAL_FAILED:
    case LINK_EVENT_CREDENTIALS:
        return now_ms - uplink->machine.dialled_ms;
    case LINK_EVENT_NETWORK_GONE:
    case LINK_EVENT_NETWORK_FOUND:
        return now_ms - uplink->network_ms;
    case LINK_EVENT_NONE:
    case LINK_EVENT_COUNT:
        break;
    }
    return 0;
}

static const char *event_reason(const struct uplink *uplink, enum link_event event)
{
    switch (event) {
    case LINK_EVENT_DIAL_FAILED:
    case LINK_EVENT_LOST:
    case LINK_EVENT_CREDENTIALS:
        return uplink->reason;
    case LINK_EVENT_HUNG_UP:
        return uplink->why_hung_up ? uplink->why_hung_up : "";
    case LINK_EVENT_PAUSED:
    case LINK_EVENT_RESUMED:
        return "by an operator";
    case LINK_EVENT_NETWORK_GONE:
        return no_network(uplink);
    case LINK_EVENT_UP:
    case LINK_EVENT_NETWORK_FOUND:
    case LINK_EVENT_NONE:
    case LINK_EVENT_COUNT:
        break;
    }
    return "";
}

void uplink_note(struct uplink *uplink, const struct uplink_step *step, int64_t now_ms)
{
    const enum link_event event =
        link_history_event(step->before, &uplink->machine, step->input, step->network_before);
    struct link_history_entry entry = {
        .event = event,
        .wall_sec = clock_wall_sec(),
        .boot_ms = now_ms,
        .duration_ms = event_duration(uplink, step, event, now_ms),
    };
    const bool has_ended = step->before == LINK_UP && uplink->machine.state != LINK_UP;
    if (has_ended) {
        uint64_t bytes_in, bytes_out;
        mqtt_link_traffic(uplink->link, &bytes_in, &bytes_out);
        entry.bytes_in = bytes_in - uplink->bytes_in;
        entry.bytes_out = bytes_out - uplink->bytes_out;
        uplink->bytes_in = bytes_in;
        uplink->bytes_out = bytes_out;
        uplink->down_since_ms = now_ms;
    }
    if (uplink->machine.network != step->network_before)
        uplink->network_ms = now_ms;
    if (event != LINK_EVENT_NONE)
        link_history_add(&uplink->history, &entry, event_reason(uplink, event));
}

const struct link_history *uplink_history(const struct uplink *uplink)
{
    return &uplink->history;
}

static const char *present_reason(const struct uplink *uplink)
{
    if (uplink->machine.state == LINK_WAITING_NETWORK)
        return no_network(uplink);
    if (uplink->machine.state == LINK_PAUSED || uplink->machine.state == LINK_PAUSING)
        return "paused by an operator";
    return uplink->is_past ? "" : uplink->reason;
}

uint64_t uplink_changes(const struct uplink *uplink)
{
    return uplink->changes;
}

void uplink_get_status(const struct uplink *uplink, struct uplink_status *ret_status)
{
    const enum link_state state = uplink->machine.state;
    uint64_t bytes_in, bytes_out;
    mqtt_link_traffic(uplink->link, &bytes_in, &bytes_out);
    const bool is_waiting = state == LINK_BACKOFF || state == LINK_WAITING_CREDENTIALS;
    *ret_status = (struct uplink_status){
        .state = state,
        .since_ms = uplink->since_ms,
        .next_try_ms = is_waiting ? link_machine_deadline(&uplink->machine) : INT64_MAX,
        .reason = present_reason(uplink),
        .proxy = uplink->proxy,
        .failure = uplink->failure,
        .was_up = uplink->was_up,
        .credentials = uplink->has_checked ? credentials_state_name(uplink->credentials_state) : "",
        .not_after_sec = uplink->not_after_sec,
        .attempts = uplink->machine.attempt_count,
        .connections = uplink->machine.connect_count,
        .changes = uplink->changes,
        .paused = state == LINK_PAUSING || state == LINK_PAUSED,
        .last_reason = uplink->reason,
        .bytes_in = bytes_in,
        .bytes_out = bytes_out,
    };
}

void uplink_describe(const struct uplink *uplink, int64_t now_ms, char *ret_text, size_t size)
{
    struct uplink_status status;
    uplink_get_status(uplink, &status);
    const char *host = config_text(uplink->config, CONFIG_ENDPOINT);
    if (status.state == LINK_UP)
        (void)snprintf(ret_text, size, "%s: connected to %s", uplink->thing_name, host);
    else if (status.next_try_ms != INT64_MAX)
        (void)snprintf(ret_text, size, "%s: %s, next attempt in %lld s%s%s", uplink->thing_name,
                       link_state_name(status.state),
                       (long long)((status.next_try_ms - now_ms + 999) / 1000),
                       *status.reason ? ": " : "", status.reason);
    else
        (void)snprintf(ret_text, size, "%s: %s%s%s", uplink->thing_name,
                       link_state_name(status.state), *status.reason ? ": " : "", status.reason);
}
