/* Which lines of the log are written, and which only counted: of lines alike the first few within
 * ten minutes, then one that tells how many more there were. Pure: writes nothing, time is an
 * argument. Never holds back the first line of its kind. */
#ifndef FLUXAWS_BASE_LOG_LIMIT_H
#define FLUXAWS_BASE_LOG_LIMIT_H

#include "daemon/base/log.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LIMIT_WINDOW_MS  600000
#define LOG_LIMIT_KINDS      32u
#define LOG_LIMIT_PER_KIND   20u /* lines of one kind within a window, whatever their keys ... */
#define LOG_LIMIT_PER_FLOOD  5u  /* ... halved for each window that had more, down to this */
#define LOG_LIMIT_ENTRIES    48u
#define LOG_LIMIT_TEXT_MAX   320u
#define LOG_LIMIT_FIELDS_MAX 512u

/* One line that may be one of many. */
struct log_line {
    unsigned kind;  /* below LOG_LIMIT_KINDS */
    uint64_t key;   /* lines with the same kind and key are alike */
    unsigned burst; /* so many alike are written within a window; at least 1 */
    int level;
    const char *text;
    const struct log_field *fields;
    size_t field_count;
};

/* Lines that are alike, or, at the end of the table, all further ones of a kind. */
struct log_limit_entry {
    bool is_used, is_steady; /* steady: the window before had to hold lines back, too */
    unsigned kind, written;
    uint64_t key, held;
    int64_t begin_ms, last_ms;
    int level;                         /* the gravest of what was held back */
    char text[LOG_LIMIT_TEXT_MAX];     /* the newest of what was held back */
    char fields[LOG_LIMIT_FIELDS_MAX]; /* its fields: NAME, NUL, value, NUL */
    size_t field_count;
};

struct log_limit_kind {
    int64_t begin_ms;
    unsigned written, most; /* 0: nothing yet */
    bool has_overflowed;
};

struct log_limit {
    struct log_limit_entry entries[LOG_LIMIT_ENTRIES + LOG_LIMIT_KINDS];
    struct log_limit_kind kinds[LOG_LIMIT_KINDS];
    unsigned holding; /* entries that hold lines back: mostly none */
};

/* What stands for the lines that were held back. */
struct log_limit_summary {
    int level;
    uint64_t count;  /* lines held back */
    int64_t over_ms; /* in how long */
    char text[LOG_LIMIT_TEXT_MAX];
    char values[LOG_LIMIT_FIELDS_MAX]; /* what the fields point into */
    struct log_field fields[LOG_FIELDS_MAX];
    size_t field_count;
};

/* All zero is a limit without lines. */

/* Judge a line. Returns true where it is to be written; else it was counted. */
bool log_limit_admit(struct log_limit *limit, const struct log_line *line, int64_t now_ms);

/* Take the next summary that is due, those whose newest line is older first; `now_ms` of INT64_MAX:
 * all are due. Returns false where there is none. */
bool log_limit_next(struct log_limit *limit, int64_t now_ms, struct log_limit_summary *ret_summary);

/* Forget what was held back of a kind, for it is over: the next such line is news. Returns how many
 * lines that were. */
uint64_t log_limit_forget(struct log_limit *limit, unsigned kind);

/* When the next summary is due; INT64_MAX: none. */
int64_t log_limit_deadline(const struct log_limit *limit);

/* Hash what makes lines alike; begin with 0. */
uint64_t log_limit_mix(uint64_t hash, const char *text);

#endif
