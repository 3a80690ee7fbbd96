/* The insides of the thing, for the files that make it up (thing.c and thing_*.c). Nobody else
 * includes this. */
#ifndef FLUXAWS_SHADOW_THING_PRIVATE_H
#define FLUXAWS_SHADOW_THING_PRIVATE_H

#include "daemon/shadow/daily.h"
#include "daemon/shadow/shadow_private.h"

/* The bounds of MaxShadows and of MaxSubscriptions. */
#define THING_SHADOWS_MAX       1000u
#define THING_SUBSCRIPTIONS_MAX 500u
#define THING_BUCKETS           256u /* of the table of names; a power of two */
/* A request's id is a serial number and the place of its shadow, or the place of none. */
#define THING_PLACE_BITS 10u
#define THING_PLACE_MASK ((1u << THING_PLACE_BITS) - 1)
/* AWS IoT: requests of one thing that may be unanswered on a connection. */
#define THING_IN_FLIGHT_MAX 10u
/* Gets of all shadows that may be unanswered: each may be answered by 128 KB. */
#define THING_GETS_MAX 4u
/* Messages that a request leads to, both ways, charged in advance: an update its accepted answer
 * and perhaps a delta, a get its answer. */
#define UPDATE_MESSAGES 3u
#define GET_MESSAGES    2u

/* One AWS IoT thing of which shadows are open. */
struct thing_group {
    struct thing_group *next;
    char name[FLUX_THING_NAME_MAX + 1];
    unsigned shadow_count, in_flight;
    unsigned prepared; /* shadows whose next update only waits for its commit */
};

/* What is due when in one place, so that not every shadow has to be looked at all the time. */
struct thing_turn {
    int64_t tick_ms, request_ms;
    enum shadow_request flying; /* as counted */
    bool is_prepared;           /* as counted */
    bool wants_get;             /* the request would be a get */
    bool is_owed;               /* its get was made for an update: that belongs to the same turn */
};

/* The first of all places. */
struct thing_first {
    int64_t tick_ms, request_ms;
};

/* A shadow that was given up, and whose rows are to go. */
struct gone_shadow {
    struct gone_shadow *next;
    char thing[FLUX_THING_NAME_MAX + 1]; /* "": the own thing */
    char name[FLUX_SHADOW_NAME_MAX + 1];
    bool is_under_way; /* handed out to `save`, which has not ended */
    unsigned save;
};

struct thing_save {
    unsigned under_way;             /* saves, in the order of their places */
    unsigned newest;                /* place of the newest one */
    bool has_failed;                /* the newest one lacks rows */
    size_t place;                   /* of the shadow whose rows are being handed out */
    struct gone_shadow *gone_first; /* owned */
    size_t gone_count;
    uint64_t revision_floor;      /* rows that were left on the disk are no newer */
    struct flux_json_writer text; /* of the row handed out last */
};

struct thing {
    char name[FLUX_THING_NAME_MAX + 1];
    char **extra; /* owned; patterns of [Thing] Extra */
    size_t extra_count;
    struct connection connection;
    struct token_bucket messages;
    struct daily daily;
    struct daily daily_messages; /* only counted */
    struct subscriptions subscriptions;
    struct thing_group *groups;                /* owned */
    struct shadow *shadows[THING_SHADOWS_MAX]; /* by place; NULL: free. The first is the own
                                                  classic one */
    struct thing_turn turns[THING_SHADOWS_MAX];
    struct thing_first first; /* see thing_first_ms() */
    bool is_first_stale;
    size_t places; /* in use up to here */
    size_t shadow_count;
    struct shadow *buckets[THING_BUCKETS];
    uint64_t hash_seed;
    size_t turn; /* the place whose turn it is */
    unsigned gets_in_flight;
    int64_t now_ms; /* the newest time that was told */
    bool link_up;
    bool has_suspects;        /* there may be some */
    uint64_t survivors;       /* requests that were acknowledged */
    int64_t starved_until_ms; /* there was no memory for a request: none until then */
    int64_t held_until_ms;    /* DailyOperations held something back lately, until then */
    int64_t budget_told_ms;   /* when that was told of */
    uint32_t request_count;   /* ids given out */
    uint64_t close_count;
    uint64_t outcomes_of_gone;                    /* of shadows that were given up */
    char topic[CHANNEL_FILTERS][TOPIC_BYTES_MAX]; /* filters handed out last */
    struct thing_status status;
    struct thing_save save;
};

/* --- thing_shadows.c: which shadows there are --- */
int thing_set_extra(struct thing *thing, const char *const *extra, size_t count);
void thing_clear_extra(struct thing *thing);
bool thing_may_report_for(const struct thing *thing, const char *thing_name);
/* Find an open shadow, or NULL. */
struct shadow *thing_find_shadow(const struct thing *thing, const char *thing_name,
                                 const char *shadow_name);
/* Make a shadow in a free place. Returns 0, -ENOSPC, -ENOMEM. */
int thing_add_shadow(struct thing *thing, const char *thing_name, const char *shadow_name,
                     struct shadow **ret_shadow);
/* Free every shadow. */
void thing_clear_shadows(struct thing *thing);

/* --- thing_saved.c: what is kept on a disk --- */
/* A shadow is about to be given up: its rows are to go. Returns whether that could be noted. */
bool thing_note_gone(struct thing *thing, const struct shadow *shadow);
void thing_clear_save(struct thing *thing);

/* --- thing_writers.c: programs that come and go --- */
/* Let the programs be gone that have been away for long enough. */
void thing_end_writers(struct thing *thing, int64_t now_ms);
/* When the next program that is away will be gone, INT64_MAX: never. */
int64_t thing_writers_deadline(const struct thing *thing);

/* --- thing.c --- */
/* The other end is there. */
void thing_note_life(struct thing *thing, int64_t now_ms);
/* Count what was sent or came in. */
void thing_count(struct thing *thing, enum thing_cause cause, size_t bytes);
uint32_t thing_make_id(struct thing *thing, size_t place);

/* --- thing_channels.c: subscriptions --- */
/* Take the SUBSCRIBE or UNSUBSCRIBE that is due. Returns 1, or 0 where none is. */
int thing_next_channel_request(struct thing *thing, int64_t now_ms,
                               struct thing_request *ret_request);
/* When there may be the next one; INT64_MAX: as things stand never. */
int64_t thing_channel_deadline(struct thing *thing, int64_t now_ms);
/* Tell the shadow whether it is heard. Returns whether that is news. */
bool thing_tell_heard(struct shadow *shadow, int64_t now_ms);
/* Tell the channels what the shadow needs. */
void thing_tell_channels(struct thing *thing, struct shadow *shadow, int64_t now_ms);

/* --- thing_turns.c: what is due when --- */
/* Bring the books of a shadow's turn up to date. */
void thing_measure(struct thing *thing, struct shadow *shadow, int64_t now_ms);
/* Forget what was counted for a shadow that is given up. */
void thing_forget_turn(struct thing *thing, const struct shadow *shadow);
struct thing_first thing_first_ms(struct thing *thing);

/* --- thing_requests.c: whose turn it is --- */
/* When there is room for `count` messages on the connection. */
int64_t thing_messages_ms(struct thing *thing, unsigned count, int64_t now_ms);
/* Tell whether DailyOperations hold updates and gets back now, or did so lately. */
bool thing_is_spread(const struct thing *thing, int64_t now_ms);

/* --- thing_suspects.c: what drops the link --- */
/* What is in the air: sent lately and not acknowledged. Until then, unless answers come. */
struct thing_air {
    int64_t all_until_ms;
    int64_t trial_until_ms; /* a suspect, which goes alone */
};
/* Look, as far as there are suspects. */
struct thing_air thing_look_at_air(struct thing *thing, int64_t now_ms);
/* From when on, at the latest, this may be sent as far as suspects go. */
int64_t thing_alone_ms(const struct thing_air *air, const struct suspicion *suspicion);
/* A request of the shadow, or of a channel, was acknowledged or answered. */
void thing_note_survivor(struct thing *thing, struct shadow *shadow, enum shadow_request kind);
void thing_note_channel_survivor(struct thing *thing, struct channel *channel);
/* The link is down: find out who was in the air. */
void thing_judge_drop(struct thing *thing, int64_t now_ms);
size_t thing_count_quarantined(const struct thing *thing);

#endif
