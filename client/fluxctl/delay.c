#include "client/fluxctl/delay.h"
#include "client/fluxctl/json_walk.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_MS 1000

struct slice {
    const char *text;
    size_t size; /* 0: null, or not there */
};

static bool slice_is(const struct slice *slice, const char *text)
{
    return slice->size == strlen(text) && memcmp(slice->text, text, slice->size) == 0;
}

/* Find the string `key` in the object `section` of the document. */
static struct slice find_string(const char *json, const char *section, const char *key)
{
    struct slice keys[2] = {{NULL, 0}, {NULL, 0}};
    size_t depth = 0;
    struct json_walk walk;
    json_walk_init(&walk, json);
    for (;;) {
        switch (json_walk_next(&walk)) {
        case JSON_WALK_END:
            return (struct slice){NULL, 0};
        case JSON_WALK_BEGIN_OBJECT:
            if (++depth > 2) {
                json_walk_skip(&walk);
                depth--;
            }
            break;
        case JSON_WALK_BEGIN_ARRAY:
            json_walk_skip(&walk);
            break;
        case JSON_WALK_END_OBJECT:
            depth -= depth > 0 ? 1 : 0;
            break;
        case JSON_WALK_KEY:
            if (depth > 0)
                keys[depth - 1] = (struct slice){walk.text, walk.size};
            break;
        case JSON_WALK_STRING:
            if (depth == 2 && slice_is(&keys[0], section) && slice_is(&keys[1], key))
                return (struct slice){walk.text, walk.size};
            break;
        case JSON_WALK_OTHER:
        case JSON_WALK_END_ARRAY:
            break;
        }
    }
}

static void explain_disk(const char *json)
{
    struct slice error = find_string(json, "storage", "error");
    if (error.size > 0)
        fprintf(stderr, "The disk is in trouble: %.*s.\n", (int)error.size, error.text);
}

/* Returns what to try next. */
static const char *explain_link(const char *json)
{
    struct slice state = find_string(json, "link", "state");
    struct slice reason = find_string(json, "link", "reason");
    struct slice note = find_string(json, "cloud", "note");
    if (reason.size > 0)
        fprintf(stderr, "The link is not up (%.*s): %.*s.\n", (int)state.size, state.text,
                (int)reason.size, reason.text);
    else if (state.size > 0 && !slice_is(&state, "up"))
        fprintf(stderr, "The link is not up (%.*s).\n", (int)state.size, state.text);
    else if (note.size > 0)
        fprintf(stderr, "The link is up, but: %.*s.\n", (int)note.size, note.text);
    return slice_is(&state, "paused") ? "fluxctl resume" : "fluxctl status";
}

void fluxctl_explain_delay(struct fluxaws_client *client, enum fluxaws_level level)
{
    const char *next = "fluxctl status";
    char *json = NULL;
    if (fluxaws_get_status(client, ASK_MS, &json) == 0) {
        if (level == FLUXAWS_STORED)
            explain_disk(json);
        else
            next = explain_link(json);
    }
    free(json);
    fprintf(stderr, "Try: %s\n", next);
}
