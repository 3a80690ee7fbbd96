/* The sections [Access NAME] of the configuration: their keys and their mistakes. A section with a
 * mistake grants nothing. Pure: users and groups are looked up elsewhere (config_users.h). */
#ifndef FLUXAWS_CONFIG_ACCESS_H
#define FLUXAWS_CONFIG_ACCESS_H

#include "daemon/config.h"
#include "daemon/ipc/access_rules.h"

enum config_access_key {
    CONFIG_ACCESS_USER,
    CONFIG_ACCESS_GROUP,
    CONFIG_ACCESS_UNIT,
    CONFIG_ACCESS_THING,
    CONFIG_ACCESS_SHADOW,
    CONFIG_ACCESS_REPORT,
    CONFIG_ACCESS_WATCH,
    CONFIG_ACCESS_ADMIN,
    CONFIG_ACCESS_KEY_COUNT,
};
const char *config_access_key_name(enum config_access_key key);

/* Users or groups by number. */
struct config_ids {
    uint32_t *items; /* owned */
    size_t count;
};

/* One section as it was written. What is wrong with it is a problem already. */
struct config_access {
    char *section;                           /* owned: "Access NAME" */
    char *texts[CONFIG_ACCESS_KEY_COUNT];    /* owned; NULL: the key is not there */
    unsigned lines[CONFIG_ACCESS_KEY_COUNT]; /* where they stand */
    struct config_ids users, groups;         /* once they were looked up */
    bool admin;
    bool is_void; /* there is a mistake in it: it grants nothing */
    char *file;   /* owned; where it begins */
    unsigned line;
};

/* Tell whether a section's name is one of these. */
bool config_access_is_section(const char *section);

/* Take the head of a section; the keys that follow belong to it. Returns 0 or -ENOMEM. */
int config_access_begin(struct config *config, const char *section, const char *file,
                        unsigned line);

/* Take one `name=value` of the section begun last. Returns 0 or -ENOMEM. */
int config_access_set(struct config *config, const char *name, const char *value, const char *file,
                      unsigned line);

/* A line of the section begun last cannot be used, which has been told. */
void config_access_spoil(struct config *config);

/* There is a mistake in a section: tell about it, and grant nothing. Returns 0 or -ENOMEM. */
int config_access_refuse(struct config *config, struct config_access *access, unsigned line,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Check what only the whole of each section can tell. Returns 0 or -ENOMEM. */
int config_access_finish(struct config *config);

void config_access_clear(struct config *config);

/* Tell whether two configurations grant the same. */
bool config_access_is_same(const struct config *a, const struct config *b);

/* Make the rules of all sections. Returns 0 with `ret_rules`, NULL where there is no section and
 * so no rule; or -ENOMEM. */
int config_make_access(const struct config *config, const char *own_thing,
                       struct access_rules **ret_rules);

#endif
