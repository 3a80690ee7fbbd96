/* What is planned to go wrong, for which shadows and how often. It decides who is struck; those who
 * carry messages do the harm. */
#ifndef FLUX_TESTS_SANDBOX_FAULTS_H
#define FLUX_TESTS_SANDBOX_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULTS_MAX            64         /* planned at a time */
#define FAULT_ALWAYS          UINT32_MAX /* until it is ended */
#define FAULT_EVERY_OPERATION (-1)

enum fault_kind {
    FAULT_REJECT,    /* the request is rejected with `code`, whatever it says */
    FAULT_DROP,      /* the request never arrives */
    FAULT_LOSE,      /* the request takes effect, its answer never arrives */
    FAULT_DUPLICATE, /* its answer arrives twice */
    FAULT_REORDER,   /* its answer is overtaken by what is said next */
    FAULT_DELAY,     /* all that it causes is said `ms` later */
    FAULT_CLOSE,     /* the publish ends its connection, unanswered */
    FAULT_REFUSE,    /* the filter is refused */
    FAULT_KINDS,
};

struct fault {
    enum fault_kind kind;
    unsigned count;    /* how often it strikes; 0 ends it */
    unsigned percent;  /* of those it could strike; 0: all */
    const char *thing; /* NULL: any */
    const char *name;  /* of the shadow; empty: the classic one, NULL: any */
    const char *key;   /* only payloads with this member; of a filter: a pattern. NULL: all */
    int operation;     /* of enum shadow_service_operation, or FAULT_EVERY_OPERATION */
    int code;
    int64_t ms;
};

/* What may be struck. A fault that asks for more than is known does not strike. */
struct fault_target {
    const char *thing; /* NULL: it is about no shadow, as `name` then is */
    const char *name;
    int operation; /* FAULT_EVERY_OPERATION: it is no request */
    const char *payload;
    size_t size;
    const char *filter;
};

struct faults {
    struct fault list[FAULTS_MAX]; /* owned copies */
    size_t count;
    uint64_t chance; /* whom percentages strike: the same every time, if it begins with the same */
};

/* Plan a fault, which is copied; one of the same kind, shadow, operation and key is replaced, or
 * ended by a count of 0. Returns 0, -ENOSPC or -ENOMEM. */
int faults_plan(struct faults *faults, const struct fault *fault);

/* Strike: whether a fault of this kind is planned for the target; it then has one strike less.
 * The oldest counts. *ret_fault: its code and ms; nothing in it is owned. NULL: not wanted. */
bool faults_strike(struct faults *faults, enum fault_kind kind, const struct fault_target *target,
                   struct fault *ret_fault);

/* How often faults of this kind will still strike; FAULT_ALWAYS at most. */
unsigned faults_left(const struct faults *faults, enum fault_kind kind);

/* End all faults, and free what they hold. */
void faults_clear(struct faults *faults);

/* The word for a kind: "reject" and so on. */
const char *fault_kind_name(enum fault_kind kind);

/* Whether the text is like the pattern, in which `*` is any text; all else means itself. */
bool fault_pattern_matches(const char *pattern, const char *text);

#endif
