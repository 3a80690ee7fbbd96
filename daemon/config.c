#include "daemon/config.h"

#include "daemon/config_access.h"
#include "daemon/config_control.h"
#include "daemon/config_property.h"
#include "daemon/config_suggest.h"
#include "daemon/mqtt/proxy_address.h"
#include "daemon/shadow/topics.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number_parse(const struct config_key *key, const char *text, int64_t *ret_number)
{
    const int base = key->type == CONFIG_OCTAL ? 8 : 10;
    if (*text < '0' || *text > '9')
        return -EINVAL; /* strtoll() would take blanks and signs */

    char *end = NULL;
    errno = 0;
    const long long number = strtoll(text, &end, base);
    if (errno == ERANGE)
        return -ERANGE;
    if (*end != '\0')
        return -EINVAL;
    if (number < key->min || number > key->max)
        return -ERANGE;
    *ret_number = number;
    return 0;
}

static int choice_parse(const struct config_key *key, const char *text, int64_t *ret_number)
{
    for (int64_t i = 0; key->choices[i]; i++) {
        if (strcmp(key->choices[i], text) == 0) {
            *ret_number = i;
            return 0;
        }
    }
    return -EINVAL;
}

/* One colon is a port, two are an IPv6 address. */
static bool looks_like_host(const char *text)
{
    const char *colon = strchr(text, ':');
    if (colon && !strchr(colon + 1, ':'))
        return false;
    return strpbrk(text, "/@\"' \t") == NULL;
}

static const char separators[] = " \t,";

size_t config_split(const char *text, char *buffer, size_t size,
                    const char *ret_words[static CONFIG_WORDS_MAX])
{
    size_t count = 0;
    (void)snprintf(buffer, size, "%s", text);
    for (char *word = buffer; count < CONFIG_WORDS_MAX; word += strlen(word) + 1) {
        word += strspn(word, separators);
        if (*word == '\0')
            break;
        const size_t length = strcspn(word, separators);
        const bool is_last = word[length] == '\0';
        word[length] = '\0';
        ret_words[count++] = word;
        if (is_last)
            break;
    }
    return count;
}

static bool looks_like_things(const char *text)
{
    char buffer[CONFIG_TEXT_MAX + 1];
    const char *words[CONFIG_WORDS_MAX];
    const size_t count = config_split(text, buffer, sizeof(buffer), words);
    for (size_t i = 0; i < count; i++) {
        if (!topic_is_thing_pattern(words[i]))
            return false;
    }
    return true;
}

static bool is_proxy(const char *text)
{
    struct proxy_address proxy;
    const bool is_one = proxy_address_parse(text, &proxy, NULL) == 0;
    explicit_bzero(&proxy, sizeof(proxy));
    return is_one;
}

/* Returns 0, -EINVAL (not of the key's type), -ERANGE (out of its bounds). */
static int value_parse(const struct config_key *key, const char *text, int64_t *ret_number)
{
    *ret_number = 0;
    switch (key->type) {
    case CONFIG_TEXT:
        return (int64_t)strlen(text) > key->max ? -ERANGE : 0;
    case CONFIG_HOST:
        return (int64_t)strlen(text) <= key->max && looks_like_host(text) ? 0 : -EINVAL;
    case CONFIG_THINGS:
        return (int64_t)strlen(text) <= key->max && looks_like_things(text) ? 0 : -EINVAL;
    case CONFIG_SOCKET:
        return (int64_t)strlen(text) <= key->max && *text == '/' ? 0 : -EINVAL;
    case CONFIG_DIRECTORY:
        return (int64_t)strlen(text) <= key->max && (*text == '/' || *text == '\0') ? 0 : -EINVAL;
    case CONFIG_PROXY_URL:
        return *text == '\0' || is_proxy(text) ? 0 : -EINVAL;
    case CONFIG_NUMBER:
    case CONFIG_OCTAL:
        return number_parse(key, text, ret_number);
    case CONFIG_CHOICE:
        return choice_parse(key, text, ret_number);
    }
    return -EINVAL;
}

static void value_clear(struct config_value *value)
{
    free(value->text);
    free(value->file);
    *value = (struct config_value){0};
}

/* Put a checked text into a key; a NULL `file` marks the default. */
static int value_store(struct config_value *value, const char *text, int64_t number,
                       const char *file, unsigned line)
{
    struct config_value fresh = {.text = strdup(text), .number = number, .line = line};
    if (file)
        fresh.file = strdup(file);
    if (!fresh.text || (file && !fresh.file)) {
        value_clear(&fresh);
        return -ENOMEM;
    }
    value_clear(value);
    *value = fresh;
    return 0;
}

static int value_reset(struct config *config, enum config_id id)
{
    int64_t number = 0;
    (void)value_parse(config_key(id), config_key(id)->value, &number);
    return value_store(&config->values[id], config_key(id)->value, number, NULL, 0);
}

int config_init(struct config *ret_config)
{
    *ret_config = (struct config){0};
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        if (value_reset(ret_config, (enum config_id)id) < 0) {
            config_clear(ret_config);
            return -ENOMEM;
        }
    }
    return 0;
}

void config_clear(struct config *config)
{
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++)
        value_clear(&config->values[id]);
    for (size_t i = 0; i < config->problem_count; i++) {
        free(config->problems[i].file);
        free(config->problems[i].text);
    }
    value_clear(&config->earlier_name);
    free(config->problems);
    config_property_clear(config);
    config_access_clear(config);
    *config = (struct config){0};
}

int config_add_problem(struct config *config, enum config_severity severity, const char *file,
                       unsigned line, const char *format, ...)
{
    if (config->problem_count >= CONFIG_PROBLEMS_MAX) {
        /* The last place tells of the worst of the rest. */
        struct config_problem *last = &config->problems[config->problem_count - 1];
        if (severity > last->severity)
            last->severity = severity;
        return 0;
    }
    struct config_problem *problems =
        realloc(config->problems, (config->problem_count + 1) * sizeof(*problems));
    if (!problems)
        return -ENOMEM;
    config->problems = problems;

    struct config_problem problem = {.severity = severity, .line = line};
    va_list arguments;
    va_start(arguments, format);
    const int size = vasprintf(&problem.text, format, arguments);
    va_end(arguments);
    if (size < 0)
        return -ENOMEM;
    if (file) {
        problem.file = strdup(file);
        if (!problem.file) {
            free(problem.text);
            return -ENOMEM;
        }
        config_control_clean(problem.file);
    }
    config_control_clean(problem.text);
    config->problems[config->problem_count++] = problem;
    return 0;
}

static int key_find(const char *section, const char *name, enum config_id *ret_id)
{
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        const struct config_key *key = config_key((enum config_id)id);
        if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0) {
            *ret_id = (enum config_id)id;
            return 0;
        }
    }
    return -ENOENT;
}

static bool section_is_known(const char *section)
{
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        if (strcmp(config_key((enum config_id)id)->section, section) == 0)
            return true;
    }
    return false;
}

void config_end_section(struct config *config)
{
    config->in_access = false;
}

void config_spoil_section(struct config *config)
{
    if (config->in_access)
        config_access_spoil(config);
}

int config_begin_section(struct config *config, const char *section, const char *file,
                         unsigned line)
{
    config->in_access = config_access_is_section(section);
    if (config->in_access)
        return config_access_begin(config, section, file, line);
    if (config_property_is_section(section))
        return config_property_begin(config, section, file, line);
    if (section_is_known(section))
        return 0;
    if (config_suggests_access(section)) {
        config->has_access = true;
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "[%s]: unknown section; it is taken for [Access] with a mistake, "
                                  "which grants nothing",
                                  section);
    }
    const char *meant = config_suggest_section(section);
    return config_add_problem(config, CONFIG_UNKNOWN, file, line, "unknown section [%s]%s%s%s",
                              section, meant ? "; did you mean [" : "", meant ? meant : "",
                              meant ? "]?" : "");
}

/* What a value has to be, where neither bounds nor a list of words say it. */
static const char *type_name(enum config_type type)
{
    switch (type) {
    case CONFIG_HOST:
        return "a host name (no scheme, no port: Port is a key of its own)";
    case CONFIG_SOCKET:
        return "an absolute path of at most 107 bytes";
    case CONFIG_DIRECTORY:
        return "an absolute path of at most 190 bytes";
    case CONFIG_OCTAL:
        return "an octal file mode up to 0777";
    case CONFIG_NUMBER:
        return "a whole number";
    case CONFIG_THINGS:
        return "a list of thing names or patterns such as gateway-*, of at most 190 bytes";
    case CONFIG_PROXY_URL:
    case CONFIG_TEXT:
    case CONFIG_CHOICE:
        break;
    }
    return "understood";
}

/* What has to be said somewhere and was said before is better than nothing. */
static bool keeps_earlier(const struct config *config, enum config_id id)
{
    return (id == CONFIG_ENDPOINT || id == CONFIG_THING_NAME) && *config->values[id].text;
}

/* The value may hold a password, and is not repeated. */
static int bad_proxy(struct config *config, const struct config_key *key, const char *value,
                     const char *file, unsigned line)
{
    struct proxy_address ignored;
    const char *why = "not understood";
    (void)proxy_address_parse(value, &ignored, &why);
    return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                              "%s is not http://[user:password@]host:port: %s; using no proxy",
                              key->name, why);
}

static int bad_value(struct config *config, enum config_id id, const char *value, int error,
                     const char *file, unsigned line)
{
    const struct config_key *key = config_key(id);
    const char *fallback = *key->value ? key->value : "(empty)";
    if (keeps_earlier(config, id))
        fallback = config->values[id].text;
    else if (value_reset(config, id) < 0)
        return -ENOMEM;
    if (key->type == CONFIG_PROXY_URL)
        return bad_proxy(config, key, value, file, line);
    if (key->type == CONFIG_TEXT)
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "%s is longer than %lld bytes; using %s", key->name,
                                  (long long)key->max, fallback);
    if (key->type == CONFIG_CHOICE) {
        char list[128] = "";
        for (size_t i = 0; key->choices[i]; i++) {
            const size_t used = strlen(list);
            (void)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
                           key->choices[i]);
        }
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "%s=%s is none of: %s; using %s", key->name, value, list,
                                  fallback);
    }
    if (error == -ERANGE && key->type == CONFIG_NUMBER)
        return config_add_problem(config, CONFIG_BAD_VALUE, file, line,
                                  "%s=%s is not between %lld and %lld; using %s", key->name, value,
                                  (long long)key->min, (long long)key->max, fallback);
    return config_add_problem(config, CONFIG_BAD_VALUE, file, line, "%s=%s is not %s; using %s",
                              key->name, value, type_name(key->type), fallback);
}

static int unknown_key(struct config *config, const char *section, const char *name,
                       const char *file, unsigned line)
{
    char hint[96];
    config_suggest_key(section, name, hint, sizeof(hint));
    return config_add_problem(config, CONFIG_UNKNOWN, file, line, "unknown key %s in [%s]%s", name,
                              section, hint);
}

/* A later file may empty Name for the sake of NameFrom, so what it says is judged at the end. */
static void keep_earlier_name(struct config *config)
{
    struct config_value *name = &config->values[CONFIG_THING_NAME];
    if (!topic_is_thing_name(name->text))
        return;
    value_clear(&config->earlier_name);
    config->earlier_name = *name;
    *name = (struct config_value){0}; /* about to be set */
}

void config_use_earlier_name(struct config *config)
{
    value_clear(&config->values[CONFIG_THING_NAME]);
    config->values[CONFIG_THING_NAME] = config->earlier_name;
    config->earlier_name = (struct config_value){0};
}

int config_set(struct config *config, const char *section, const char *name, const char *value,
               const char *file, unsigned line)
{
    if (config_access_is_section(section))
        return config_access_set(config, name, value, file, line);
    if (config_property_is_section(section))
        return config_property_set(config, section, name, value, file, line);
    /* config_begin_section() has told about sections that are not followed. */
    if (!section_is_known(section))
        return 0;

    enum config_id id;
    if (key_find(section, name, &id) < 0)
        return unknown_key(config, section, name, file, line);
    int64_t number;
    int r = value_parse(config_key(id), value, &number);
    if (r == 0 && id == CONFIG_ENDPOINT && *value == '\0' && keeps_earlier(config, id))
        r = -EINVAL;
    if (r < 0)
        return bad_value(config, id, value, r, file, line);
    if (id == CONFIG_THING_NAME)
        keep_earlier_name(config);
    return value_store(&config->values[id], value, number, file, line);
}

int config_finish(struct config *config)
{
    int r = 0;
    const struct config_value *max = &config->values[CONFIG_BACKOFF_MAX_MS];
    if (config_number(config, CONFIG_BACKOFF_MIN_MS) > max->number)
        r = config_add_problem(config, CONFIG_BAD_VALUE, max->file, max->line,
                               "BackoffMaxMs=%s is below BackoffMinMs; BackoffMinMs counts",
                               max->text);
    if (r == 0 && *config_text(config, CONFIG_ENDPOINT) == '\0')
        r = config_add_problem(config, CONFIG_MISSING, NULL, 0,
                               "[Connection] Endpoint is missing: set it to this account's AWS "
                               "IoT data endpoint (aws iot describe-endpoint --endpoint-type "
                               "iot:Data-ATS)");
    return r < 0 ? r : config_access_finish(config);
}

const char *config_text(const struct config *config, enum config_id id)
{
    return config->values[id].text;
}

int64_t config_number(const struct config *config, enum config_id id)
{
    return config->values[id].number;
}

bool config_is_set(const struct config *config, enum config_id id)
{
    return config->values[id].file != NULL;
}

bool config_has_problem(const struct config *config, enum config_severity severity)
{
    for (size_t i = 0; i < config->problem_count; i++) {
        if (config->problems[i].severity == severity)
            return true;
    }
    return false;
}

bool config_is_degraded(const struct config *config)
{
    return config_has_problem(config, CONFIG_BAD_VALUE) ||
           config_has_problem(config, CONFIG_UNPARSED);
}
