/* The AWS IoT Device Shadow service as a pure state machine: requests in, answers out, time given.
 * It knows no broker, connection, policy or clock; those who carry the messages lose and delay
 * them. */
#ifndef FLUX_TESTS_SANDBOX_SHADOW_SERVICE_H
#define FLUX_TESTS_SANDBOX_SHADOW_SERVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHADOW_SERVICE_TOMBSTONE_MS                                                                \
    INT64_C(172800000) /* 48 h: so long a deleted version lives on */

/* Positive outcomes of shadow_service_handle(). */
enum {
    SHADOW_SERVICE_NOT_A_REQUEST = 1, /* the topic is not a shadow request; nothing was done */
    SHADOW_SERVICE_DROPPED = 2,       /* throttled, and .throttle_drops says to keep silent */
};

enum shadow_service_operation {
    SHADOW_SERVICE_GET,
    SHADOW_SERVICE_UPDATE,
    SHADOW_SERVICE_DELETE,
    SHADOW_SERVICE_OPERATIONS,
};

/* What is not documented, or documented in two ways, is a switch. The comment names the default;
 * start from shadow_service_options_init(). All may be changed while the service runs. */
struct shadow_service_options {
    /* Limits; 0 switches the limit off. */
    unsigned max_depth;     /* 8: key levels below desired and reported (the error text says 6) */
    size_t max_bytes;       /* 8192: compact JSON of desired + reported after the merge */
    size_t max_answer_size; /* 131072: a longer message is counted as dropped, never sent */
    unsigned max_in_flight; /* 10: per thing, while an answer takes in_flight_ms */
    int64_t in_flight_ms;   /* 0: answers are instant, so nothing is ever in flight */
    unsigned max_per_sec;   /* 20: requests per shadow in any second, then 429 */

    /* Behaviour; all false but those said to be true. */
    bool throttle_drops;          /* over a rate: silence in place of 429 */
    bool arrays_count_as_level;   /* an array adds a level of depth */
    bool rejected_timestamp;      /* rejected carries a timestamp */
    bool vary_messages;           /* other texts for every error: only the code may be relied on */
    bool named_404_with_thing;    /* 404 of a named shadow says 'thing~name', not 'name' */
    bool echo_long_token;         /* an overlong clientToken is echoed in its rejection */
    bool strict_get_payload;      /* get and delete with a payload that is not JSON: 400 */
    bool refuse_duplicate_keys;   /* 400; otherwise the last one wins */
    bool missing_accepts_version; /* `version` on a shadow that never was: ignored, not 409 */
    bool get_metadata_delta;      /* get/accepted has metadata.delta */
    bool normalise_numbers;       /* 1.0 is stored and told as 1 */
    bool exact_delta_numbers;     /* desired 1 and reported 1.0 differ */
    bool null_only_makes_nothing; /* {"a":{"b":null}} on no `a` leaves no `a`, not {"a":{}} */
    bool tombstone_bumps;   /* true: a deleted version N lives on as N+1 (next N+2), not as N */
    bool echo_null_section; /* true: accepted echoes `desired:null` and `reported:null` */
    bool publish_documents; /* true: update/documents follows each accepted update */
    uint64_t shuffle_seed;  /* 0: accepted, documents, delta; else in random order */
};

enum shadow_service_kind {
    SHADOW_SERVICE_ACCEPTED,
    SHADOW_SERVICE_REJECTED,
    SHADOW_SERVICE_DOCUMENTS,
    SHADOW_SERVICE_DELTA,
};

/* One outgoing publish. */
struct shadow_service_message {
    enum shadow_service_operation operation; /* the request that caused it */
    enum shadow_service_kind kind;
    int code;        /* of a rejection, else 0 */
    int64_t version; /* of the shadow after the operation; 0 in a rejection */
    char *topic;
    char *payload; /* followed by a NUL that `size` does not count */
    size_t size;   /* bytes */
};

/* Since shadow_service_new() or shadow_service_reset_counters(). */
struct shadow_service_counters {
    uint64_t operations[SHADOW_SERVICE_OPERATIONS]; /* requests by kind, whatever became of them */
    uint64_t accepted[SHADOW_SERVICE_OPERATIONS];
    uint64_t rejected[SHADOW_SERVICE_OPERATIONS];
    uint64_t requests_bytes;
    uint64_t messages; /* answers queued, documents and deltas included */
    uint64_t messages_bytes;
    uint64_t throttled; /* of the rejected (or dropped): by a rate or the requests in flight */
    uint64_t oversized; /* messages that were not sent for max_answer_size */
};

struct shadow_service;

/* Set every option to its default. */
void shadow_service_options_init(struct shadow_service_options *ret_options);

/* Make an empty service; NULL options: the defaults. Options are copied. NULL when out of memory.
 */
struct shadow_service *shadow_service_new(const struct shadow_service_options *options);

/* Free the service, its shadows and what was not pulled. Returns NULL. */
struct shadow_service *shadow_service_free(struct shadow_service *service);

/* The options in force, to be read and changed in place. Borrowed. */
struct shadow_service_options *shadow_service_options(struct shadow_service *service);

/* Take one publish to `$aws/things/THING/shadow[/name/NAME]/{get,update,delete}` and queue what the
 * service answers. now_ms: Unix time in milliseconds, never going down; the answers carry seconds.
 * Returns 0 (answered, be it with a rejection), SHADOW_SERVICE_NOT_A_REQUEST,
 * SHADOW_SERVICE_DROPPED, or -ENOMEM (nothing changed). */
int shadow_service_handle(struct shadow_service *service, const char *topic, const void *payload,
                          size_t size, int64_t now_ms);

/* Take a request as above, and answer it with a rejection of this code (100 to 599), whatever it
 * says. Returns as above. */
int shadow_service_reject(struct shadow_service *service, const char *topic, const void *payload,
                          size_t size, int code, int64_t now_ms);

/* Hand out the oldest message that was not pulled yet; false: none, *ret_message untouched.
 * The caller owns the message and ends it with shadow_service_message_clear(). */
bool shadow_service_next(struct shadow_service *service,
                         struct shadow_service_message *ret_message);

/* Free what a message holds and zero it. */
void shadow_service_message_clear(struct shadow_service_message *message);

/* ---- faults ---- */

/* Reject the next `count` requests of this kind with `code`, before anything else is looked at.
 * A later call for the same kind replaces the earlier one; count 0 ends it. */
void shadow_service_reject_next(struct shadow_service *service,
                                enum shadow_service_operation operation, unsigned count, int code);

/* Reject with `code` every update that names this key anywhere in its state. NULL ends it.
 * Returns 0 or -ENOMEM. */
int shadow_service_poison(struct shadow_service *service, const char *key, int code);

/* ---- looking inside; name NULL: the classic shadow ---- */

/* The stored {"desired":{...},"reported":{...}}, without a section that is absent; borrowed until
 * the next request. NULL: no such shadow. */
const json_t *shadow_service_document(struct shadow_service *service, const char *thing,
                                      const char *name);

/* The stored metadata, of the same form; borrowed. NULL: no such shadow. */
const json_t *shadow_service_metadata(struct shadow_service *service, const char *thing,
                                      const char *name);

/* The version of a shadow that exists, else 0 (a tombstone counts as not existing). */
int64_t shadow_service_version(struct shadow_service *service, const char *thing, const char *name);

/* Put a shadow in place, silently, as if written at `at_ms`. The document
 * {"desired":..,"reported":..} is copied and not checked. Returns 0, -EINVAL (names, version < 1,
 * not an object), -ENOMEM. */
int shadow_service_seed(struct shadow_service *service, const char *thing, const char *name,
                        const json_t *document, int64_t version, int64_t at_ms);

/* Remove a shadow and its tombstone, silently: as if 48 h had passed since its deletion. */
void shadow_service_forget(struct shadow_service *service, const char *thing, const char *name);

/* Write down all shadows and tombstones, so that another service can take them over.
 * Owned by the caller. NULL when out of memory. */
json_t *shadow_service_export(const struct shadow_service *service);

/* Take over what shadow_service_export() wrote; a shadow that is there already is replaced.
 * Returns 0, -EINVAL (not such a text; part of it may have been taken) or -ENOMEM. */
int shadow_service_import(struct shadow_service *service, const json_t *archive);

/* Counters so far; borrowed, live. */
const struct shadow_service_counters *shadow_service_counters(struct shadow_service *service);

/* How many requests were rejected with this code (100 to 599). */
uint64_t shadow_service_rejected_with(struct shadow_service *service, int code);

/* Start to count from zero. */
void shadow_service_reset_counters(struct shadow_service *service);

/* The words used in topics and counters: "get", "update", "delete". */
const char *shadow_service_operation_name(enum shadow_service_operation operation);

#endif
