#include "daemon/base/log_limited.h"
#include "daemon/daemon_private.h"
#include "daemon/log_kinds.h"
#include "daemon/message_ids.h"
#include <stdio.h>
#include <string.h>

/* So many alike are told within ten minutes, then they are counted. */
#define ALIKE_TOLD 3

_Static_assert(LOG_KIND_NOTICE + THING_NOTICE_CROWDED < LOG_LIMIT_KINDS, "a share of the log each");

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

/* What operators search for; each has its entry in systemd/fluxaws.catalog. */
static const char *notice_message_id(enum thing_notice_kind kind)
{
    switch (kind) {
    case THING_NOTICE_REFUSED:
        return MESSAGE_PROPERTY_REFUSED;
    case THING_NOTICE_FOREIGN:
        return MESSAGE_FOREIGN_CHANGE;
    case THING_NOTICE_FILTER_REFUSED:
        return MESSAGE_FILTER_REFUSED;
    case THING_NOTICE_BUDGET:
        return MESSAGE_BUDGET;
    case THING_NOTICE_QUARANTINED:
        return MESSAGE_QUARANTINED;
    case THING_NOTICE_RELEASED:
        return MESSAGE_RELEASED;
    case THING_NOTICE_BACKOFF:
        return MESSAGE_BACKOFF;
    case THING_NOTICE_UNREADABLE:
        return MESSAGE_UNREADABLE;
    case THING_NOTICE_READABLE:
        return MESSAGE_READABLE;
    case THING_NOTICE_BAD_ANSWER:
        return MESSAGE_BAD_ANSWER;
    case THING_NOTICE_DELETED:
        return MESSAGE_SHADOW_DELETED;
    case THING_NOTICE_GONE:
        return MESSAGE_PROGRAM_GONE;
    case THING_NOTICE_CROWDED:
        return MESSAGE_CROWDED;
    case THING_NOTICE_RIVALRY:
        return MESSAGE_RIVALS;
    case THING_NOTICE_SUBSCRIBED:
    case THING_NOTICE_TIMEOUT:
        break;
    }
    return NULL;
}

/* Tell whether it is about one property: then the line says which, also where it is the root. */
static bool is_of_property(enum thing_notice_kind kind)
{
    return kind == THING_NOTICE_REFUSED || kind == THING_NOTICE_FOREIGN ||
           kind == THING_NOTICE_RIVALRY;
}

/* Tell whether it comes of an answer by its code: then the line has one. */
static bool is_of_code(enum thing_notice_kind kind)
{
    return kind == THING_NOTICE_REFUSED || kind == THING_NOTICE_BACKOFF;
}

/* Whose it is, for people: "shadow", "shadow config", "shadow config of lamp-17". */
static void describe_shadow(const struct daemon *daemon, const struct thing_notice *notice,
                            char *ret_text, size_t size)
{
    const bool is_own =
        !notice->thing_name[0] || strcmp(notice->thing_name, daemon->thing_name) == 0;
    (void)snprintf(ret_text, size, "shadow%s%s%s%s", notice->shadow_name[0] ? " " : "",
                   notice->shadow_name, is_own ? "" : " of ", is_own ? "" : notice->thing_name);
}

/* Alike are notices of a kind about the same property of the same shadow, with the same code. */
static uint64_t notice_key(const struct thing_notice *notice)
{
    uint64_t hash = log_limit_mix((uint64_t)(unsigned)notice->code, notice->thing_name);
    hash = log_limit_mix(hash, notice->shadow_name);
    return log_limit_mix(hash, notice->path);
}

static void log_notice_line(struct daemon *daemon, const struct thing_notice *notice,
                            int64_t now_ms)
{
    char code[16], text[1024], delay[48] = "", repeated[48] = "";
    const bool has_path = notice->path[0] != '\0';
    (void)snprintf(code, sizeof(code), "%d", notice->code);
    if (notice->delay_ms > 0)
        (void)snprintf(delay, sizeof(delay), ", waiting %lld ms", (long long)notice->delay_ms);
    if (notice->repeated > 0)
        (void)snprintf(repeated, sizeof(repeated), " (and %llu more)",
                       (unsigned long long)notice->repeated);
    (void)snprintf(text, sizeof(text), "%s%s%s%s%s%s%s%s", notice->code ? " " : "",
                   notice->code ? code : "", has_path ? " " : "", notice->path,
                   notice->text[0] ? ": " : "", notice->text, delay,
                   thing_notice_hint(notice->kind, notice->code));

    struct log_field fields[6];
    size_t count = 0;
    fields[count++] = (struct log_field){"THING", notice->thing_name[0] ? notice->thing_name
                                                                        : daemon->thing_name};
    fields[count++] = (struct log_field){"SHADOW", notice->shadow_name};
    if (has_path || is_of_property(notice->kind))
        fields[count++] = (struct log_field){"PROPERTY", notice->path};
    if (notice->code || is_of_code(notice->kind))
        fields[count++] = (struct log_field){"CODE", code};
    if (notice_message_id(notice->kind))
        fields[count++] = (struct log_field){"MESSAGE_ID", notice_message_id(notice->kind)};
    char whose[FLUX_THING_NAME_MAX + FLUX_SHADOW_NAME_MAX + 16];
    describe_shadow(daemon, notice, whose, sizeof(whose));
    const struct log_line line = {
        .kind = LOG_KIND_NOTICE + notice->kind,
        .key = notice_key(notice),
        .burst = ALIKE_TOLD,
        .level = notice_level(notice->kind),
        .fields = fields,
        .field_count = count,
    };
    log_limited(&daemon->log, &line, now_ms, "%s: %s%s%s", whose, thing_notice_name(notice->kind),
                text, repeated);
}

static void log_dismissal(struct daemon *daemon, const struct dismissal *dismissal, int64_t now_ms)
{
    char pid[16], uid[16], repeated[48] = "";
    (void)snprintf(pid, sizeof(pid), "%ld", (long)dismissal->pid);
    (void)snprintf(uid, sizeof(uid), "%lu", (unsigned long)dismissal->uid);
    if (dismissal->repeated > 0)
        (void)snprintf(repeated, sizeof(repeated), " (and %llu more)",
                       (unsigned long long)dismissal->repeated);
    const char *name = dismissal->name[0] ? dismissal->name : "a program";
    const struct log_field fields[] = {
        {"MESSAGE_ID", MESSAGE_CLIENT_DISMISSED},
        {"THING", daemon->thing_name},
        {"CLIENT", dismissal->name},
        {"CLIENT_PID", pid},
        {"CLIENT_UID", uid},
        {"CLIENT_UNIT", dismissal->unit},
    };
    /* Names are the program's own choice: a hostile one shall not seem to be many. */
    const struct log_line line = {
        .kind = LOG_KIND_CLIENT,
        .key = (uint64_t)dismissal->uid << 8 | (unsigned)dismissal->code,
        .burst = ALIKE_TOLD,
        .level = LOG_WARNING,
        .fields = fields,
        .field_count = sizeof(fields) / sizeof(*fields),
    };
    log_limited(&daemon->log, &line, now_ms, "%s (pid %s, uid %s) was cut off: %s%s", name, pid,
                uid, dismissal->text, repeated);
}

void daemon_log_notices(struct daemon *daemon, int64_t now_ms)
{
    struct thing_notice notice;
    while (thing_next_notice(daemon->thing, &notice))
        log_notice_line(daemon, &notice, now_ms);
    struct dismissal dismissal;
    while (dismissals_next(&daemon->host.dismissals, &dismissal))
        log_dismissal(daemon, &dismissal, now_ms);
}
