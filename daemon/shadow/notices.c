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
    case THING_NOTICE_BAD_ANSWER:
        return "answer not understood";
    }
    return "unknown";
}

static struct thing_notice *find_same(struct notices *notices, const struct thing_notice *notice,
                                      bool any_path)
{
    for (size_t i = 0; i < notices->count; i++) {
        struct thing_notice *other = &notices->ring[(notices->first + i) % NOTICES_MAX];
        if (other->kind == notice->kind && other->shadow_name == notice->shadow_name &&
            (any_path || strcmp(other->path, notice->path) == 0))
            return other;
    }
    return NULL;
}

void notices_add(struct notices *notices, enum thing_notice_kind kind, const char *shadow_name,
                 const char *path, int code, int64_t delay_ms, const char *text)
{
    struct thing_notice notice = {
        .kind = kind, .shadow_name = shadow_name, .code = code, .delay_ms = delay_ms};
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
