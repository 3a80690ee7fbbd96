/* A broker and a shadow service of the simplest kind around one thing, for tests of many shadows:
 * grants every subscription, accepts every update and keeps what the last one reported (so that
 * tests report one property only). Judges nothing, counts. */
#ifndef FLUX_TESTS_UNIT_THING_WORLD_H
#define FLUX_TESTS_UNIT_THING_WORLD_H

#include "daemon/shadow/thing.h"

#define WORLD_FLIGHTS_MAX 512u
#define WORLD_SHADOWS_MAX 256u

struct world_shadow {
    char prefix[200]; /* of its topics */
    char reported[64];
    int64_t version;
};

/* A publish of the engine that has not been answered. */
struct world_flight {
    uint32_t id;
    char topic[256];
    char token[80];
    char reported[64];
    bool is_get;
    int64_t sent_ms;
};

struct world {
    struct thing *thing;
    int64_t now_ms;
    int64_t back_ms;   /* when the link comes back that a poisoned publish has dropped */
    int64_t answer_ms; /* how long answers take */
    struct world_shadow shadows[WORLD_SHADOWS_MAX];
    size_t shadow_count;
    struct world_flight flights[WORLD_FLIGHTS_MAX];
    size_t flight_count;
    const char *poison; /* a publish to a topic with this in it drops the link, NULL: none */
    size_t subscribes, unsubscribes, gets, updates, drops;
    size_t notices[64]; /* by kind */
    struct thing_notice last_notice[64];
    char last_topic[256]; /* of the last publish */
    char last_payload[1024];
};

/* `options` as of thing_options_init(), with a name. */
void world_begin(struct world *world, const struct thing_options *options);
void world_end(struct world *world);

struct shadow *world_open(struct world *world, const char *thing_name, const char *name);
void world_report(struct world *world, struct shadow *shadow, const char *path, int64_t value);

/* Take one request and answer nothing but SUBSCRIBE and UNSUBSCRIBE. Returns its kind, or -1 where
 * there is none. */
int world_take(struct world *world);
/* Take all there are. Returns how many publishes. */
size_t world_take_all(struct world *world);
/* Acknowledge and answer the oldest flight. */
void world_answer(struct world *world);
/* Let time pass: requests are taken when they are due and answered after answer_ms; a link that a
 * poisoned publish has dropped comes back after a second. */
void world_run(struct world *world, int64_t ms);
void world_drop(struct world *world);

#endif
