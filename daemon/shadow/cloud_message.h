/* Reads what the shadow service sends: accepted and rejected answers, whole documents. The one
 * place that knows Jansson's types for them. Keeps nothing but the message, decides nothing. */
#ifndef FLUXAWS_SHADOW_CLOUD_MESSAGE_H
#define FLUXAWS_SHADOW_CLOUD_MESSAGE_H

#include "proto/json_writer.h"
#include "proto/value.h"
#include <jansson.h>
#include <stdbool.h>

/* AWS IoT: a clientToken has at most 64 bytes. */
#define CLOUD_TOKEN_MAX 64u
/* AWS IoT: a payload has at most 128 KB. */
#define CLOUD_MESSAGE_MAX (128u * 1024)
/* Nesting of a whole message: `state`, a section, and then as deep as any path of ours; metadata
 * mirrors it. */
#define CLOUD_DEPTH_MAX 40u

/* How a section of `state` stands in a message. */
enum cloud_section_state {
    CLOUD_SECTION_ABSENT, /* not mentioned */
    CLOUD_SECTION_NULL,   /* null: removed as a whole */
    CLOUD_SECTION_OBJECT,
};

struct cloud_section {
    enum cloud_section_state state;
    const json_t *object; /* borrowed from the message */
};

struct cloud_message {
    json_t *root;                    /* owned */
    int64_t version;                 /* -1: none */
    int code;                        /* 0: none */
    char token[CLOUD_TOKEN_MAX + 1]; /* "": none */
    struct cloud_section desired, reported;
    const json_t *desired_metadata; /* when what was wished; borrowed, any JSON or NULL */
};

/* Outcomes of cloud_message_parse(). */
enum cloud_message_outcome { CLOUD_MESSAGE_READ = 0, CLOUD_MESSAGE_UNREADABLE = 1 };

/* Read a message. Returns an outcome above (unreadable: not JSON, too deep, a number beyond a
 * double; `ret_reason` says which, a string constant), or -ENOMEM. Integers beyond 64 bits are read
 * as reals. */
int cloud_message_parse(struct cloud_message *ret_message, const void *payload, size_t size,
                        const char **ret_reason);
/* Read a `desired` that was kept alone: a JSON object. Returns as cloud_message_parse(). */
int cloud_message_parse_desired(struct cloud_message *ret_message, const void *text, size_t size);
void cloud_message_clear(struct cloud_message *message);

/* Tell whether an accepted update names neither section. How the service echoes a section that was
 * removed as a whole is not known, so that such a message may stand for a removal. */
bool cloud_message_tells_nothing(const struct cloud_message *message);

/* One step of a walk through a section. */
enum cloud_step { CLOUD_ENTER, CLOUD_LEAVE, CLOUD_LEAF, CLOUD_NULL, CLOUD_END };

struct cloud_item {
    enum cloud_step step;
    const char *key; /* raw bytes, not for CLOUD_LEAVE and CLOUD_END; borrowed */
    size_t key_size;
    struct flux_value value; /* CLOUD_LEAF; borrowed until the next step */
};

struct cloud_walk {
    struct {
        json_t *object;
        void *iterator;
    } levels[CLOUD_DEPTH_MAX];
    unsigned depth;
    struct flux_json_writer array; /* text of the array at hand */
};

/* Walk through a section's object, depth first, without recursion. */
void cloud_walk_begin(struct cloud_walk *walk, const json_t *object);
/* Returns 0 and the next step, or -ENOMEM. */
int cloud_walk_next(struct cloud_walk *walk, struct cloud_item *ret_item);
void cloud_walk_end(struct cloud_walk *walk);

#endif
