#include "daemon/shadow/topics.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "$aws/things/";
static const char classic_infix[] = "/shadow/";
static const char named_infix[] = "/shadow/name/";

static const char *const suffixes[TOPIC_KIND_COUNT] = {
    [TOPIC_UPDATE_ACCEPTED] = "update/accepted", [TOPIC_UPDATE_REJECTED] = "update/rejected",
    [TOPIC_UPDATE_DELTA] = "update/delta",       [TOPIC_GET_ACCEPTED] = "get/accepted",
    [TOPIC_GET_REJECTED] = "get/rejected",       [TOPIC_DELETE_ACCEPTED] = "delete/accepted",
};

static bool is_name(const char *name, size_t max, const char *extra)
{
    size_t size = strlen(name);
    if (size == 0 || size > max)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && !strchr(extra, c))
            return false;
    }
    return true;
}

bool topic_is_thing_name(const char *name)
{
    return is_name(name, FLUX_THING_NAME_MAX, ":_-");
}

bool topic_is_shadow_name(const char *name)
{
    return is_name(name, FLUX_SHADOW_NAME_MAX, ":_-$");
}

bool topic_is_thing_pattern(const char *text)
{
    char name[FLUX_THING_NAME_MAX + 2];
    size_t size = strlen(text);
    if (size == 0 || size >= sizeof(name))
        return false;
    memcpy(name, text, size + 1);
    if (name[size - 1] == '*')
        name[--size] = '\0';
    return size == 0 || topic_is_thing_name(name);
}

bool topic_matches_pattern(const char *pattern, const char *thing_name)
{
    size_t size = strlen(pattern);
    if (size > 0 && pattern[size - 1] == '*')
        return strncmp(pattern, thing_name, size - 1) == 0;
    return strcmp(pattern, thing_name) == 0;
}

static void write_topic(char ret_topic[static TOPIC_BYTES_MAX], const char *thing,
                        const char *shadow, const char *suffix)
{
    if (*shadow)
        (void)snprintf(ret_topic, TOPIC_BYTES_MAX, "%s%s%s%s/%s", prefix, thing, named_infix,
                       shadow, suffix);
    else
        (void)snprintf(ret_topic, TOPIC_BYTES_MAX, "%s%s%s%s", prefix, thing, classic_infix,
                       suffix);
}

void topic_write_answer(char ret_topic[static TOPIC_BYTES_MAX], const char *thing,
                        const char *shadow, enum topic_kind kind)
{
    write_topic(ret_topic, thing, shadow, suffixes[kind]);
}

void topic_write_request(char ret_topic[static TOPIC_BYTES_MAX], const char *thing,
                         const char *shadow, enum topic_request request)
{
    write_topic(ret_topic, thing, shadow, request == TOPIC_GET ? "get" : "update");
}

/* Copy up to the next '/' and step behind it. */
static bool take_level(const char **cursor, char *ret_level, size_t max)
{
    const char *slash = strchr(*cursor, '/');
    if (!slash)
        return false;
    size_t size = (size_t)(slash - *cursor);
    if (size == 0 || size > max)
        return false;
    memcpy(ret_level, *cursor, size);
    ret_level[size] = '\0';
    *cursor = slash + 1;
    return true;
}

static bool take_text(const char **cursor, const char *text)
{
    size_t size = strlen(text);
    if (strncmp(*cursor, text, size) != 0)
        return false;
    *cursor += size;
    return true;
}

bool topic_parse(const char *text, struct topic *ret_topic)
{
    struct topic topic = {.kind = TOPIC_KIND_COUNT};
    const char *cursor = text;
    if (!take_text(&cursor, prefix) || !take_level(&cursor, topic.thing, FLUX_THING_NAME_MAX) ||
        !take_text(&cursor, "shadow/"))
        return false;
    if (take_text(&cursor, "name/") && !take_level(&cursor, topic.shadow, FLUX_SHADOW_NAME_MAX))
        return false;
    for (enum topic_kind kind = 0; kind < TOPIC_KIND_COUNT; kind++) {
        if (strcmp(cursor, suffixes[kind]) != 0)
            continue;
        topic.kind = kind;
        *ret_topic = topic;
        return true;
    }
    return false;
}

int topic_qos(enum topic_kind kind)
{
    return kind == TOPIC_UPDATE_DELTA ? 1 : 0;
}
