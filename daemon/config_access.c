#include "daemon/config_access.h"

#include "daemon/ipc/peer_unit.h"
#include "proto/limits.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND "Access"

static const char *const key_names[CONFIG_ACCESS_KEY_COUNT] = {
    [CONFIG_ACCESS_USER] = "User",     [CONFIG_ACCESS_GROUP] = "Group",
    [CONFIG_ACCESS_UNIT] = "Unit",     [CONFIG_ACCESS_THING] = "Thing",
    [CONFIG_ACCESS_SHADOW] = "Shadow", [CONFIG_ACCESS_REPORT] = "Report",
    [CONFIG_ACCESS_WATCH] = "Watch",   [CONFIG_ACCESS_ADMIN] = "Admin",
};

const char *config_access_key_name(enum config_access_key key)
{
    return key_names[key];
}

bool config_access_is_section(const char *section)
{
    const size_t size = strlen(KIND);
    return strncmp(section, KIND, size) == 0 &&
           (section[size] == '\0' || section[size] == ' ' || section[size] == '\t');
}

static void access_clear(struct config_access *access)
{
    for (size_t i = 0; i < CONFIG_ACCESS_KEY_COUNT; i++)
        free(access->texts[i]);
    free(access->section);
    free(access->users.items);
    free(access->groups.items);
    free(access->file);
    *access = (struct config_access){0};
}

void config_access_clear(struct config *config)
{
    for (size_t i = 0; i < config->access_count; i++)
        access_clear(&config->accesses[i]);
    free(config->accesses);
    config->accesses = NULL;
    config->access_count = 0;
}

static struct config_access *last_of(struct config *config)
{
    return config->access_count > 0 ? &config->accesses[config->access_count - 1] : NULL;
}

int config_access_refuse(struct config *config, struct config_access *access, unsigned line,
                         const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    access->is_void = true;
    return config_add_problem(config, CONFIG_BAD_VALUE, access->file, line,
                              "[%s]: %s; the section grants nothing", access->section, text);
}

void config_access_spoil(struct config *config)
{
    struct config_access *access = last_of(config);
    if (access)
        access->is_void = true;
}

/* --- a section's head --- */

static int append(struct config *config, const char *section, const char *file, unsigned line)
{
    struct config_access *accesses =
        realloc(config->accesses, (config->access_count + 1) * sizeof(*accesses));
    if (!accesses)
        return -ENOMEM;
    config->accesses = accesses;
    struct config_access access = {.section = strdup(section), .file = strdup(file), .line = line};
    if (!access.section || !access.file) {
        access_clear(&access);
        return -ENOMEM;
    }
    accesses[config->access_count++] = access;
    return 0;
}

static const char *name_of(const char *section)
{
    const char *name = section + strlen(KIND);
    return name + strspn(name, " \t");
}

/* Whose keys would count, of two with one name? Rather neither's than a mixture that nobody wrote.
 */
static int refuse_namesakes(struct config *config, struct config_access *added)
{
    for (struct config_access *other = config->accesses; other < added; other++) {
        if (strcmp(name_of(other->section), name_of(added->section)) != 0)
            continue;
        other->is_void = true;
        return config_access_refuse(config, added, added->line,
                                    "there is one of this name in %.120s:%u, which grants nothing "
                                    "either",
                                    other->file, other->line);
    }
    return 0;
}

int config_access_begin(struct config *config, const char *section, const char *file, unsigned line)
{
    config->has_access = true;
    if (config->access_count > ACCESS_SECTIONS_MAX)
        return 0; /* has been said; the last entry takes the keys */
    const int r = append(config, section, file, line);
    if (r < 0)
        return r;
    struct config_access *added = last_of(config);
    if (config->access_count > ACCESS_SECTIONS_MAX)
        return config_access_refuse(config, added, line, "more than %u sections [Access NAME]",
                                    ACCESS_SECTIONS_MAX);
    if (*name_of(section) == '\0')
        return config_access_refuse(config, added, line, "it needs a name: [Access NAME]");
    return refuse_namesakes(config, added);
}

/* --- keys --- */

static bool is_name_glob(const char *word, size_t max, const char *more)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ":_-*";
    for (const char *c = word; *c; c++) {
        if (!strchr(allowed, *c) && !strchr(more, *c))
            return false;
    }
    return strlen(word) <= max;
}

/* Returns what is wrong with one word of a list, NULL: nothing. */
static const char *check_word(enum config_access_key key, const char *word)
{
    switch (key) {
    case CONFIG_ACCESS_UNIT:
        return peer_unit_is_name(word, strlen(word)) ? NULL
                                                     : "a unit is named such as sensors.service";
    case CONFIG_ACCESS_THING:
        return is_name_glob(word, FLUX_THING_NAME_MAX, "") ? NULL : "no name of a thing has that";
    case CONFIG_ACCESS_SHADOW:
        return is_name_glob(word, FLUX_SHADOW_NAME_MAX, "$") ? NULL
                                                             : "no name of a shadow has that";
    case CONFIG_ACCESS_REPORT:
    case CONFIG_ACCESS_WATCH:
        return path_glob_check(word);
    case CONFIG_ACCESS_USER:
    case CONFIG_ACCESS_GROUP:
    case CONFIG_ACCESS_ADMIN:
    case CONFIG_ACCESS_KEY_COUNT:
        break;
    }
    return NULL;
}

static int check_list(struct config *config, struct config_access *access,
                      enum config_access_key key, const char *value, unsigned line)
{
    char buffer[CONFIG_TEXT_MAX + 1];
    const char *words[CONFIG_WORDS_MAX];
    if (strlen(value) > CONFIG_TEXT_MAX)
        return config_access_refuse(config, access, line, "%s is longer than %u bytes",
                                    key_names[key], CONFIG_TEXT_MAX);
    const size_t count = config_split(value, buffer, sizeof(buffer), words);
    if (count == 0 && key <= CONFIG_ACCESS_UNIT)
        return config_access_refuse(config, access, line, "%s names nobody", key_names[key]);
    for (size_t i = 0; i < count; i++) {
        const char *problem = check_word(key, words[i]);
        if (problem)
            return config_access_refuse(config, access, line, "%s=%.80s: %s", key_names[key],
                                        words[i], problem);
    }
    return 0;
}

static int set_admin(struct config *config, struct config_access *access, const char *value,
                     unsigned line)
{
    static const char *const words[] = {"no", "false", "off", "0", "yes", "true", "on", "1"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcmp(words[i], value) != 0)
            continue;
        access->admin = i >= sizeof(words) / sizeof(*words) / 2;
        return 0;
    }
    return config_access_refuse(config, access, line, "Admin=%.80s is neither yes nor no", value);
}

int config_access_set(struct config *config, const char *name, const char *value, const char *file,
                      unsigned line)
{
    struct config_access *access = last_of(config);
    (void)file; /* a section ends with its file */
    if (!access || config->access_count > ACCESS_SECTIONS_MAX)
        return 0;
    unsigned key = 0;
    while (key < CONFIG_ACCESS_KEY_COUNT && strcmp(key_names[key], name) != 0)
        key++;
    if (key == CONFIG_ACCESS_KEY_COUNT)
        return config_access_refuse(config, access, line,
                                    "unknown key %.80s; there are User, Group, Unit, Thing, "
                                    "Shadow, Report, Watch, Admin",
                                    name);
    if (access->texts[key])
        return config_access_refuse(config, access, line,
                                    "%s is there twice; what one line cannot hold takes another "
                                    "section, they add up",
                                    name);
    access->texts[key] = strdup(value);
    access->lines[key] = line;
    if (!access->texts[key])
        return -ENOMEM;
    if (key == CONFIG_ACCESS_ADMIN)
        return set_admin(config, access, value, line);
    return check_list(config, access, (enum config_access_key)key, value, line);
}

static bool names_somebody(const struct config_access *access)
{
    return access->texts[CONFIG_ACCESS_USER] || access->texts[CONFIG_ACCESS_GROUP] ||
           access->texts[CONFIG_ACCESS_UNIT];
}

int config_access_finish(struct config *config)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < config->access_count; i++) {
        struct config_access *access = &config->accesses[i];
        if (!access->is_void && !names_somebody(access))
            r = config_access_refuse(config, access, access->line,
                                     "it names nobody: User, Group or Unit is needed");
    }
    return r;
}

/* --- what comes of them --- */

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_ids(const struct config_ids *a, const struct config_ids *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

static bool is_same_section(const struct config_access *a, const struct config_access *b)
{
    for (size_t i = 0; i < CONFIG_ACCESS_KEY_COUNT; i++) {
        if (!is_same_text(a->texts[i], b->texts[i]))
            return false;
    }
    return strcmp(a->section, b->section) == 0 && a->is_void == b->is_void &&
           is_same_ids(&a->users, &b->users) && is_same_ids(&a->groups, &b->groups);
}

bool config_access_is_same(const struct config *a, const struct config *b)
{
    if (a->has_access != b->has_access || a->access_count != b->access_count)
        return false;
    for (size_t i = 0; i < a->access_count; i++) {
        if (!is_same_section(&a->accesses[i], &b->accesses[i]))
            return false;
    }
    return true;
}

struct list {
    char buffer[CONFIG_TEXT_MAX + 1];
    const char *words[CONFIG_WORDS_MAX];
    size_t count;
};

static void split(const struct config_access *access, enum config_access_key key,
                  struct list *ret_list)
{
    const char *text = access->texts[key] ? access->texts[key] : "";
    ret_list->count =
        config_split(text, ret_list->buffer, sizeof(ret_list->buffer), ret_list->words);
}

static int add(struct access_rules *rules, const struct config_access *access)
{
    struct list units, things, shadows, reports, watches;
    split(access, CONFIG_ACCESS_UNIT, &units);
    split(access, CONFIG_ACCESS_THING, &things);
    split(access, CONFIG_ACCESS_SHADOW, &shadows);
    split(access, CONFIG_ACCESS_REPORT, &reports);
    split(access, CONFIG_ACCESS_WATCH, &watches);
    const struct access_section section = {
        .name = access->section,
        .file = access->file,
        .line = access->line,
        .is_void = access->is_void,
        .users = access->users.items,
        .user_count = access->users.count,
        .groups = access->groups.items,
        .group_count = access->groups.count,
        .units = units.words,
        .unit_count = units.count,
        .things = things.words,
        .thing_count = things.count,
        .shadows = shadows.words,
        .shadow_count = shadows.count,
        .reports = reports.words,
        .report_count = reports.count,
        .watches = watches.words,
        .watch_count = watches.count,
        .admin = access->admin,
    };
    return access_rules_add(rules, &section);
}

int config_make_access(const struct config *config, const char *own_thing,
                       struct access_rules **ret_rules)
{
    *ret_rules = NULL;
    if (!config->has_access)
        return 0;
    struct access_rules *rules;
    int r = access_rules_new(&rules, own_thing);
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < config->access_count && i < ACCESS_SECTIONS_MAX; i++)
        r = add(rules, &config->accesses[i]);
    if (r < 0) {
        (void)access_rules_free(rules);
        return r;
    }
    *ret_rules = rules;
    return 0;
}
