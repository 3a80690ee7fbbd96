#include "daemon/shadow/thing_private.h"
#include "proto/siphash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- what this daemon may report for --- */

void thing_clear_extra(struct thing *thing)
{
    for (size_t i = 0; i < thing->extra_count; i++)
        free(thing->extra[i]);
    free(thing->extra);
    thing->extra = NULL;
    thing->extra_count = 0;
}

int thing_set_extra(struct thing *thing, const char *const *extra, size_t count)
{
    char **copies = calloc(count > 0 ? count : 1, sizeof(*copies));
    if (!copies)
        return -ENOMEM;
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        bool usable = topic_is_thing_pattern(extra[i]);
        copies[i] = usable ? strdup(extra[i]) : NULL;
        if (!copies[i])
            r = usable ? -ENOMEM : -EINVAL;
    }
    if (r < 0) {
        for (size_t i = 0; i < count; i++)
            free(copies[i]);
        free(copies);
        return r;
    }
    thing_clear_extra(thing);
    thing->extra = copies;
    thing->extra_count = count;
    return 0;
}

bool thing_may_report_for(const struct thing *thing, const char *thing_name)
{
    if (strcmp(thing_name, thing->name) == 0)
        return true;
    for (size_t i = 0; i < thing->extra_count; i++) {
        if (topic_matches_pattern(thing->extra[i], thing_name))
            return true;
    }
    return false;
}

/* --- the table of names --- */

static size_t bucket_of(const struct thing *thing, const char *thing_name, const char *shadow_name)
{
    char key[FLUX_THING_NAME_MAX + FLUX_SHADOW_NAME_MAX + 2];
    size_t thing_size = strlen(thing_name), shadow_size = strlen(shadow_name);
    memcpy(key, thing_name, thing_size);
    key[thing_size] = '/';
    memcpy(key + thing_size + 1, shadow_name, shadow_size);
    uint64_t hash = flux_siphash(key, thing_size + 1 + shadow_size, thing->hash_seed);
    return (size_t)(hash & (THING_BUCKETS - 1));
}

struct shadow *thing_find_shadow(const struct thing *thing, const char *thing_name,
                                 const char *shadow_name)
{
    struct shadow *shadow = thing->buckets[bucket_of(thing, thing_name, shadow_name)];
    while (shadow &&
           (strcmp(shadow->name, shadow_name) != 0 || strcmp(shadow->thing, thing_name) != 0))
        shadow = shadow->bucket_next;
    return shadow;
}

static size_t free_place(const struct thing *thing)
{
    for (size_t i = 0; i < thing->places; i++) {
        if (!thing->shadows[i])
            return i;
    }
    return thing->places;
}

static struct thing_group *enter_group(struct thing *thing, const char *name)
{
    struct thing_group *group = thing->groups;
    while (group && strcmp(group->name, name) != 0)
        group = group->next;
    if (!group) {
        group = calloc(1, sizeof(*group));
        if (!group)
            return NULL;
        memcpy(group->name, name, strlen(name) + 1);
        group->next = thing->groups;
        thing->groups = group;
    }
    group->shadow_count++;
    return group;
}

static void leave_group(struct thing *thing, struct thing_group *group)
{
    if (!group || --group->shadow_count > 0)
        return;
    struct thing_group **link = &thing->groups;
    while (*link != group)
        link = &(*link)->next;
    *link = group->next;
    free(group);
}

int thing_add_shadow(struct thing *thing, const char *thing_name, const char *shadow_name,
                     struct shadow **ret_shadow)
{
    size_t place = free_place(thing);
    if (place == THING_SHADOWS_MAX)
        return -ENOSPC;
    struct shadow *shadow;
    int r = shadow_new(&shadow, &thing->connection, thing_name, shadow_name, 0);
    if (r < 0)
        return r;
    shadow->group = enter_group(thing, thing_name);
    if (!shadow->group ||
        subscriptions_join(&thing->subscriptions, &shadow->listener, thing_name, shadow_name) < 0) {
        leave_group(thing, shadow->group);
        (void)shadow_free(shadow);
        return -ENOMEM;
    }
    struct shadow **bucket = &thing->buckets[bucket_of(thing, thing_name, shadow_name)];
    shadow->bucket_next = *bucket;
    *bucket = shadow;
    shadow->place = place;
    thing->shadows[place] = shadow;
    thing->shadow_count++;
    if (place == thing->places)
        thing->places++;
    thing->turns[place] = (struct thing_turn){.tick_ms = INT64_MAX, .request_ms = INT64_MAX};
    *ret_shadow = shadow;
    return 0;
}

static void untouch(struct shadow *shadow)
{
    struct shadow **link = &shadow->connection->touched_first;
    while (*link && *link != shadow)
        link = &(*link)->touched_next;
    if (*link)
        *link = shadow->touched_next;
}

static void remove_shadow(struct thing *thing, struct shadow *shadow)
{
    struct shadow **link = &thing->buckets[bucket_of(thing, shadow->thing, shadow->name)];
    while (*link != shadow)
        link = &(*link)->bucket_next;
    *link = shadow->bucket_next;
    untouch(shadow);
    thing_forget_turn(thing, shadow);
    subscriptions_leave(&thing->subscriptions, &shadow->listener);
    leave_group(thing, shadow->group);
    thing->shadows[shadow->place] = NULL;
    thing->shadow_count--;
    thing->outcomes_of_gone += shadow->ledger.fate_serial + shadow->stored_revision + 1;
    (void)shadow_free(shadow);
}

void thing_clear_shadows(struct thing *thing)
{
    for (size_t i = 0; i < thing->places; i++) {
        if (thing->shadows[i])
            remove_shadow(thing, thing->shadows[i]);
    }
    thing->places = 0;
}

/* --- opening and closing --- */

static bool may_be_given_up(const struct shadow *shadow)
{
    return shadow->place > 0 && shadow->user_count == 0 && shadow->watcher_count == 0 &&
           shadow->ledger.set.value_count == 0 && shadow->ledger.set.cut_count == 0 &&
           shadow_pending_count(shadow) == 0 && shadow->ledger.contested.count == 0 &&
           shadow->request == SHADOW_REQUEST_NONE && shadow->unsettled_count == 0;
}

/* The shadow to give up first, or NULL: the one that was closed longest ago. */
static struct shadow *find_victim(const struct thing *thing)
{
    struct shadow *victim = NULL;
    for (size_t i = 1; i < thing->places; i++) {
        struct shadow *shadow = thing->shadows[i];
        if (shadow && may_be_given_up(shadow) &&
            (!victim || shadow->closed_serial < victim->closed_serial))
            victim = shadow;
    }
    return victim;
}

/* Make room by giving up shadows: several where MaxShadows was higher before. Returns whether there
 * is room. */
static bool make_room(struct thing *thing)
{
    while (thing->shadow_count >= thing->connection.options.max_shadows) {
        struct shadow *victim = find_victim(thing);
        if (!victim || !thing_note_gone(thing, victim))
            return false;
        remove_shadow(thing, victim);
    }
    return true;
}

int thing_open_shadow(struct thing *thing, const char *thing_name, const char *shadow_name,
                      struct shadow **ret_shadow)
{
    if (!thing_name || !*thing_name)
        thing_name = thing->name;
    if (!shadow_name)
        shadow_name = "";
    if (!topic_is_thing_name(thing_name))
        return -EINVAL;
    if (*shadow_name && !topic_is_shadow_name(shadow_name))
        return -EINVAL;
    if (!thing_may_report_for(thing, thing_name))
        return -EACCES;
    struct shadow *shadow = thing_find_shadow(thing, thing_name, shadow_name);
    if (!shadow) {
        if (!make_room(thing))
            return -ENOSPC;
        int r = thing_add_shadow(thing, thing_name, shadow_name, &shadow);
        if (r < 0)
            return r;
        shadow->ledger.newest_revision = thing->save.revision_floor;
        shadow->stored_revision = thing->save.revision_floor;
        if (thing->link_up)
            shadow_link_up(shadow, thing->connection.last_alive_ms);
        shadow_touch(shadow);
    }
    shadow->user_count++;
    *ret_shadow = shadow;
    return 0;
}

void thing_hold_shadow(struct thing *thing, struct shadow *shadow)
{
    (void)thing;
    shadow->user_count++;
}

void thing_close_shadow(struct thing *thing, struct shadow *shadow)
{
    if (shadow->user_count > 0)
        shadow->user_count--;
    shadow->closed_serial = ++thing->close_count;
}

struct shadow *thing_next_shadow(struct thing *thing, const struct shadow *previous)
{
    for (size_t i = previous ? previous->place + 1 : 0; i < thing->places; i++) {
        if (thing->shadows[i])
            return thing->shadows[i];
    }
    return NULL;
}
