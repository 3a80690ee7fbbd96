/* The programs that report: who they are, how many connections each has, since when the last one
 * has ended, and what is to be reported once they are gone. Keeps books; does not know properties,
 * nor the time but what it is told. */
#ifndef FLUXAWS_SHADOW_WRITERS_H
#define FLUXAWS_SHADOW_WRITERS_H

#include "daemon/shadow/rate.h"
#include "daemon/shadow/shadow.h"
#include "daemon/shadow/thing.h"

/* Programs that are told apart, and those of one user, who is not to take the names of all; all
 * beyond are one. */
#define WRITERS_MAX          1024u
#define WRITERS_PER_USER_MAX 768u
/* A will's paths and values, and all wills of all programs, and of those of one user. */
#define WILL_BYTES_MAX           65536u
#define WILLS_BYTES_MAX          (4u * 1024u * 1024u)
#define WILLS_PER_USER_BYTES_MAX (3u * 1024u * 1024u)
/* Shadows that one program may have a will for. */
#define WILLS_MAX 16u
/* A unit's name as it shows in keys; longer ones are cut. */
#define WRITER_UNIT_MAX 127u

/* What a program wants to be reported to one shadow when it is gone. */
struct will {
    struct will *next;
    struct shadow *shadow; /* borrowed; its user count is the business of who made the will */
    size_t bytes, count;
    struct shadow_operation operations[]; /* their text lies behind them */
};

struct writers;

struct writer {
    struct writers *writers;
    struct writer *next, *previous;
    struct writer *away_next, *away_previous; /* while is_away: oldest first */
    char name[FLUX_CLIENT_NAME_MAX + 1];
    char unit[WRITER_UNIT_MAX + 1];
    uint32_t uid;
    unsigned connection_count;
    size_t slot_count;    /* properties that it reported last; each holds it (writer_hold()) */
    bool is_away;         /* no connection, and not gone yet */
    int64_t away_ms;      /* since when */
    bool is_ending;       /* gone; what that means is being done */
    size_t removed_count; /* then: properties that were removed for it */
    struct will *wills;
    struct rate reports;
};

struct writers {
    struct writer *first;
    size_t count;
    struct writer *away_first, *away_last;
    struct writer others; /* all beyond the bounds */
    size_t will_bytes;
};

void writers_init(struct writers *writers);
/* Free all, their wills too; nothing may hold one any more. */
void writers_clear(struct writers *writers);

/* Find or add a program, with one connection more. Returns 0 or -ENOMEM. */
int writers_open(struct writers *writers, const struct writer_identity *identity,
                 struct writer **ret_writer);
/* Find or add a program that an earlier run knew: without a connection it is away from now on.
 * `ret_writer` gets NULL where it cannot be told apart. Hold it at once. Returns 0 or -ENOMEM. */
int writers_restore(struct writers *writers, const struct writer_identity *identity, int64_t now_ms,
                    struct writer **ret_writer);
/* One connection less. After the last one the program is away, if there is anything that its being
 * gone would matter for; else it is forgotten at once. */
void writers_close(struct writers *writers, struct writer *writer, int64_t now_ms);

/* Take a program that has been away for `gone_after_ms`: it is gone now. NULL: there is none. It is
 * held for the caller, who lets go with writer_release(). */
struct writer *writers_next_gone(struct writers *writers, int64_t gone_after_ms, int64_t now_ms);
/* When the next one will be gone, INT64_MAX: nobody is away. */
int64_t writers_gone_ms(const struct writers *writers, int64_t gone_after_ms);

/* Tell whether the program has no connection and has been away for long enough. */
bool writer_is_gone(const struct writer *writer);

/* Keep the program for as long as something names it; NULL is nobody. Releasing may free it. */
void writer_hold(struct writer *writer);
void writer_release(struct writer *writer);

/* Copy a will. Returns 0, -ENOSPC (too large, or too many), -ENOMEM. */
int writers_make_will(struct writers *writers, struct writer *writer, struct shadow *shadow,
                      const struct shadow_operation *operations, size_t count);
/* Let a program that was taken as gone be away again, and gone at `gone_ms`; held no more. */
void writers_postpone(struct writers *writers, struct writer *writer, int64_t gone_after_ms,
                      int64_t gone_ms);
/* Put a will back that was taken out. */
void writers_return_will(struct writers *writers, struct writer *writer, struct will *will);

/* Take the will for this shadow, or with NULL any one, out; the caller frees it with will_free().
 * NULL: there is none. */
struct will *writers_take_will(struct writers *writers, struct writer *writer,
                               const struct shadow *shadow);
bool writer_has_will(const struct writer *writer, const struct shadow *shadow);
struct will *will_free(struct will *will);

#endif
