#include "daemon/base/log.h"
#include "daemon/daemon_private.h"
#include "daemon/message_ids.h"
#include <stdio.h>

static int notice_level(enum thing_notice_kind kind)
{
    switch (kind) {
    case THING_NOTICE_SUBSCRIBED:
    case THING_NOTICE_READABLE:
    case THING_NOTICE_FOREIGN:
    case THING_NOTICE_GONE:
    case THING_NOTICE_DELETED:
    case THING_NOTICE_RELEASED:
        return LOG_INFO;
    case THING_NOTICE_TIMEOUT:
        return LOG_DEBUG; /* settled by a get; a link that answers nothing is told as lost */
    case THING_NOTICE_FILTER_REFUSED:
    case THING_NOTICE_REFUSED:
    case THING_NOTICE_RIVALRY:
    case THING_NOTICE_UNREADABLE:
    case THING_NOTICE_BACKOFF:
    case THING_NOTICE_BAD_ANSWER:
    case THING_NOTICE_BUDGET:
    case THING_NOTICE_QUARANTINED:
    case THING_NOTICE_CROWDED:
        break;
    }
    return LOG_WARNING;
}

static const char *notice_message_id(enum thing_notice_kind kind)
{
    if (kind == THING_NOTICE_REFUSED)
        return MESSAGE_PROPERTY_REFUSED;
    return kind == THING_NOTICE_FOREIGN ? MESSAGE_FOREIGN_CHANGE : NULL;
}

static void log_notice_line(const struct daemon *daemon, const struct thing_notice *notice)
{
    char code[16], text[1024], delay[48] = "", repeated[48] = "";
    const bool has_path = notice->path[0] != '\0';
    (void)snprintf(code, sizeof(code), "%d", notice->code);
    if (notice->delay_ms > 0)
        (void)snprintf(delay, sizeof(delay), ", waiting %lld ms", (long long)notice->delay_ms);
    if (notice->repeated > 0)
        (void)snprintf(repeated, sizeof(repeated), " (and %llu more)",
                       (unsigned long long)notice->repeated);
    const char *hint = notice->kind == THING_NOTICE_FILTER_REFUSED
                           ? "; does the certificate's policy allow it to this thing?"
                           : "";
    (void)snprintf(text, sizeof(text), "%s%s%s%s%s%s%s%s", notice->code ? " " : "",
                   notice->code ? code : "", has_path ? " " : "", notice->path,
                   notice->text[0] ? ": " : "", notice->text, delay, hint);

    struct log_field fields[6];
    size_t count = 0;
    fields[count++] = (struct log_field){"THING", notice->thing_name[0] ? notice->thing_name
                                                                        : daemon->thing_name};
    fields[count++] = (struct log_field){"SHADOW", notice->shadow_name};
    if (has_path)
        fields[count++] = (struct log_field){"PROPERTY", notice->path};
    if (notice->code)
        fields[count++] = (struct log_field){"CODE", code};
    if (notice_message_id(notice->kind))
        fields[count++] = (struct log_field){"MESSAGE_ID", notice_message_id(notice->kind)};
    log_event(notice_level(notice->kind), fields, count, "shadow%s%s: %s%s%s",
              *notice->shadow_name ? " " : "", notice->shadow_name, thing_notice_name(notice->kind),
              text, repeated);
}

void daemon_log_notices(struct daemon *daemon)
{
    struct thing_notice notice;
    while (thing_next_notice(daemon->thing, &notice))
        log_notice_line(daemon, &notice);
}
