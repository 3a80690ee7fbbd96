/* The sections [Property GLOB] of the configuration: their keys, bounds and problems. Makes the
 * policies of them; does not apply them. */
#ifndef FLUXAWS_CONFIG_PROPERTY_H
#define FLUXAWS_CONFIG_PROPERTY_H

#include "daemon/config.h"
#include "daemon/shadow/policies.h"
#include "proto/number.h"

#define CONFIG_PROPERTY_TEXT_MAX FLUX_NUMBER_TEXT_MAX

/* One section as it was written. What is wrong with it is a problem already. */
struct config_property {
    char *section;        /* owned: "Property GLOB" */
    char *thing, *shadow; /* owned; NULL: all */
    unsigned keys;        /* enum policy_key */
    struct policy policy;
    char *file; /* owned; where it begins */
    unsigned line;
    bool ignored; /* its glob is no glob, or there are too many: its keys say nothing */
};

/* Tell whether a section's name is one of these. */
bool config_property_is_section(const char *section);

/* Take the head of a section; the keys that follow belong to it. Returns 0 or -ENOMEM. */
int config_property_begin(struct config *config, const char *section, const char *file,
                          unsigned line);

/* Take one `name=value` of the section begun last. Returns 0 or -ENOMEM. */
int config_property_set(struct config *config, const char *section, const char *name,
                        const char *value, const char *file, unsigned line);

void config_property_clear(struct config *config);

/* Make the policies of all sections. Returns 0 with `ret_policies`, NULL where there is no section,
 * or -ENOMEM. */
int config_make_policies(const struct config *config, struct policies **ret_policies);

/* Write the value that the section gives to its key number `index`, "" where it gives none. Returns
 * the key's name, NULL behind the last key. */
const char *config_property_key(const struct config_property *property, size_t index,
                                char ret_text[static CONFIG_PROPERTY_TEXT_MAX]);

#endif
