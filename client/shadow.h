/* One of the shadows of a handle: what is reported to it and what the daemon said about it. For the
 * inside of the library; shadows.c looks after it. */
#ifndef CLIENT_SHADOW_H
#define CLIENT_SHADOW_H

#include "client/answers.h"
#include "client/backlog.h"
#include "client/changes.h"
#include "proto/limits.h"
#include <stdint.h>

/* As many as one connection to the daemon may open, the default one included. */
#define CLIENT_SHADOWS_MAX 64u

enum client_shadow_state {
    CLIENT_SHADOW_CLOSED,  /* still to be opened on this connection */
    CLIENT_SHADOW_OPENING, /* OPEN_SHADOW is on its way */
    CLIENT_SHADOW_OPEN,
    CLIENT_SHADOW_REFUSED, /* on this connection, or until it is chosen again */
};

enum client_will_state {
    CLIENT_WILL_NONE,    /* the daemon knows of none, or not any more */
    CLIENT_WILL_DUE,     /* to be sent */
    CLIENT_WILL_SENT,    /* not answered yet */
    CLIENT_WILL_SETTLED, /* answered, one way or the other */
};

struct client_shadow {
    uint16_t handle; /* on every connection; 0 is the default shadow, which is always open */
    char thing[FLUX_THING_NAME_MAX + 1], shadow[FLUX_SHADOW_NAME_MAX + 1]; /* "": the default */
    enum client_shadow_state state;
    uint64_t open_id; /* of OPEN_SHADOW */
    int refusal;      /* negative errno, while refused */
    char refusal_text[400];

    uint64_t queued_id; /* the newest report that the daemon answered on this connection */
    uint64_t safe_id;   /* reports up to here are safe with the daemon */
    uint64_t last_report_id;
    struct backlog backlog;
    struct answers answers;

    enum client_will_state will_state;
    uint64_t will_id;
    struct changes will; /* empty: none */
};

#endif
