/* Who may report, watch and administer what: the sections [Access NAME] of the configuration,
 * compiled, and what they grant to one program. Pure: looks up no user, no unit and no process. */
#ifndef FLUXAWS_IPC_ACCESS_RULES_H
#define FLUXAWS_IPC_ACCESS_RULES_H

#include "daemon/shadow/path_glob.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most sections. */
#define ACCESS_SECTIONS_MAX 256u
#define ACCESS_WORDS        (ACCESS_SECTIONS_MAX / 64u)

/* What a section grants. */
enum access_right {
    ACCESS_REPORT = 1u << 0, /* set and remove the paths that its Report matches */
    ACCESS_WATCH = 1u << 1,  /* be told of wishes for the paths that its Watch matches */
    ACCESS_ADMIN = 1u << 2,
    ACCESS_SHOW = ACCESS_REPORT | ACCESS_WATCH, /* get and keys: either of the two */
};

/* One section as the configuration has it; all is borrowed for the call. Of users, groups and units
 * each kind that is there has to fit, with one of its entries; a section without any fits nobody.
 */
struct access_section {
    const char *name; /* as it is written: "Access gui" */
    const char *file;
    unsigned line;
    bool is_void; /* there is a mistake in it: it grants nothing, and can be named */
    const uint32_t *users, *groups;
    size_t user_count, group_count;
    const char *const *units;
    size_t unit_count;
    const char *const *things; /* globs of names; none: the daemon's own */
    size_t thing_count;
    const char *const *shadows; /* the same; none: the classic one */
    size_t shadow_count;
    const char *const *reports, *const *watches; /* globs of paths, good by path_glob_check() */
    size_t report_count, watch_count;
    bool admin;
};

struct access_rules;

/* Begin without a section: nothing is granted but to root. Returns 0 or -ENOMEM. */
int access_rules_new(struct access_rules **ret_rules, const char *own_thing);
struct access_rules *access_rules_free(struct access_rules *rules);

/* Add a section. Returns 0, -EINVAL (a bad glob), -ENOSPC, -ENOMEM; then it grants nothing. */
int access_rules_add(struct access_rules *rules, const struct access_section *section);

/* Who a program is, as the kernel says. */
struct access_peer {
    uint32_t uid, gid;
    const uint32_t *groups; /* borrowed; the supplementary ones */
    size_t group_count;
    const char *unit; /* borrowed; of systemd, "" where that cannot be told: fits no Unit */
};

/* What is granted: the sections that count, of rules that live as long. `rules` NULL: everything.
 */
struct access_grant {
    const struct access_rules *rules; /* borrowed */
    uint64_t sections[ACCESS_WORDS];
};

/* Find what the rules (NULL: there are none) grant to a program on whatever shadow. */
void access_grant_peer(const struct access_rules *rules, const struct access_peer *peer,
                       struct access_grant *ret_grant);

/* Narrow it to one shadow (`thing` "": the daemon's own, `shadow` "": the classic one). */
void access_grant_shadow(const struct access_grant *of_peer, const char *thing, const char *shadow,
                         struct access_grant *ret_grant);

/* Tell whether everything is granted, so that nothing else needs to be asked. */
static inline bool access_is_all(const struct access_grant *grant)
{
    return !grant->rules;
}

/* Tell whether one of these rights is granted, on whatever path. */
bool access_has(const struct access_grant *grant, unsigned rights);

/* The paths on which one of these rights is granted; the lists live as long as the rules. */
struct access_paths {
    struct path_filter filter;
    const struct path_globs *lists[2 * ACCESS_SECTIONS_MAX];
};
void access_get_paths(const struct access_grant *grant, unsigned rights,
                      struct access_paths *ret_paths);

/* Say in at most `size` bytes why a program lacks a right: which section there is, and what to
 * change. `path` (may be NULL) is what it would have to be granted on. */
void access_explain(const struct access_grant *grant, const struct access_grant *of_peer,
                    const struct access_peer *peer, enum access_right right, const char *path,
                    char *ret_text, size_t size);

#endif
