#include "daemon/reload_report.h"

#include "daemon/config_access.h"
#include "daemon/config_property.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void texts_clear(char ***texts, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        free((*texts)[i]);
    free(*texts);
    *texts = NULL;
    *count = 0;
}

void reload_report_clear(struct reload_report *report)
{
    texts_clear(&report->problems, &report->problem_count);
    texts_clear(&report->needs_restart, &report->needs_restart_count);
    texts_clear(&report->changed, &report->changed_count);
    report->result = 0;
    report->gravest = 0;
}

/* Takes `text` over, also when it fails. */
static int texts_add(char ***texts, size_t *count, char *text)
{
    char **grown = text ? realloc(*texts, (*count + 1) * sizeof(*grown)) : NULL;
    if (!grown) {
        free(text);
        return -ENOMEM;
    }
    *texts = grown;
    grown[(*count)++] = text;
    return 0;
}

char *reload_report_describe(const struct config_problem *problem)
{
    char *text = NULL;
    int size;
    if (problem->file && problem->line > 0)
        size = asprintf(&text, "%s:%u: %s", problem->file, problem->line, problem->text);
    else if (problem->file)
        size = asprintf(&text, "%s: %s", problem->file, problem->text);
    else
        size = asprintf(&text, "%s", problem->text);
    return size < 0 ? NULL : text;
}

int reload_report_add_problems(struct reload_report *report, const struct config *config)
{
    const struct config_problem *problems = config->problems;
    int r = 0;
    for (size_t i = 0; r == 0 && i < config->problem_count; i++) {
        if (problems[i].severity > problems[report->gravest].severity)
            report->gravest = i;
        report->mistake_count += problems[i].severity > CONFIG_UNKNOWN;
        r = texts_add(&report->problems, &report->problem_count,
                      reload_report_describe(&problems[i]));
    }
    return r;
}

static bool is_name(enum config_id id)
{
    return id == CONFIG_THING_NAME || id == CONFIG_THING_NAME_FROM;
}

static bool is_of_socket(enum config_id id)
{
    return id == CONFIG_SOCKET_PATH || id == CONFIG_SOCKET_MODE || id == CONFIG_SOCKET_GROUP;
}

/* Tell whether the name comes from this key. */
static bool makes_name(const struct config *config, enum config_id id)
{
    const bool is_written = *config_text(config, CONFIG_THING_NAME) != '\0';
    return id == (is_written ? CONFIG_THING_NAME : CONFIG_THING_NAME_FROM);
}

/* Tell whether the key has to wait for a restart. Where the name comes from does not matter as long
 * as it is the same; and a certificate may bring another name under the same key. */
static bool has_to_wait(const struct config *running, const struct config *fresh, enum config_id id,
                        bool same_name, bool own_socket)
{
    if (config_reload(id) != CONFIG_RELOAD_RESTART)
        return false;
    if (is_of_socket(id) && !own_socket)
        return false; /* it has no effect after a restart either */
    const bool differs = strcmp(config_text(running, id), config_text(fresh, id)) != 0;
    if (is_name(id))
        return !same_name && (differs || makes_name(fresh, id));
    return differs;
}

/* Returns NULL without memory. */
static char *describe_key(enum config_id id)
{
    const struct config_key *key = config_key(id);
    char *text = NULL;
    return asprintf(&text, "[%s] %s", key->section, key->name) < 0 ? NULL : text;
}

int reload_report_keep_running(struct reload_report *report, struct config *running,
                               struct config *fresh, bool same_name, bool own_socket)
{
    bool waits[CONFIG_ID_COUNT];
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        waits[id] = has_to_wait(running, fresh, (enum config_id)id, same_name, own_socket);
        const int r = waits[id] ? texts_add(&report->needs_restart, &report->needs_restart_count,
                                            describe_key((enum config_id)id))
                                : 0;
        if (r < 0)
            return r;
    }
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        const struct config_value kept = running->values[id];
        if (!waits[id])
            continue;
        running->values[id] = fresh->values[id];
        fresh->values[id] = kept;
    }
    return 0;
}

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_property(const struct config_property *a, const struct config_property *b)
{
    if (!is_same_text(a->section, b->section) || !is_same_text(a->thing, b->thing) ||
        !is_same_text(a->shadow, b->shadow) || a->keys != b->keys || a->ignored != b->ignored)
        return false;
    char text[CONFIG_PROPERTY_TEXT_MAX], other[CONFIG_PROPERTY_TEXT_MAX];
    for (size_t i = 0; config_property_key(a, i, text); i++) {
        (void)config_property_key(b, i, other);
        if (strcmp(text, other) != 0)
            return false;
    }
    return true;
}

/* Their order counts, as the later wins. */
static bool has_same_properties(const struct config *a, const struct config *b)
{
    if (a->property_count != b->property_count)
        return false;
    for (size_t i = 0; i < a->property_count; i++) {
        if (!is_same_property(&a->properties[i], &b->properties[i]))
            return false;
    }
    return true;
}

int reload_report_add_changes(struct reload_report *report, const struct config *running,
                              const struct config *fresh)
{
    for (unsigned i = 0; i < CONFIG_ID_COUNT; i++) {
        const enum config_id id = (enum config_id)i;
        if (config_reload(id) == CONFIG_RELOAD_RESTART ||
            strcmp(config_text(running, id), config_text(fresh, id)) == 0)
            continue;
        const int r = texts_add(&report->changed, &report->changed_count, describe_key(id));
        if (r < 0)
            return r;
    }
    if (!has_same_properties(running, fresh) &&
        texts_add(&report->changed, &report->changed_count, strdup("[Property ...]")) < 0)
        return -ENOMEM;
    if (!config_access_is_same(running, fresh) &&
        texts_add(&report->changed, &report->changed_count, strdup("[Access ...]")) < 0)
        return -ENOMEM;
    return 0;
}
