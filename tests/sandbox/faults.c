#include "tests/sandbox/faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Whether planning one replaces the other. */
static bool is_same_plan(const struct fault *a, const struct fault *b)
{
    return a->kind == b->kind && a->operation == b->operation && is_same(a->thing, b->thing) &&
           is_same(a->name, b->name) && is_same(a->key, b->key);
}

static void fault_free(struct fault *fault)
{
    free((char *)fault->thing);
    free((char *)fault->name);
    free((char *)fault->key);
}

static int fault_copy(const struct fault *fault, struct fault *ret_copy)
{
    struct fault copy = *fault;
    copy.thing = fault->thing ? strdup(fault->thing) : NULL;
    copy.name = fault->name ? strdup(fault->name) : NULL;
    copy.key = fault->key ? strdup(fault->key) : NULL;
    if ((fault->thing && !copy.thing) || (fault->name && !copy.name) || (fault->key && !copy.key)) {
        fault_free(&copy);
        return -ENOMEM;
    }
    *ret_copy = copy;
    return 0;
}

static void end_fault(struct faults *faults, size_t at)
{
    fault_free(&faults->list[at]);
    faults->count--;
    memmove(faults->list + at, faults->list + at + 1, (faults->count - at) * sizeof(*faults->list));
}

int faults_plan(struct faults *faults, const struct fault *fault)
{
    struct fault copy;
    size_t at = 0;
    while (at < faults->count && !is_same_plan(&faults->list[at], fault))
        at++;
    if (fault->count == 0) {
        if (at < faults->count)
            end_fault(faults, at);
        return 0;
    }
    if (at == FAULTS_MAX)
        return -ENOSPC;
    int r = fault_copy(fault, &copy);
    if (r < 0)
        return r;
    if (at < faults->count)
        fault_free(&faults->list[at]);
    else
        faults->count++;
    faults->list[at] = copy;
    return 0;
}

/* Whether a JSON text has a member of this name, written as any sane writer writes it. */
static bool names_member(const char *payload, size_t size, const char *key)
{
    size_t length = strlen(key);
    const char *end = payload ? payload + size : NULL;
    const char *at = payload;
    while (at && (at = memmem(at, (size_t)(end - at), key, length))) {
        const char *after = at + length;
        if (at > payload && at[-1] == '"' && after < end && *after == '"') {
            do
                after++;
            while (after < end && strchr(" \t\r\n", *after));
            if (after < end && *after == ':')
                return true;
        }
        at++;
    }
    return false;
}

bool fault_pattern_matches(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *retry = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            /* What the last star stands for is one longer than was tried. */
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool is_meant(const struct fault *fault, const struct fault_target *target)
{
    if (fault->thing && !is_same(fault->thing, target->thing))
        return false;
    if (fault->name && !is_same(fault->name, target->name))
        return false;
    if (fault->operation != FAULT_EVERY_OPERATION && fault->operation != target->operation)
        return false;
    if (!fault->key)
        return true;
    if (fault->kind == FAULT_REFUSE)
        return target->filter && fault_pattern_matches(fault->key, target->filter);
    return names_member(target->payload, target->size, fault->key);
}

static bool chance_strikes(struct faults *faults, unsigned percent)
{
    if (percent == 0)
        return true;
    faults->chance = faults->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (faults->chance >> 33) % 100 < percent;
}

bool faults_strike(struct faults *faults, enum fault_kind kind, const struct fault_target *target,
                   struct fault *ret_fault)
{
    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->list[i];
        if (fault->kind != kind || !is_meant(fault, target) ||
            !chance_strikes(faults, fault->percent))
            continue;
        if (ret_fault)
            *ret_fault = (struct fault){.kind = kind, .code = fault->code, .ms = fault->ms};
        if (fault->count != FAULT_ALWAYS && --fault->count == 0)
            end_fault(faults, i);
        return true;
    }
    return false;
}

unsigned faults_left(const struct faults *faults, enum fault_kind kind)
{
    uint64_t left = 0;
    for (size_t i = 0; i < faults->count; i++)
        left += faults->list[i].kind == kind ? faults->list[i].count : 0;
    return left < FAULT_ALWAYS ? (unsigned)left : FAULT_ALWAYS;
}

void faults_clear(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        fault_free(&faults->list[i]);
    faults->count = 0;
}

const char *fault_kind_name(enum fault_kind kind)
{
    static const char *const names[FAULT_KINDS] = {
        [FAULT_REJECT] = "reject",       [FAULT_DROP] = "drop",       [FAULT_LOSE] = "lose",
        [FAULT_DUPLICATE] = "duplicate", [FAULT_REORDER] = "reorder", [FAULT_DELAY] = "delay",
        [FAULT_CLOSE] = "close",         [FAULT_REFUSE] = "refuse",
    };
    return (unsigned)kind < FAULT_KINDS ? names[kind] : "unknown";
}
