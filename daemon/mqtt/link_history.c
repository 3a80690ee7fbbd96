#include "daemon/mqtt/link_history.h"

#include <stdbool.h>
#include <string.h>

static bool is_paused(enum link_state state)
{
    return state == LINK_PAUSED || state == LINK_PAUSING;
}

/* What ended an attempt, or kept one from being made. */
static enum link_event failed_event(enum link_state before, enum link_input input)
{
    if (input == LINK_INPUT_CREDENTIALS_BAD)
        return before == LINK_CONNECTING || before == LINK_WAITING_CREDENTIALS
                   ? LINK_EVENT_CREDENTIALS
                   : LINK_EVENT_NONE;
    const bool is_failure =
        input == LINK_INPUT_CONNECT_FAILED || input == LINK_INPUT_LOST || input == LINK_INPUT_DUE;
    return before == LINK_CONNECTING && is_failure ? LINK_EVENT_DIAL_FAILED : LINK_EVENT_NONE;
}

enum link_event link_history_event(enum link_state before, const struct link_machine *after,
                                   enum link_input input, enum link_network network_before)
{
    const enum link_state state = after->state;
    if (after->network != network_before)
        return after->network == LINK_NETWORK_GONE ? LINK_EVENT_NETWORK_GONE
                                                   : LINK_EVENT_NETWORK_FOUND;
    if (is_paused(state) != is_paused(before)) {
        if (is_paused(state))
            return LINK_EVENT_PAUSED;
        return input == LINK_INPUT_RESUME ? LINK_EVENT_RESUMED : LINK_EVENT_NONE;
    }
    if (state == LINK_UP && before != LINK_UP)
        return LINK_EVENT_UP;
    if (before == LINK_UP && state != LINK_UP)
        return input == LINK_INPUT_LOST || input == LINK_INPUT_STALLED ? LINK_EVENT_LOST
                                                                       : LINK_EVENT_HUNG_UP;
    return failed_event(before, input);
}

static void copy_reason(char ret_text[static LINK_REASON_BYTES], const char *reason)
{
    static const char more[] = "...";
    size_t size = strlen(reason);
    if (size < LINK_REASON_BYTES) {
        memcpy(ret_text, reason, size + 1);
        return;
    }
    size = LINK_REASON_BYTES - sizeof(more);
    while (size > 0 && ((unsigned char)reason[size] & 0xc0) == 0x80)
        size--;
    memcpy(ret_text, reason, size);
    memcpy(ret_text + size, more, sizeof(more));
}

static bool can_repeat(enum link_event event)
{
    return event == LINK_EVENT_DIAL_FAILED || event == LINK_EVENT_CREDENTIALS;
}

void link_history_add(struct link_history *history, const struct link_history_entry *event,
                      const char *reason)
{
    struct link_history_entry entry = *event;
    entry.first_ms = entry.boot_ms;
    entry.repeats = 1;
    copy_reason(entry.reason, reason);
    history->event_count++;
    if (history->count > 0 && can_repeat(entry.event)) {
        struct link_history_entry *last =
            &history->entries[(history->first + history->count - 1) % LINK_HISTORY_MAX];
        if (last->event == entry.event && strcmp(last->reason, entry.reason) == 0) {
            entry.first_ms = last->first_ms;
            entry.repeats = last->repeats + 1;
            entry.duration_ms += last->duration_ms;
            entry.bytes_in += last->bytes_in;
            entry.bytes_out += last->bytes_out;
            *last = entry;
            return;
        }
    }
    if (history->count == LINK_HISTORY_MAX) {
        history->first = (history->first + 1) % LINK_HISTORY_MAX;
        history->count--;
    }
    history->entries[(history->first + history->count) % LINK_HISTORY_MAX] = entry;
    history->count++;
}

const struct link_history_entry *link_history_at(const struct link_history *history, size_t index)
{
    if (index >= history->count)
        return NULL;
    return &history->entries[(history->first + index) % LINK_HISTORY_MAX];
}

const char *link_event_name(enum link_event event)
{
    static const char *const names[LINK_EVENT_COUNT] = {
        [LINK_EVENT_NONE] = "none",
        [LINK_EVENT_UP] = "up",
        [LINK_EVENT_DIAL_FAILED] = "dial-failed",
        [LINK_EVENT_LOST] = "lost",
        [LINK_EVENT_HUNG_UP] = "hung-up",
        [LINK_EVENT_PAUSED] = "paused",
        [LINK_EVENT_RESUMED] = "resumed",
        [LINK_EVENT_CREDENTIALS] = "credentials",
        [LINK_EVENT_NETWORK_GONE] = "network-gone",
        [LINK_EVENT_NETWORK_FOUND] = "network-found",
    };
    return (unsigned)event < LINK_EVENT_COUNT ? names[event] : "unknown";
}
