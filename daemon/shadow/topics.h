/* The reserved topics of device shadows: makes filters and request topics, takes answer topics
 * apart. Knows names, not messages. Source: AWS IoT Developer Guide, device-shadow-mqtt. */
#ifndef FLUXAWS_SHADOW_TOPICS_H
#define FLUXAWS_SHADOW_TOPICS_H

#include "proto/limits.h"
#include <stdbool.h>
#include <stddef.h>

/* "$aws/things/" + thing + "/shadow/name/" + shadow + "/update/documents", NUL included. */
#define TOPIC_BYTES_MAX 256u

/* What an answer topic carries. */
enum topic_kind {
    TOPIC_UPDATE_ACCEPTED,
    TOPIC_UPDATE_REJECTED,
    TOPIC_UPDATE_DELTA,
    TOPIC_GET_ACCEPTED,
    TOPIC_GET_REJECTED,
    TOPIC_DELETE_ACCEPTED,
    TOPIC_KIND_COUNT,
};

enum topic_request { TOPIC_GET, TOPIC_UPDATE };

/* An answer topic taken apart. */
struct topic {
    enum topic_kind kind;
    char thing[FLUX_THING_NAME_MAX + 1];
    char shadow[FLUX_SHADOW_NAME_MAX + 1]; /* "" for the classic shadow */
};

/* Tell whether AWS IoT allows the name: 1-128 of [a-zA-Z0-9:_-] for a thing; 1-64, `$` too, for a
 * shadow. */
bool topic_is_thing_name(const char *name);
bool topic_is_shadow_name(const char *name);

/* Tell whether the text can stand for things: a thing's name, or the beginning of one and `*`. */
bool topic_is_thing_pattern(const char *text);
bool topic_matches_pattern(const char *pattern, const char *thing_name);

/* Write the topic of an answer (it is also its subscription filter) or of a request. `shadow` is ""
 * for the classic one; both names have been checked. */
void topic_write_answer(char ret_topic[static TOPIC_BYTES_MAX], const char *thing,
                        const char *shadow, enum topic_kind kind);
void topic_write_request(char ret_topic[static TOPIC_BYTES_MAX], const char *thing,
                         const char *shadow, enum topic_request request);

/* Take an answer topic apart. Returns false for any other topic. */
bool topic_parse(const char *text, struct topic *ret_topic);

/* The QoS to subscribe with: answers at 0 (a lost one is settled by a get, a PUBACK would be
 * billed), deltas at 1. */
int topic_qos(enum topic_kind kind);

#endif
