/* The cloud's view of one shadow as this device knows it: `reported` in the ledger's slots,
 * `desired` beside it, and the version they belong to. Puts messages in version order; decides
 * nothing about what to send. */
#ifndef FLUXAWS_SHADOW_VIEW_H
#define FLUXAWS_SHADOW_VIEW_H

#include "daemon/shadow/cloud_message.h"
#include "daemon/shadow/desired.h"
#include "daemon/shadow/ledger.h"
#include "daemon/shadow/shadow.h"

/* Messages that arrived before the one they build on; beyond it a get settles the matter anyway. */
#define VIEW_EARLY_MAX 16u
/* How long a missing version is waited for before a get. */
#define VIEW_GAP_MS 500

struct view {
    enum shadow_view_state state;
    int64_t version;     /* -1: there is no shadow, or none is known */
    bool held;           /* version and contents were proved once, maybe by an earlier connection */
    bool from_disk;      /* held from an earlier run of the daemon; not proved since */
    uint64_t generation; /* counts changes of the version */
    struct desired desired;
    size_t desired_bytes; /* compact JSON of desired, 0: absent */
    struct cloud_message early[VIEW_EARLY_MAX];
    size_t early_count;
    int64_t seen_version;  /* highest version any message told of on this connection */
    int64_t asked_version; /* seen_version when the get on its way was sent: at least that its
                              answer tells, or the shadow has been deleted and made anew since */
    int64_t gap_until_ms;  /* while in SHADOW_VIEW_GAP */
};

int view_init(struct view *view, uint64_t hash_seed);
void view_clear(struct view *view);

/* The link is gone: nothing is proven any more; contents and version stay as held. */
void view_unprove(struct view *view);

/* Take a whole document (the answer to a get) as the truth; early messages up to its version, or
 * from before the get was sent, are dropped. Returns 0, -ENOMEM or -E2BIG (too many keys to hold)
 * with the view unreadable. */
int view_replace(struct view *view, struct ledger *ledger, const struct cloud_message *message,
                 int64_t now_ms);

/* There is no such shadow (404, or it was deleted): all is absent, and that is proven. */
void view_empty(struct view *view, struct ledger *ledger);

/* Merge the sections of an accepted update, as the service does, and take its version. */
int view_merge(struct view *view, struct ledger *ledger, const struct cloud_message *message,
               int64_t now_ms);

/* Merge what an update of ours carried that was accepted just now, before what the answer says. */
int view_merge_own(struct view *view, struct ledger *ledger, const struct cloud_message *message,
                   int64_t now_ms);

/* Keep a message for later; it is taken over (cleared in `message`). The view is in a gap then if
 * it was proven. */
void view_keep_early(struct view *view, struct cloud_message *message, int64_t now_ms);

/* The version that follows the one held: 1 where there is no shadow. */
int64_t view_next_version(const struct view *view);

/* Take the early message that comes next after the version held. Returns false where it is not
 * there. */
bool view_next_early(struct view *view, struct cloud_message *ret_message);

/* Merge one `reported` object into the slots; `from_get`: nulls count as absent. */
int view_merge_reported(struct ledger *ledger, const json_t *object, bool from_get);

#endif
