#include "daemon/config_property.h"

#include "daemon/shadow/path_glob.h"
#include "proto/number.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND          "Property"
#define DAY_MS        86400000
#define SECONDS_MAX   (365 * 86400)
#define NAME_GLOB_MAX 128u

enum key_type { KEY_MS, KEY_SEC, KEY_REAL, KEY_YES_NO, KEY_ON_EXIT };

struct property_key {
    const char *name;
    enum policy_key key;
    enum key_type type;
    int64_t max;
    size_t offset; /* of what it sets, in struct policy */
};

static const struct property_key keys[] = {
    {"MinIntervalMs", POLICY_MIN_INTERVAL, KEY_MS, DAY_MS,
     offsetof(struct policy, min_interval_ms)},
    {"Deadband", POLICY_DEADBAND, KEY_REAL, 0, offsetof(struct policy, deadband)},
    {"RefreshSec", POLICY_REFRESH, KEY_SEC, SECONDS_MAX, offsetof(struct policy, refresh_ms)},
    {"Urgent", POLICY_URGENT, KEY_YES_NO, 0, offsetof(struct policy, urgent)},
    {"ExpireSec", POLICY_EXPIRE, KEY_SEC, SECONDS_MAX, offsetof(struct policy, expire_ms)},
    {"OnExit", POLICY_ON_EXIT, KEY_ON_EXIT, 0, offsetof(struct policy, unset_on_exit)},
};
#define KEY_COUNT (sizeof(keys) / sizeof(*keys))

static const char *glob_of(const char *section)
{
    const char *glob = section + strlen(KIND);
    return glob + strspn(glob, " \t");
}

bool config_property_is_section(const char *section)
{
    const size_t size = strlen(KIND);
    return strncmp(section, KIND, size) == 0 &&
           (section[size] == '\0' || section[size] == ' ' || section[size] == '\t');
}

static void property_clear(struct config_property *property)
{
    free(property->section);
    free(property->thing);
    free(property->shadow);
    free(property->file);
    *property = (struct config_property){0};
}

void config_property_clear(struct config *config)
{
    for (size_t i = 0; i < config->property_count; i++)
        property_clear(&config->properties[i]);
    free(config->properties);
    config->properties = NULL;
    config->property_count = 0;
}

static int append(struct config *config, const char *section, const char *file, unsigned line)
{
    struct config_property *properties =
        realloc(config->properties, (config->property_count + 1) * sizeof(*properties));
    if (!properties)
        return -ENOMEM;
    config->properties = properties;
    struct config_property property = {
        .section = strdup(section), .file = strdup(file), .line = line};
    if (!property.section || !property.file) {
        property_clear(&property);
        return -ENOMEM;
    }
    properties[config->property_count++] = property;
    return 0;
}

int config_property_begin(struct config *config, const char *section, const char *file,
                          unsigned line)
{
    const char *problem = path_glob_check(glob_of(section));
    if (config->property_count > POLICIES_MAX)
        return 0; /* has been said; the last entry takes the keys and says nothing */
    int r = append(config, section, file, line);
    if (r < 0)
        return r;
    struct config_property *added = &config->properties[config->property_count - 1];
    if (config->property_count > POLICIES_MAX) {
        added->ignored = true;
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "[%s]: more than %u sections [Property GLOB]; this one and "
                                  "those behind it are ignored",
                                  section, POLICIES_MAX);
    }
    if (problem) {
        added->ignored = true;
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "[%s]: not a glob of properties: %s; the section is ignored",
                                  section, problem);
    }
    return 0;
}

/* --- values --- */

static bool parse_whole(const char *value, int64_t max, int64_t *ret_number)
{
    double real;
    return flux_number_parse(value, strlen(value), ret_number, &real) == FLUX_NUMBER_INT64 &&
           *ret_number >= 0 && *ret_number <= max;
}

static bool parse_real(const char *value, double *ret_real)
{
    int64_t whole;
    const enum flux_number_kind kind = flux_number_parse(value, strlen(value), &whole, ret_real);
    if (kind == FLUX_NUMBER_INT64)
        *ret_real = (double)whole;
    return kind != FLUX_NUMBER_INVALID && *ret_real >= 0;
}

static bool parse_word(const char *value, const char *const words[], bool meaning, bool *ret_is)
{
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            *ret_is = meaning;
            return true;
        }
    }
    return false;
}

static bool parse_yes_no(const char *value, bool *ret_yes)
{
    static const char *const yes[] = {"yes", "true", "on", "1", NULL};
    static const char *const no[] = {"no", "false", "off", "0", NULL};
    return parse_word(value, yes, true, ret_yes) || parse_word(value, no, false, ret_yes);
}

static bool parse_on_exit(const char *value, bool *ret_unset)
{
    static const char *const unset[] = {"unset", NULL};
    static const char *const keep[] = {"keep", NULL};
    return parse_word(value, unset, true, ret_unset) || parse_word(value, keep, false, ret_unset);
}

static bool parse(const struct property_key *key, const char *value, struct policy *policy)
{
    void *field = (char *)policy + key->offset;
    int64_t number = 0;
    switch (key->type) {
    case KEY_MS:
    case KEY_SEC:
        if (!parse_whole(value, key->max, &number))
            return false;
        *(int64_t *)field = key->type == KEY_SEC ? number * 1000 : number;
        return true;
    case KEY_REAL:
        return parse_real(value, field);
    case KEY_YES_NO:
        return parse_yes_no(value, field);
    case KEY_ON_EXIT:
        return parse_on_exit(value, field);
    }
    return false;
}

static int bad_value(struct config *config, const struct property_key *key, const char *value,
                     const char *file, unsigned line)
{
    switch (key->type) {
    case KEY_MS:
    case KEY_SEC:
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "%s=%s is not a whole number between 0 and %lld; it is left out",
                                  key->name, value, (long long)key->max);
    case KEY_REAL:
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "%s=%s is not a number from 0 up, such as 0.5; it is left out",
                                  key->name, value);
    case KEY_YES_NO:
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "%s=%s is neither yes nor no; it is left out", key->name, value);
    case KEY_ON_EXIT:
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "%s=%s is none of: keep, unset; it is left out", key->name,
                                  value);
    }
    return 0;
}

static int set_name(struct config *config, char **name, const char *key, const char *value,
                    const char *file, unsigned line)
{
    if (strlen(value) > NAME_GLOB_MAX)
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "%s is longer than %u bytes; it is left out", key, NAME_GLOB_MAX);
    char *copy = strdup(value);
    if (!copy)
        return -ENOMEM;
    free(*name);
    *name = copy;
    return 0;
}

int config_property_set(struct config *config, const char *section, const char *name,
                        const char *value, const char *file, unsigned line)
{
    struct config_property *property =
        config->property_count ? &config->properties[config->property_count - 1] : NULL;
    const bool is_begun =
        property && (property->ignored || strcmp(property->section, section) == 0);
    if (!is_begun) {
        const int r = config_property_begin(config, section, file, line);
        if (r < 0)
            return r;
        property = &config->properties[config->property_count - 1];
    }
    if (strcmp(name, "Thing") == 0)
        return set_name(config, &property->thing, name, value, file, line);
    if (strcmp(name, "Shadow") == 0)
        return set_name(config, &property->shadow, name, value, file, line);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].name, name) != 0)
            continue;
        if (!parse(&keys[i], value, &property->policy))
            return bad_value(config, &keys[i], value, file, line);
        property->keys |= keys[i].key;
        return 0;
    }
    return config_add_problem(config, CONFIG_UNKNOWN, file, line, "unknown key %s in [%s]", name,
                              section);
}

/* --- what comes of them --- */

int config_make_policies(const struct config *config, struct policies **ret_policies)
{
    *ret_policies = NULL;
    struct policies *policies = NULL;
    for (size_t i = 0; i < config->property_count; i++) {
        const struct config_property *property = &config->properties[i];
        if (property->ignored)
            continue;
        const struct policy_rule rule = {
            .glob = glob_of(property->section),
            .thing = property->thing && *property->thing ? property->thing : NULL,
            .shadow = property->shadow,
            .keys = property->keys,
            .policy = property->policy,
        };
        int r = policies ? 0 : policies_new(&policies);
        if (r == 0)
            r = policies_add(policies, &rule);
        if (r < 0) {
            (void)policies_free(policies);
            return r;
        }
    }
    *ret_policies = policies;
    return 0;
}

const char *config_property_key(const struct config_property *property, size_t index,
                                char ret_text[static CONFIG_PROPERTY_TEXT_MAX])
{
    if (index >= KEY_COUNT || !(property->keys & keys[index].key)) {
        ret_text[0] = '\0';
        return index < KEY_COUNT ? keys[index].name : NULL;
    }
    const void *field = (const char *)&property->policy + keys[index].offset;
    const char *word = "";
    switch (keys[index].type) {
    case KEY_MS:
        (void)flux_number_format_int64(ret_text, *(const int64_t *)field);
        return keys[index].name;
    case KEY_SEC:
        (void)flux_number_format_int64(ret_text, *(const int64_t *)field / 1000);
        return keys[index].name;
    case KEY_REAL:
        (void)flux_number_format(ret_text, *(const double *)field);
        return keys[index].name;
    case KEY_YES_NO:
        word = *(const bool *)field ? "yes" : "no";
        break;
    case KEY_ON_EXIT:
        word = *(const bool *)field ? "unset" : "keep";
        break;
    }
    (void)snprintf(ret_text, CONFIG_PROPERTY_TEXT_MAX, "%s", word);
    return keys[index].name;
}
