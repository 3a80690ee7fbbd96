#include "daemon/link_log.h"

#include "daemon/base/log_limited.h"
#include "daemon/log_kinds.h"
#include "daemon/message_ids.h"
#include <stdio.h>

/* Four times up and down within ten minutes are told one by one. */
#define CHANGES_TOLD 8
#define FIELDS       5u

/* The fields of every line about the link. Returns their number. */
static size_t fill_fields(const struct link_change *change, const char *message_id,
                          char ret_code[static 16], struct log_field ret_fields[static FIELDS])
{
    size_t count = 0;
    ret_fields[count++] = (struct log_field){"MESSAGE_ID", message_id};
    ret_fields[count++] = (struct log_field){"ENDPOINT", change->endpoint};
    ret_fields[count++] = (struct log_field){"THING", change->thing_name};
    ret_fields[count++] = (struct log_field){"LINK_STATE", link_state_name(change->after)};
    (void)snprintf(ret_code, 16, "%d", change->code);
    if (change->code > 0 && change->after != LINK_UP)
        ret_fields[count++] = (struct log_field){"CODE", ret_code};
    return count;
}

/* Changes of state are alike among themselves: where they are too many, the newest is told. */
static struct log_line state_line(int level, const struct log_field *fields, size_t field_count)
{
    return (struct log_line){.kind = LOG_KIND_LINK,
                             .burst = CHANGES_TOLD,
                             .level = level,
                             .fields = fields,
                             .field_count = field_count};
}

static void tell_up(struct log_limit *limit, const struct link_change *change, int64_t now_ms)
{
    char code[16];
    struct log_field fields[FIELDS];
    const size_t count = fill_fields(change, MESSAGE_LINK_UP, code, fields);
    const struct log_line line = state_line(LOG_INFO, fields, count);
    const uint64_t counted = log_limit_forget(limit, LOG_KIND_LINK_FAILED);
    char failed[64] = "";
    if (counted > 0)
        (void)snprintf(failed, sizeof(failed), " (%llu more attempts had failed)",
                       (unsigned long long)counted);
    log_limited(limit, &line, now_ms, "connected to %s:%s%s%s as %s%s", change->endpoint,
                change->port, *change->proxy ? " through the proxy " : "", change->proxy,
                change->client_id, failed);
}

static void tell_hung_up(struct log_limit *limit, const struct link_change *change, int64_t now_ms)
{
    char code[16];
    struct log_field fields[FIELDS];
    const size_t count = fill_fields(change, MESSAGE_LINK_DOWN, code, fields);
    const struct log_line line = state_line(LOG_INFO, fields, count);
    log_limited(limit, &line, now_ms, "hanging up: %s", change->reason);
}

/* "; next attempt in 12.3 s" */
static void write_wait(int64_t wait_ms, char ret_text[static 48])
{
    ret_text[0] = '\0';
    if (wait_ms != INT64_MAX)
        (void)snprintf(ret_text, 48, "; next attempt in %lld.%lld s", (long long)(wait_ms / 1000),
                       (long long)(wait_ms % 1000 / 100));
}

static void tell_network(struct log_limit *limit, const struct link_change *change, int64_t now_ms)
{
    char code[16], wait[48];
    struct log_field fields[FIELDS];
    const bool is_gone = change->after == LINK_WAITING_NETWORK;
    const size_t count = fill_fields(change, MESSAGE_NO_NETWORK, code, fields);
    const struct log_line line = state_line(LOG_INFO, fields, count);
    write_wait(change->wait_ms, wait);
    if (is_gone)
        log_limited(limit, &line, now_ms, "no route leads to %s%s: waiting for a network",
                    *change->proxy ? "the proxy " : "",
                    *change->proxy ? change->proxy : change->endpoint);
    else
        log_limited(limit, &line, now_ms, "the network is there%s", wait);
}

static void tell_lost(struct log_limit *limit, const struct link_change *change, int64_t now_ms)
{
    char code[16], wait[48];
    struct log_field fields[FIELDS];
    const size_t count = fill_fields(change, MESSAGE_LINK_DOWN, code, fields);
    const struct log_line line = state_line(LOG_WARNING, fields, count);
    write_wait(change->wait_ms, wait);
    log_limited(limit, &line, now_ms, "connection lost: %s%s", change->reason,
                change->after == LINK_WAITING_NETWORK ? "; waiting for a network" : wait);
}

/* Alike are attempts that fail for the same reason since the link was up last. */
static void tell_failed(struct log_limit *limit, const struct link_change *change, int64_t now_ms)
{
    const bool is_credentials = change->after == LINK_WAITING_CREDENTIALS;
    char code[16], wait[48];
    struct log_field fields[FIELDS];
    const size_t count =
        fill_fields(change, is_credentials ? MESSAGE_CREDENTIALS : MESSAGE_LINK_DOWN, code, fields);
    const struct log_line line = {
        .kind = LOG_KIND_LINK_FAILED,
        .key = log_limit_mix(is_credentials, change->reason),
        .burst = 1,
        .level = LOG_WARNING,
        .fields = fields,
        .field_count = count,
    };
    write_wait(change->wait_ms, wait);
    log_limited(limit, &line, now_ms, "%s: %s%s", is_credentials ? "cannot dial" : "cannot connect",
                change->reason, wait);
}

/* Tell whether this step means that something went wrong. */
static bool is_failure(const struct link_change *change)
{
    const enum link_input input = change->input;
    return input == LINK_INPUT_CONNECT_FAILED || input == LINK_INPUT_LOST ||
           input == LINK_INPUT_STALLED || input == LINK_INPUT_CREDENTIALS_BAD ||
           (input == LINK_INPUT_DUE && change->before == LINK_CONNECTING);
}

void link_log_change(struct log_limit *limit, const struct link_change *change, int64_t now_ms)
{
    const bool was_up = change->before == LINK_UP;
    if (change->after != change->before)
        log_debug("link: %s -> %s", link_state_name(change->before),
                  link_state_name(change->after));
    if (change->after == LINK_UP && !was_up)
        tell_up(limit, change, now_ms);
    else if (is_failure(change) && change->after != LINK_OFF && was_up)
        tell_lost(limit, change, now_ms);
    else if (is_failure(change) && change->after != LINK_OFF)
        tell_failed(limit, change, now_ms);
    else if (was_up && change->after != LINK_UP)
        tell_hung_up(limit, change, now_ms);
    else if (change->after != change->before &&
             (change->after == LINK_WAITING_NETWORK ||
              (change->before == LINK_WAITING_NETWORK && change->after == LINK_BACKOFF)))
        tell_network(limit, change, now_ms);
}

void link_log_doubt(const char *thing_name, enum link_state state, const char *text)
{
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_CLOCK_DOUBT},
                                       {"THING", thing_name},
                                       {"LINK_STATE", link_state_name(state)}};
    log_event(LOG_WARNING, fields, 3,
              "%s; dialling nevertheless, for the device's clock may be wrong", text);
}
