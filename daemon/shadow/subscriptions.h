/* Which answer topics one connection listens to: channels of six filters, a SUBSCRIBE each. A
 * classic shadow has a channel of its own, and so have the first two named shadows of a thing; from
 * the third on all of them share `name/+`. Where more channels are wanted than MaxSubscriptions
 * allow, they take turns. Knows names and turns, not what shadows do. Pure.
 *
 * Never more filters are in force than allowed: whatever may be subscribed counts, from the
 * SUBSCRIBE to the UNSUBACK. */
#ifndef FLUXAWS_SHADOW_SUBSCRIPTIONS_H
#define FLUXAWS_SHADOW_SUBSCRIPTIONS_H

#include "daemon/base/backoff.h"
#include "daemon/shadow/suspicion.h"
#include "daemon/shadow/topics.h"
#include <stdint.h>

#define CHANNEL_FILTERS ((unsigned)TOPIC_KIND_COUNT)
/* So many named shadows of one thing share a channel. */
#define CHANNEL_SHARED_FROM 3u
/* The shadow's name in the filters of a shared channel. */
#define CHANNEL_ALL_NAMES "+"
/* Pause after an essential filter was refused. */
#define CHANNEL_RETRY_MIN_MS 60000
#define CHANNEL_RETRY_MAX_MS 3600000
/* Who has waited so long for a turn is told of. */
#define CHANNEL_CROWDED_MS 60000

enum channel_state {
    CHANNEL_OFF,
    CHANNEL_SUBSCRIBING,   /* the SUBACK is awaited */
    CHANNEL_ON,            /* heard */
    CHANNEL_LEAVING,       /* to be unsubscribed */
    CHANNEL_UNSUBSCRIBING, /* the UNSUBACK is awaited */
    CHANNEL_REFUSED,       /* an essential filter was refused: off until retry_ms */
};
const char *channel_state_name(enum channel_state state);

struct listener;

struct channel {
    struct channel *next;
    char thing[FLUX_THING_NAME_MAX + 1];
    char shadow[FLUX_SHADOW_NAME_MAX + 1]; /* "": classic; CHANNEL_ALL_NAMES: every named one */
    struct listener *first;                /* whom it is for */
    unsigned listener_count;
    enum channel_state state;
    unsigned in_force;     /* filters that may be, as far as is known */
    unsigned was_in_force; /* SUBSCRIBING: before */
    uint32_t request_id;
    int64_t due_ms;     /* SUBSCRIBING, UNSUBSCRIBING: no answer by then */
    int64_t retry_ms;   /* refused: the next try, 0: the last one was not */
    int64_t useful_ms;  /* when it was last of use */
    int64_t waiting_ms; /* since when it waits for its turn, INT64_MAX: it does not */
    bool told;          /* that it waits */
    bool is_promised;   /* what it replaces has made way for it */
    struct backoff backoff;
    struct suspicion suspicion; /* does its SUBSCRIBE drop the link? */
};

/* A shadow, as the channels see it. Embedded in it; the caller keeps the facts true. */
struct listener {
    struct channel *own, *shared; /* shared: NULL for a classic shadow */
    struct listener *own_next, *shared_next;
    /* Facts, by subscriptions_tell(): */
    bool is_busy;    /* watched, or with work: may not go unheard */
    bool is_flying;  /* something is in flight or unsettled */
    int64_t want_ms; /* when it wants to be heard enough to push an idle one out; INT64_MAX: only
                        where there is room */
};

struct subscriptions {
    struct channel *first; /* owned */
    unsigned filters_max;
    int64_t timeout_ms; /* how long a SUBACK may take */
    bool changed;       /* look again */
    int64_t due_ms;     /* look again then */
    unsigned overdue;   /* SUBACKs and UNSUBACKs that have not come so far */
};

void subscriptions_init(struct subscriptions *subscriptions, unsigned filters_max,
                        int64_t timeout_ms);
void subscriptions_clear(struct subscriptions *subscriptions);
void subscriptions_set(struct subscriptions *subscriptions, unsigned filters_max,
                       int64_t timeout_ms);

/* Begin, or end, to listen for a shadow; `shadow` is "" for the classic one. Returns 0 or -ENOMEM.
 */
int subscriptions_join(struct subscriptions *subscriptions, struct listener *listener,
                       const char *thing, const char *shadow);
void subscriptions_leave(struct subscriptions *subscriptions, struct listener *listener);

/* The facts about a listener have changed. */
void subscriptions_tell(struct subscriptions *subscriptions, struct listener *listener,
                        bool is_busy, bool is_flying, int64_t want_ms);

/* Tell whether answers for the listener arrive. */
bool subscriptions_is_heard(const struct listener *listener);
/* Tell whether it was refused, and nothing else lets it be heard. */
bool subscriptions_is_refused(const struct listener *listener);

/* Something came in on the listener's channel, or was sent on it. */
void subscriptions_note_use(struct listener *listener, int64_t now_ms);

/* The connection is gone: nothing is subscribed any more. */
void subscriptions_link_down(struct subscriptions *subscriptions);

enum subscriptions_action {
    SUBSCRIPTIONS_NOTHING,
    SUBSCRIPTIONS_SUBSCRIBE,
    SUBSCRIPTIONS_UNSUBSCRIBE,
};
/* Find what is to be sent now; `ret_channel` is borrowed. The caller sends it and calls
 * subscriptions_sent(), or asks again later. Channels may have gone to LEAVING by this call even if
 * there is nothing to send. */
enum subscriptions_action subscriptions_next(struct subscriptions *subscriptions, int64_t now_ms,
                                             struct channel **ret_channel);
void subscriptions_sent(struct subscriptions *subscriptions, struct channel *channel,
                        enum subscriptions_action action, uint32_t request_id, int64_t now_ms);
/* When subscriptions_next() wants to be asked again if nothing changes; INT64_MAX: never. */
int64_t subscriptions_deadline(const struct subscriptions *subscriptions);

/* A SUBACK: one code per filter, 0x80 and above refused; NULL: failed as a whole. Every essential
 * filter has to be granted. Returns the channel, now ON or REFUSED, or NULL if it was none of ours.
 */
struct channel *subscriptions_subscribed(struct subscriptions *subscriptions, uint32_t request_id,
                                         const int *codes, size_t count,
                                         struct random_source *random, int64_t now_ms);
/* An UNSUBACK. Returns the channel or NULL. */
struct channel *subscriptions_unsubscribed(struct subscriptions *subscriptions,
                                           uint32_t request_id);

/* Tell whether reports work without the topic: deltas and deletions are told by gets as well. */
bool subscriptions_is_essential(enum topic_kind kind);

/* Filters that may be in force. */
unsigned subscriptions_count(const struct subscriptions *subscriptions);

/* Find a channel that has waited long for its turn and has not been told of; it counts as told. */
struct channel *subscriptions_next_crowded(struct subscriptions *subscriptions, int64_t now_ms);

#endif
