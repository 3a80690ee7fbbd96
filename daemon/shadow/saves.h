/* Which rows of a shadow the disk does not hold as they are now: marks in the places that make
 * rows, linked in the order of the changes. Knows neither what a row says nor a disk. */
#ifndef FLUXAWS_SHADOW_SAVES_H
#define FLUXAWS_SHADOW_SAVES_H

#include "daemon/shadow/saved.h"

/* One save is being written while the next is made. */
#define SAVES_UNDER_WAY_MAX 2u

enum save_place {
    SAVE_CLEAN,     /* the disk holds it as it is */
    SAVE_UNSAVED,   /* changed since it was handed out last */
    SAVE_UNDER_WAY, /* handed out to save 0; it has not ended. The next: to save 1 */
};

/* Hashes of rows lie above these. */
#define SAVE_HASH_NONE    0u /* there is no such row on the disk */
#define SAVE_HASH_UNKNOWN 1u /* there may be one, and nobody knows what it says */
#define SAVE_HASH_BITS    60
#define SAVE_HASH_MASK    ((UINT64_C(1) << SAVE_HASH_BITS) - 1)

struct save_mark {
    struct save_mark *previous, *next; /* unless SAVE_CLEAN */
    uint64_t hash : SAVE_HASH_BITS;    /* of the row that was handed out last */
    uint64_t place : 2;                /* enum save_place */
    uint64_t kind : 2;                 /* enum saved_kind */
};

/* One of the saves under way. */
struct save_order {
    unsigned save;  /* its place, 0 or 1 */
    unsigned ahead; /* saves that were begun before it and have not ended */
};

struct save_list {
    struct save_mark *first, *last;
};

/* Of one shadow. */
struct saves {
    struct save_list unsaved, under_way[SAVES_UNDER_WAY_MAX];
    struct save_mark shadow, desired;              /* of the rows that there are once */
    uint64_t newest_revision[SAVES_UNDER_WAY_MAX]; /* that each save under way holds */
    uint64_t handed_revision; /* the newest of them, 0: a save has failed since */
    bool has_rows;            /* some may be on the disk */
};

/* Cut a row's hash to what a mark can hold, above those that mean something. */
static inline uint64_t saves_clean_hash(uint64_t hash)
{
    hash &= SAVE_HASH_MASK;
    return hash > SAVE_HASH_UNKNOWN ? hash : SAVE_HASH_UNKNOWN + 1;
}

/* The disk has a row with this hash for what the mark stands for. */
static inline void saves_note_row(struct save_mark *mark, enum saved_kind kind, uint64_t hash)
{
    mark->kind = (uint64_t)kind & 3u;
    mark->hash = saves_clean_hash(hash) & SAVE_HASH_MASK;
}

/* Put the mark among the unsaved, at the end. saves_mark() is the one to call. */
void saves_enter(struct saves *saves, struct save_mark *mark, enum saved_kind kind);

/* What the mark stands for has changed. `saves` NULL: nothing is saved. */
static inline void saves_mark(struct saves *saves, struct save_mark *mark, enum saved_kind kind)
{
    if (saves && mark->place != SAVE_UNSAVED)
        saves_enter(saves, mark, kind);
}

static inline void saves_mark_shadow(struct saves *saves)
{
    if (saves)
        saves_mark(saves, &saves->shadow, SAVED_SHADOW);
}

static inline void saves_mark_desired(struct saves *saves)
{
    if (saves)
        saves_mark(saves, &saves->desired, SAVED_DESIRED);
}

/* Make an unsaved mark the first one, that its row comes before the others. */
void saves_put_first(struct saves *saves, struct save_mark *mark);

/* An unsaved mark's row is what the disk holds already. */
void saves_skip(struct saves *saves, struct save_mark *mark);

/* An unsaved mark's row is handed out to a save; SAVE_HASH_UNKNOWN: that it is gone. */
void saves_hand_out(struct saves *saves, struct save_mark *mark, unsigned save, uint64_t hash);

/* Take a row that was handed out to a save: it is on the disk. NULL: there are no more. */
struct save_mark *saves_next_stored(struct saves *saves, unsigned save);

/* Nobody knows what became of the rows that were handed out to a save: they are unsaved again. */
void saves_fail(struct saves *saves, unsigned save);

/* What the mark stands for is freed. */
void saves_forget(struct saves *saves, struct save_mark *mark);

#endif
