/* Policies per property: what the sections [Property GLOB] of the configuration say, merged for
 * one property. Matches globs; does not know values, times or what a policy leads to. */
#ifndef FLUXAWS_SHADOW_POLICIES_H
#define FLUXAWS_SHADOW_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most sections. */
#define POLICIES_MAX 256u

/* What holds for one property. All zero: nothing in particular. */
struct policy {
    int64_t min_interval_ms; /* between two updates that carry it; 0: none */
    int64_t refresh_ms;      /* an equal value is sent again if the cloud's is older; 0: never */
    int64_t expire_ms;       /* not reported again for so long: removed; 0: never */
    double deadband;         /* numbers so close count as the same */
    bool urgent;             /* a change asks for an early update */
    bool unset_on_exit;      /* removed when the program that reported it is gone */
};

enum policy_key {
    POLICY_MIN_INTERVAL = 1u << 0,
    POLICY_REFRESH = 1u << 1,
    POLICY_EXPIRE = 1u << 2,
    POLICY_DEADBAND = 1u << 3,
    POLICY_URGENT = 1u << 4,
    POLICY_ON_EXIT = 1u << 5,
};

/* One section. Texts are borrowed for the call. */
struct policy_rule {
    const char *glob;   /* dotted, or a JSON Pointer: `*` within one key, `**` any number of keys */
    const char *thing;  /* glob of names, NULL: every thing */
    const char *shadow; /* the same, "": the classic shadow */
    unsigned keys;      /* enum policy_key: what it says something about */
    struct policy policy;
};

struct policies;

/* Returns 0 or -ENOMEM. */
int policies_new(struct policies **ret_policies);
struct policies *policies_free(struct policies *policies);

/* Add a section; of several that match a property the last one added wins, key by key. Returns 0,
 * -EINVAL (not a glob, path_glob_check() says why), -ENOSPC, -ENOMEM. */
int policies_add(struct policies *policies, const struct policy_rule *rule);

size_t policies_count(const struct policies *policies);

/* Merge what holds for a property of a shadow (`shadow` "": the classic one). Returns 0 and in
 * `ret_policy` a policy that lives as long as `policies`, NULL where no section matches; or
 * -ENOMEM. Costs a look at every section: keep the answer. */
int policies_find(struct policies *policies, const char *thing, const char *shadow,
                  const char *path, size_t path_size, const struct policy **ret_policy);

#endif
