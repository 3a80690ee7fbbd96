#include "daemon/shadow/contradiction.h"

#include "proto/property_set.h"
#include <errno.h>
#include <string.h>

/* Few operations are compared each with each; more are tried on a set of their own. */
#define FEW 32u

static bool is_leaf(const struct shadow_operation *operation)
{
    return operation->kind == FLUX_SET && operation->value.type != FLUX_VALUE_EMPTY_OBJECT;
}

static bool is_above(const struct shadow_operation *a, const struct shadow_operation *b)
{
    return a->path_size < b->path_size && b->path[a->path_size] == '/' &&
           memcmp(a->path, b->path, a->path_size) == 0;
}

static bool takes_away(const struct shadow_operation *unset, const struct shadow_operation *set)
{
    bool same =
        unset->path_size == set->path_size && memcmp(unset->path, set->path, set->path_size) == 0;
    return unset->kind == FLUX_UNSET && (same || is_above(unset, set));
}

/* Tell whether the earlier of two values is gone before the later one comes. */
static bool is_taken_away(const struct shadow_operation *a, const struct shadow_operation *b)
{
    const struct shadow_operation *first = a < b ? a : b;
    const struct shadow_operation *last = a < b ? b : a;
    for (const struct shadow_operation *between = first + 1; between < last; between++) {
        if (takes_away(between, first))
            return true;
    }
    return false;
}

static bool exclude(const struct shadow_operation *above, const struct shadow_operation *below)
{
    return is_leaf(above) && below->kind == FLUX_SET && is_above(above, below) &&
           !is_taken_away(above, below);
}

static int find_among_few(const struct shadow_report *report, struct contradiction *ret)
{
    const struct shadow_operation *operations = report->operations;
    for (size_t i = 0; i < report->operation_count; i++) {
        if (!is_leaf(&operations[i]))
            continue;
        for (size_t j = 0; j < report->operation_count; j++) {
            if (!exclude(&operations[i], &operations[j]))
                continue;
            *ret = (struct contradiction){&operations[i], &operations[j]};
            return 1;
        }
    }
    return 0;
}

/* What a property of the scratch set remembers. */
static const struct shadow_operation **origin_of(const struct flux_property *property)
{
    return (const struct shadow_operation **)(void *)property->extension;
}

static const struct shadow_operation *find_value_below(const struct flux_property *top)
{
    const struct flux_property *p = top;
    while ((p = flux_property_next(top, p)) != NULL) {
        if (p->value.type != FLUX_VALUE_NONE)
            return *origin_of(p);
    }
    return NULL;
}

/* Apply one operation to the scratch set, unless it excludes one that stands there. */
static int try_operation(struct flux_property_set *scratch,
                         const struct shadow_operation *operation, struct contradiction *ret)
{
    const struct flux_property *known =
        flux_property_set_find(scratch, operation->path, operation->path_size);
    const struct shadow_operation *below =
        known && is_leaf(operation) ? find_value_below(known) : NULL;
    if (below) {
        *ret = (struct contradiction){operation, below};
        return 1;
    }
    struct flux_applied applied;
    struct flux_value mark = is_leaf(operation) ? flux_value_bool(true) : flux_value_empty_object();
    int r = flux_property_set_apply(scratch, operation->kind, operation->path, operation->path_size,
                                    operation->kind == FLUX_SET ? &mark : NULL, 1, 0, &applied);
    if (r < 0)
        return r;
    if (operation->kind == FLUX_SET && applied.converted) {
        *ret = (struct contradiction){*origin_of(applied.converted), operation};
        return 1;
    }
    *origin_of(applied.property) = operation;
    return 0;
}

static int find_among_many(const struct shadow_report *report, struct contradiction *ret)
{
    struct flux_property_set scratch;
    int r = flux_property_set_init(&scratch, sizeof(const struct shadow_operation *), 0);
    for (size_t i = 0; i < report->operation_count && r == 0; i++) {
        if (report->operations[i].kind == FLUX_SET || report->operations[i].kind == FLUX_UNSET)
            r = try_operation(&scratch, &report->operations[i], ret);
    }
    flux_property_set_clear(&scratch);
    return r == -ENOSPC ? 0 : r; /* more than can be held: refused for that right after */
}

int contradiction_find(const struct shadow_report *report, struct contradiction *ret_contradiction)
{
    if (report->operation_count < 2)
        return 0;
    if (report->operation_count <= FEW)
        return find_among_few(report, ret_contradiction);
    return find_among_many(report, ret_contradiction);
}
