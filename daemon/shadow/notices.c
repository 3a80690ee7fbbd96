#include "daemon/shadow/notices.h"

#include <stdio.h>
#include <string.h>

const char *thing_notice_name(enum thing_notice_kind kind)
{
    switch (kind) {
    case THING_NOTICE_SUBSCRIBED:
        return "subscribed";
    case THING_NOTICE_FILTER_REFUSED:
        return "subscription refused, code";
    case THING_NOTICE_REFUSED:
        return "property refused";
    case THING_NOTICE_FOREIGN:
        return "changed by another writer";
    case THING_NOTICE_UNREADABLE:
        return "document unreadable";
    case THING_NOTICE_READABLE:
        return "document readable again";
    case THING_NOTICE_BACKOFF:
        return "backing off";
    case THING_NOTICE_DELETED:
        return "shadow deleted";
    case THING_NOTICE_TIMEOUT:
        return "no answer";
    case THING_NOTICE_RIVALRY:
        return "reported by several programs";
    case THING_NOTICE_GONE:
        return "a program is gone";
    case THING_NOTICE_BAD_ANSWER:
        return "answer not understood";
    case THING_NOTICE_BUDGET:
        return "daily operations";
    case THING_NOTICE_QUARANTINED:
        return "quarantined";
    case THING_NOTICE_RELEASED:
        return "released from quarantine";
    case THING_NOTICE_CROWDED:
        return "no subscription left";
    }
    return "unknown";
}

/* The codes of a SUBACK. MQTT 3.1.1 has only one, whatever the reason. */
const char *thing_notice_hint(enum thing_notice_kind kind, int code)
{
    if (kind != THING_NOTICE_FILTER_REFUSED)
        return "";
    switch (code) {
    case 0x80:
        return "; no reason is given (MQTT 3.1.1 has none): the certificate's policy may not allow "
               "it to this thing, or the service is unavailable; it is tried again";
    case 0x87:
        return "; does the certificate's policy allow it to this thing?";
    case 0x97:
        return "; too many at once; it is tried again";
    default:
        return "; it is tried again";
    }
}

static struct thing_notice *find_same(struct notices *notices, const struct thing_notice *notice,
                                      bool any_path)
{
    for (size_t i = 0; i < notices->count; i++) {
        struct thing_notice *other = &notices->ring[(notices->first + i) % NOTICES_MAX];
        if (other->kind == notice->kind && strcmp(other->shadow_name, notice->shadow_name) == 0 &&
            strcmp(other->thing_name, notice->thing_name) == 0 &&
            (any_path || strcmp(other->path, notice->path) == 0))
            return other;
    }
    return NULL;
}

void notices_add(struct notices *notices, enum thing_notice_kind kind, const char *thing_name,
                 const char *shadow_name, const char *path, int code, int64_t delay_ms,
                 const char *text)
{
    struct thing_notice notice = {.kind = kind, .code = code, .delay_ms = delay_ms};
    (void)snprintf(notice.thing_name, sizeof(notice.thing_name), "%s", thing_name);
    (void)snprintf(notice.shadow_name, sizeof(notice.shadow_name), "%s", shadow_name);
    (void)snprintf(notice.path, sizeof(notice.path), "%s", path ? path : "");
    (void)snprintf(notice.text, sizeof(notice.text), "%s", text ? text : "");

    bool full = notices->count == NOTICES_MAX;
    struct thing_notice *same = find_same(notices, &notice, full);
    if (same) {
        same->repeated++;
        return;
    }
    if (full) { /* no room for a new kind: the newest makes way */
        notices->ring[(notices->first + notices->count - 1) % NOTICES_MAX] = notice;
        return;
    }
    notices->ring[(notices->first + notices->count++) % NOTICES_MAX] = notice;
}

bool notices_next(struct notices *notices, struct thing_notice *ret_notice)
{
    if (notices->count == 0)
        return false;
    *ret_notice = notices->ring[notices->first];
    notices->first = (notices->first + 1) % NOTICES_MAX;
    notices->count--;
    return true;
}
