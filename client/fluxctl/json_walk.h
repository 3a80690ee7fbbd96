/* Walks the JSON text of an answer, event by event, handing out slices of it. The text comes from
 * the daemon and is well-formed; of anything else the walk just ends. Builds nothing. */
#ifndef FLUXCTL_JSON_WALK_H
#define FLUXCTL_JSON_WALK_H

#include <stdbool.h>
#include <stddef.h>

enum json_walk_event {
    JSON_WALK_END,
    JSON_WALK_BEGIN_OBJECT,
    JSON_WALK_END_OBJECT,
    JSON_WALK_BEGIN_ARRAY,
    JSON_WALK_END_ARRAY,
    JSON_WALK_KEY,    /* text and size: without its quotes, escapes as they are */
    JSON_WALK_STRING, /* the same */
    JSON_WALK_OTHER,  /* a number, true, false, null */
};

struct json_walk {
    const char *text; /* of the event; for BEGIN_… where it begins */
    size_t size;

    /* ---- private ---- */
    const char *next;
};

void json_walk_init(struct json_walk *walk, const char *json);
enum json_walk_event json_walk_next(struct json_walk *walk);

/* Step over the object or array that has just begun; text and size get all of it. */
void json_walk_skip(struct json_walk *walk);

#endif
