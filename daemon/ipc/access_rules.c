#include "daemon/ipc/access_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A few texts in one piece of memory. */
struct texts {
    char **items; /* owned */
    size_t count;
};

struct ids {
    uint32_t *items; /* owned */
    size_t count;
};

struct section {
    char *name, *file; /* owned */
    unsigned line;
    bool is_void, admin;
    struct ids users, groups;
    struct texts units, things, shadows;
    struct path_globs *reports, *watches; /* owned; NULL: none */
};

struct access_rules {
    char *own_thing; /* owned */
    struct section sections[ACCESS_SECTIONS_MAX];
    size_t count;
};

int access_rules_new(struct access_rules **ret_rules, const char *own_thing)
{
    struct access_rules *rules = calloc(1, sizeof(*rules));
    if (!rules)
        return -ENOMEM;
    rules->own_thing = strdup(own_thing);
    if (!rules->own_thing) {
        free(rules);
        return -ENOMEM;
    }
    *ret_rules = rules;
    return 0;
}

static void texts_clear(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
}

static void section_clear(struct section *section)
{
    free(section->name);
    free(section->file);
    free(section->users.items);
    free(section->groups.items);
    texts_clear(&section->units);
    texts_clear(&section->things);
    texts_clear(&section->shadows);
    (void)path_globs_free(section->reports);
    (void)path_globs_free(section->watches);
    *section = (struct section){0};
}

struct access_rules *access_rules_free(struct access_rules *rules)
{
    if (!rules)
        return NULL;
    for (size_t i = 0; i < rules->count; i++)
        section_clear(&rules->sections[i]);
    free(rules->own_thing);
    free(rules);
    return NULL;
}

static int texts_copy(struct texts *ret_texts, const char *const *items, size_t count)
{
    if (count == 0)
        return 0;
    ret_texts->items = calloc(count, sizeof(*ret_texts->items));
    for (size_t i = 0; ret_texts->items && i < count; i++) {
        ret_texts->items[i] = strdup(items[i]);
        if (!ret_texts->items[i])
            return -ENOMEM;
        ret_texts->count++;
    }
    return ret_texts->items ? 0 : -ENOMEM;
}

static int ids_copy(struct ids *ret_ids, const uint32_t *items, size_t count)
{
    if (count == 0)
        return 0;
    ret_ids->items = malloc(count * sizeof(*items));
    if (!ret_ids->items)
        return -ENOMEM;
    memcpy(ret_ids->items, items, count * sizeof(*items));
    ret_ids->count = count;
    return 0;
}

static int globs_copy(struct path_globs **ret_globs, const char *const *texts, size_t count)
{
    return count == 0 ? 0 : path_globs_new(ret_globs, texts, count);
}

static int section_copy(struct section *ret_section, const struct access_section *section)
{
    ret_section->name = strdup(section->name);
    ret_section->file = strdup(section->file);
    int r = ret_section->name && ret_section->file ? 0 : -ENOMEM;
    ret_section->line = section->line;
    ret_section->is_void = section->is_void;
    if (r < 0 || section->is_void)
        return r;
    ret_section->admin = section->admin;
    r = ids_copy(&ret_section->users, section->users, section->user_count);
    if (r == 0)
        r = ids_copy(&ret_section->groups, section->groups, section->group_count);
    if (r == 0)
        r = texts_copy(&ret_section->units, section->units, section->unit_count);
    if (r == 0)
        r = texts_copy(&ret_section->things, section->things, section->thing_count);
    if (r == 0)
        r = texts_copy(&ret_section->shadows, section->shadows, section->shadow_count);
    if (r == 0)
        r = globs_copy(&ret_section->reports, section->reports, section->report_count);
    if (r == 0)
        r = globs_copy(&ret_section->watches, section->watches, section->watch_count);
    return r;
}

int access_rules_add(struct access_rules *rules, const struct access_section *section)
{
    if (rules->count == ACCESS_SECTIONS_MAX)
        return -ENOSPC;
    struct section added = {0};
    const int r = section_copy(&added, section);
    if (r < 0) {
        section_clear(&added);
        return r;
    }
    rules->sections[rules->count++] = added;
    return 0;
}

/* --- who --- */

static bool ids_have(const struct ids *ids, uint32_t id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->items[i] == id)
            return true;
    }
    return false;
}

static bool fits_groups(const struct ids *ids, const struct access_peer *peer)
{
    if (ids->count == 0 || ids_have(ids, peer->gid))
        return true;
    for (size_t i = 0; i < peer->group_count; i++) {
        if (ids_have(ids, peer->groups[i]))
            return true;
    }
    return false;
}

static bool fits_units(const struct texts *units, const char *unit)
{
    if (units->count == 0)
        return true;
    for (size_t i = 0; i < units->count; i++) {
        if (*unit != '\0' && strcmp(units->items[i], unit) == 0)
            return true;
    }
    return false;
}

static bool fits_peer(const struct section *section, const struct access_peer *peer)
{
    const bool names_somebody =
        section->users.count > 0 || section->groups.count > 0 || section->units.count > 0;
    if (section->is_void || !names_somebody)
        return false;
    return (section->users.count == 0 || ids_have(&section->users, peer->uid)) &&
           fits_groups(&section->groups, peer) && fits_units(&section->units, peer->unit);
}

static bool has_section(const struct access_grant *grant, size_t index)
{
    return (grant->sections[index / 64] >> (index % 64)) & 1;
}

static void add_section(struct access_grant *grant, size_t index)
{
    grant->sections[index / 64] |= UINT64_C(1) << (index % 64);
}

void access_grant_peer(const struct access_rules *rules, const struct access_peer *peer,
                       struct access_grant *ret_grant)
{
    *ret_grant = (struct access_grant){.rules = peer->uid == 0 ? NULL : rules};
    if (access_is_all(ret_grant))
        return;
    for (size_t i = 0; i < rules->count; i++) {
        if (fits_peer(&rules->sections[i], peer))
            add_section(ret_grant, i);
    }
}

/* --- where --- */

static bool fits_names(const struct texts *globs, const char *otherwise, const char *name)
{
    if (globs->count == 0)
        return strcmp(otherwise, name) == 0;
    for (size_t i = 0; i < globs->count; i++) {
        if (name_glob_matches(globs->items[i], name))
            return true;
    }
    return false;
}

void access_grant_shadow(const struct access_grant *of_peer, const char *thing, const char *shadow,
                         struct access_grant *ret_grant)
{
    const struct access_rules *rules = of_peer->rules;
    *ret_grant = (struct access_grant){.rules = rules};
    if (rules && *thing == '\0')
        thing = rules->own_thing;
    for (size_t i = 0; rules && i < rules->count; i++) {
        const struct section *section = &rules->sections[i];
        if (has_section(of_peer, i) && fits_names(&section->things, rules->own_thing, thing) &&
            fits_names(&section->shadows, "", shadow))
            add_section(ret_grant, i);
    }
}

/* --- what --- */

static bool grants(const struct section *section, unsigned rights)
{
    return ((rights & ACCESS_REPORT) && section->reports) ||
           ((rights & ACCESS_WATCH) && section->watches) ||
           ((rights & ACCESS_ADMIN) && section->admin);
}

bool access_has(const struct access_grant *grant, unsigned rights)
{
    if (access_is_all(grant))
        return true;
    for (size_t i = 0; i < grant->rules->count; i++) {
        if (has_section(grant, i) && grants(&grant->rules->sections[i], rights))
            return true;
    }
    return false;
}

void access_get_paths(const struct access_grant *grant, unsigned rights,
                      struct access_paths *ret_paths)
{
    size_t count = 0;
    for (size_t i = 0; grant->rules && i < grant->rules->count; i++) {
        const struct section *section = &grant->rules->sections[i];
        if (!has_section(grant, i))
            continue;
        if ((rights & ACCESS_REPORT) && section->reports)
            ret_paths->lists[count++] = section->reports;
        if ((rights & ACCESS_WATCH) && section->watches)
            ret_paths->lists[count++] = section->watches;
    }
    ret_paths->filter = (struct path_filter){ret_paths->lists, count};
}

/* --- why not --- */

static const struct section *first_of(const struct access_grant *grant)
{
    for (size_t i = 0; i < grant->rules->count; i++) {
        if (has_section(grant, i))
            return &grant->rules->sections[i];
    }
    return NULL;
}

static const struct section *first_void(const struct access_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (rules->sections[i].is_void)
            return &rules->sections[i];
    }
    return NULL;
}

struct words {
    const char *may, *add;
};

static struct words words_of(enum access_right right)
{
    switch (right) {
    case ACCESS_REPORT:
        return (struct words){"report", "Report="};
    case ACCESS_WATCH:
        return (struct words){"watch", "Watch="};
    case ACCESS_SHOW:
        return (struct words){"read", "Report= or Watch="};
    case ACCESS_ADMIN:
        break;
    }
    return (struct words){"administer", "Admin=yes"};
}

void access_explain(const struct access_grant *grant, const struct access_grant *of_peer,
                    const struct access_peer *peer, enum access_right right, const char *path,
                    char *ret_text, size_t size)
{
    const struct words words = words_of(right);
    const struct access_rules *rules = of_peer->rules;
    char who[192], what[192];
    (void)snprintf(who, sizeof(who), "uid %u%s%.150s", (unsigned)peer->uid,
                   *peer->unit ? " in " : "", peer->unit);
    (void)snprintf(what, sizeof(what), "%s%s%.120s", words.may, path && *path ? " " : "",
                   path ? path : "");
    const struct section *section;
    if ((section = first_of(grant)))
        (void)snprintf(ret_text, size,
                       "[%s] (%s:%u) does not let %s %s; grant it with %s there, then: fluxctl "
                       "reload",
                       section->name, section->file, section->line, who, what, words.add);
    else if ((section = first_of(of_peer)))
        (void)snprintf(ret_text, size,
                       "[%s] (%s:%u) is for %s, but not for this shadow: its Thing and Shadow say "
                       "for which; name it there, then: fluxctl reload",
                       section->name, section->file, section->line, who);
    else if ((section = first_void(rules)))
        (void)snprintf(ret_text, size,
                       "no [Access] section lets %s %s; [%s] (%s:%u) has a mistake and grants "
                       "nothing: fluxawsd --check-config tells which",
                       who, what, section->name, section->file, section->line);
    else if (rules->count > 0)
        (void)snprintf(ret_text, size,
                       "no [Access] section lets %s %s, neither [%s] (%s:%u) nor another one; add "
                       "one with User=, Group= or Unit= and %s, then: fluxctl reload",
                       who, what, rules->sections[0].name, rules->sections[0].file,
                       rules->sections[0].line, words.add);
    else
        (void)snprintf(ret_text, size,
                       "what the configuration says of [Access] cannot be read and grants nothing: "
                       "fluxawsd --check-config tells where");
}
