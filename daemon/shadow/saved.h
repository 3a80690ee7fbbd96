/* What of the engine survives a restart, as plain rows: what is handed to the storage to be
 * written, and handed back at the next start. Knows no disk, and not when something is written. */
#ifndef FLUXAWS_SHADOW_SAVED_H
#define FLUXAWS_SHADOW_SAVED_H

#include "proto/value.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One row belongs to a shadow (SAVED_SHADOW: the shadow itself). Its key is kind, thing, shadow and
 * path. */
enum saved_kind { SAVED_SHADOW, SAVED_PROPERTY, SAVED_DESIRED, SAVED_SETTLE };

/* Where a property's newest operation stands. The numbers are on disks: they never change. */
enum saved_state {
    SAVED_NOTHING = 0, /* nothing of ours: what the cloud holds, or when something was removed */
    SAVED_PENDING = 1,
    SAVED_ACCEPTED = 2,
    SAVED_REFUSED = 3,
};

/* Revisions of rows lie below this, so that there is always room above them. */
#define SAVED_REVISION_MAX (UINT64_C(1) << 62)

struct saved_shadow {
    int64_t version;          /* of the view held, -1: there is none */
    bool held;                /* version and cloud values were proved once */
    int64_t followed_ms;      /* boot time when the view was last known to be the cloud's; 0: before
                                 this boot. Written when the row is, but no reason to write it */
    uint64_t newest_revision; /* at least as high as in every row of the shadow; likewise */
    uint64_t reset_revision;  /* of a reset under way, 0: none */
    int64_t last_accepted_version; /* of an update of ours, -1: none */
};

struct saved_property {
    enum saved_state state;
    struct flux_value value; /* ours; NONE: none */
    bool cut;                /* all that the cloud holds at and below the path is to go */
    bool cut_replaced;       /* the cut stands for a scalar that a set below it replaced */
    bool cut_scalar_only;    /* the cut takes away a scalar, but no object */
    const char *cut_cause;   /* path of the property below whose set replaced the scalar; not
                                NUL-terminated; NULL: unknown, or another kind of cut */
    size_t cut_cause_size;
    uint64_t revision;     /* of the last operation here: the order among the rows of a shadow */
    uint64_t cut_revision; /* of the one that made the cut; 0: no cut */
    int64_t set_us, cleared_us, replaced_us; /* CLOCK_BOOTTIME; 0: never, or before this boot */
    int64_t accepted_version;                /* of the newest that was accepted, 0: none */
    int refused_code;                        /* refused: why; 0: not refused */
    const char *refused_text;                /* in words, or NULL */
    size_t refused_lacking;  /* 413: bytes by which the document was too large, 0: another reason */
    size_t refused_total;    /* 413: bytes of the document without the value at that time */
    const char *writer_name; /* the program that reported it last; NULL: nobody in particular */
    const char *writer_unit; /* its systemd unit, "": unknown; NULL with the name */
    uint32_t writer_uid;
    struct flux_value
        cloud; /* what the cloud is known to hold: NONE absent, EMPTY_OBJECT any object */
    struct flux_value form; /* the form that the cloud gave to our value; NONE: as it was sent */
};

/* The newest desired document. A row without a document is written as gone. */
struct saved_desired {
    int64_t version;      /* of the shadow since it is like this, -1: unknown */
    int64_t changed_ms;   /* boot time when the last of it was wished; 0: before this boot */
    const char *document; /* compact JSON object, not NUL-terminated */
    size_t document_size;
};

/* A wish that a program has answered and that is to be removed from desired. */
struct saved_settle {
    uint64_t revision;
    uint64_t report_first, report_last; /* the revisions of the report that it came with */
    /* The wishes that it answers: compact JSON, to be kept as it is; not NUL-terminated. */
    const char *wishes;
    size_t wishes_size;
};

/* One row. Everything is borrowed. */
struct saved_row {
    enum saved_kind kind;
    const char *thing;  /* "": the own thing, whatever its name */
    const char *shadow; /* "": the classic shadow */
    const char *path;   /* of a property or a settle, else ""; not NUL-terminated */
    size_t path_size;
    bool
        is_gone; /* delete the row (SAVED_SHADOW: with all rows of the shadow); the rest is unset */
    union {
        struct saved_shadow of_shadow;
        struct saved_property of_property;
        struct saved_desired of_desired;
        struct saved_settle of_settle;
    };
};

/* Tell whether a row that came from a disk makes sense by itself: memory, numbers, texts, and what
 * belongs to its state. */
bool saved_row_is_sound(const struct saved_row *row);

/* Tell whether two rows have the same key; whether they say the same, a value with its type, and
 * without what is no reason to write a row (the unit of a program is another). */
bool saved_row_is_same(const struct saved_row *a, const struct saved_row *b);
bool saved_row_is_equal(const struct saved_row *a, const struct saved_row *b);

/* A number from what the row says (not its key): equal for equal rows, and almost never otherwise;
 * `seed` is random and secret. */
uint64_t saved_row_hash(const struct saved_row *row, uint64_t seed);

#endif
