#include "daemon/shadow/policies.h"

#include "daemon/shadow/path_glob.h"
#include "proto/path.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MASK_WORDS    (POLICIES_MAX / 64u)
#define MERGED_CHAINS 64u

struct rule {
    char *glob;           /* owned; as a JSON Pointer */
    char *thing, *shadow; /* owned; NULL: all */
    unsigned keys;
    struct policy policy;
};

/* A policy that at least one property has: what the sections in `mask` make together. */
struct merged {
    struct merged *next;
    uint64_t mask[MASK_WORDS];
    struct policy policy;
};

struct policies {
    struct rule rules[POLICIES_MAX];
    size_t count;
    struct merged *chains[MERGED_CHAINS]; /* owned */
};

int policies_new(struct policies **ret_policies)
{
    struct policies *policies = calloc(1, sizeof(*policies));
    if (!policies)
        return -ENOMEM;
    *ret_policies = policies;
    return 0;
}

static void rule_clear(struct rule *rule)
{
    free(rule->glob);
    free(rule->thing);
    free(rule->shadow);
    *rule = (struct rule){0};
}

struct policies *policies_free(struct policies *policies)
{
    if (!policies)
        return NULL;
    for (size_t i = 0; i < policies->count; i++)
        rule_clear(&policies->rules[i]);
    for (size_t i = 0; i < MERGED_CHAINS; i++) {
        while (policies->chains[i]) {
            struct merged *merged = policies->chains[i];
            policies->chains[i] = merged->next;
            free(merged);
        }
    }
    free(policies);
    return NULL;
}

size_t policies_count(const struct policies *policies)
{
    return policies->count;
}

/* --- sections --- */

static char *copy_text(const char *text, bool *failed)
{
    char *copy = text ? strdup(text) : NULL;
    *failed = *failed || (text && !copy);
    return copy;
}

int policies_add(struct policies *policies, const struct policy_rule *rule)
{
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    if (path_glob_check(rule->glob) || flux_path_canonical(rule->glob, pointer) != FLUX_PATH_OK)
        return -EINVAL;
    if (policies->count == POLICIES_MAX)
        return -ENOSPC;
    bool failed = false;
    struct rule added = {
        .glob = copy_text(pointer, &failed),
        .thing = copy_text(rule->thing, &failed),
        .shadow = copy_text(rule->shadow, &failed),
        .keys = rule->keys,
        .policy = rule->policy,
    };
    if (failed) {
        rule_clear(&added);
        return -ENOMEM;
    }
    policies->rules[policies->count++] = added;
    return 0;
}

/* --- merging --- */

static bool name_matches(const char *glob, const char *name)
{
    return !glob || name_glob_matches(glob, name);
}

static bool rule_matches(const struct rule *rule, const char *thing, const char *shadow,
                         const char *path, size_t path_size)
{
    return name_matches(rule->thing, thing) && name_matches(rule->shadow, shadow) &&
           path_glob_matches(rule->glob, path, path_size);
}

static void merge(struct policy *policy, const struct rule *rule)
{
    if (rule->keys & POLICY_MIN_INTERVAL)
        policy->min_interval_ms = rule->policy.min_interval_ms;
    if (rule->keys & POLICY_REFRESH)
        policy->refresh_ms = rule->policy.refresh_ms;
    if (rule->keys & POLICY_EXPIRE)
        policy->expire_ms = rule->policy.expire_ms;
    if (rule->keys & POLICY_DEADBAND)
        policy->deadband = rule->policy.deadband;
    if (rule->keys & POLICY_URGENT)
        policy->urgent = rule->policy.urgent;
    if (rule->keys & POLICY_ON_EXIT)
        policy->unset_on_exit = rule->policy.unset_on_exit;
}

static struct merged **chain_of(struct policies *policies, const struct merged *merged)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < MASK_WORDS; i++)
        hash = (hash ^ merged->mask[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return &policies->chains[(hash >> 32) % MERGED_CHAINS];
}

int policies_find(struct policies *policies, const char *thing, const char *shadow,
                  const char *path, size_t path_size, const struct policy **ret_policy)
{
    struct merged wanted = {0};
    bool any = false;
    for (size_t i = 0; i < policies->count; i++) {
        if (!rule_matches(&policies->rules[i], thing, shadow, path, path_size))
            continue;
        wanted.mask[i / 64] |= UINT64_C(1) << (i % 64);
        merge(&wanted.policy, &policies->rules[i]);
        any = true;
    }
    *ret_policy = NULL;
    if (!any)
        return 0;
    struct merged **chain = chain_of(policies, &wanted);
    for (struct merged *merged = *chain; merged; merged = merged->next) {
        if (memcmp(merged->mask, wanted.mask, sizeof(wanted.mask)) == 0) {
            *ret_policy = &merged->policy;
            return 0;
        }
    }
    struct merged *added = malloc(sizeof(*added));
    if (!added)
        return -ENOMEM;
    *added = wanted;
    added->next = *chain;
    *chain = added;
    *ret_policy = &added->policy;
    return 0;
}
